"""A report worker sends SYNs to 1,000 ports of a host on the internet, all from one source port."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Outcome, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.11"
_TARGET = "203.0.113.141"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET)
_PORTS = (*range(1, 601), *range(2_000, 10_000, 20))
_OPEN = frozenset((22, 80, 443))
_CLOSED: tuple[Outcome, ...] = ("filtered", "refused", "refused")
_SOURCE_PORT = 51_813


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    if not day.last:
        return
    moment = day.at(5, 31 * 60)
    for port in day.random.sample(_PORTS, len(_PORTS)):
        moment += day.pause(0.002, 0.06)
        outcome = "half_open" if port in _OPEN else day.random.choice(_CLOSED)
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=_TARGET,
            source_port=_SOURCE_PORT,
            destination_port=port,
            outcome=outcome,
            probe="syn",
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="syn-scan",
    sentence="An instance tries 1,000 ports of a host on the internet, all from one source port.",
    play=_play,
    findings=(_FINDING,),
)
