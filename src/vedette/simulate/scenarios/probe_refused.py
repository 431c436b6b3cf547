"""Near miss: the security group admits a known scanner, but nothing listens."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Listed, Routine, Scenario

_TARGET, _SCANNER = "10.20.1.23", "198.51.100.37"


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _SCANNER)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(2, 50 * 60)
    for port in (22, 8_081):
        for _ in range(4):
            moment += day.pause(1, 300)
            yield Exchange(
                at=moment,
                source=_SCANNER,
                destination=_TARGET,
                source_port=day.random.randint(40_000, 60_999),
                destination_port=port,
                outcome="refused",
                probe="syn",
            )


SCENARIO = Scenario(
    name="probe-refused",
    sentence="Near miss: a listed scanner reaches two ports on which nothing listens; no finding.",
    play=_play,
    quiet="the ports only answer with RST: nothing is served",
)
