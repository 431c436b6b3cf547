"""Near miss: the security group rejects a known scanner."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Listed, Routine, Scenario

_TARGET, _SCANNER = "10.20.1.24", "198.51.100.38"


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _SCANNER)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(4, 5 * 60)
    for port in (22, 80, 443, 3_306, 3_389, 9_200):
        moment += day.pause(1, 60)
        yield Exchange(
            at=moment,
            source=_SCANNER,
            destination=_TARGET,
            source_port=day.random.randint(40_000, 60_999),
            destination_port=port,
            outcome="rejected",
            probe="syn",
        )


SCENARIO = Scenario(
    name="probe-rejected",
    sentence="Near miss: a listed scanner is rejected by the security group on all ports; no finding.",
    play=_play,
    quiet="the security group rejects it",
)
