"""Near miss: a known scanner reaches the interfaces of load balancers, a NAT gateway and a function."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Listed, Scenario

_SCANNER = "198.51.100.39"
_TARGETS = (("10.20.1.6", 443), ("10.20.1.7", 80), ("10.20.1.5", 80), ("10.20.2.90", 22))


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _SCANNER)
    for target, port in _TARGETS:
        yield from _visits(day, target, port)
    if not day.last:
        return
    moment = day.at(6, 2 * 60)
    for target, port in _TARGETS:
        for outcome in ("half_open", "established"):
            moment += day.pause(5, 120)
            yield Exchange(
                at=moment,
                source=_SCANNER,
                destination=target,
                source_port=day.random.randint(40_000, 60_999),
                destination_port=port,
                outcome=outcome,
                probe="syn",
                packets=(6, 6),
                octets=(600, 4_000),
            )


def _visits(day: Day, target: str, port: int) -> Iterator[Exchange]:
    """Yield ordinary visits, so that the interface's own address can be inferred."""
    for hour in range(0, 24, 2):
        yield Exchange(
            at=day.at(hour) + day.pause(0, 3_000),
            source=f"192.0.2.{day.random.randint(100, 190)}",
            destination=target,
            source_port=day.random.randint(32_768, 60_999),
            destination_port=port,
            outcome="established",
        )


SCENARIO = Scenario(
    name="probe-no-instance",
    sentence="Near miss: a listed scanner is answered by interfaces that don't belong to an instance; no finding.",
    play=_play,
    quiet="the interfaces belong to load balancers, a NAT gateway and a function, not to an instance",
)
