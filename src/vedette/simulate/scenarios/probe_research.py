"""Near miss: a listed research scanner finds open ports."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Listed, Routine, Scenario

_TARGET, _NETWORK, _SCANNER = "10.20.1.26", "198.51.100.48/28", "198.51.100.50"


def _play(day: Day) -> Iterator[Item]:
    yield Listed("research", _NETWORK)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(5, 12 * 60)
    for port in (22, 443):
        for outcome in ("half_open", "established"):
            moment += day.pause(5, 120)
            yield Exchange(
                at=moment,
                source=_SCANNER,
                destination=_TARGET,
                source_port=day.random.randint(40_000, 60_999),
                destination_port=port,
                outcome=outcome,
                probe="bare",
                packets=(6, 5),
                octets=(560, 2_400),
            )


SCENARIO = Scenario(
    name="probe-research",
    sentence="Near miss: ports 22 and 443 answer a research scanner; no finding.",
    play=_play,
    quiet="the scanner belongs to a research project and is harmless",
)
