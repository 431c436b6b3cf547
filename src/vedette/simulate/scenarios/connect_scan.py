"""A build agent tries 1,000 ports of a file server in another subnet, with full TCP connections."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.10"
_TARGET = "10.20.3.40"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET)
_PORTS = (*range(1, 501), *range(1_500, 11_500, 20))
_OPEN = frozenset((22, 139, 445, 5_000))
_LOST_SHARE = 0.01


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(4, 12 * 60)
    for number, port in enumerate(day.random.sample(_PORTS, len(_PORTS))):
        moment += day.pause(0.01, 0.15)
        lost = day.random.random() < _LOST_SHARE
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=_TARGET,
            source_port=34_000 + number,
            destination_port=port,
            outcome="touched" if port in _OPEN else "refused",
            retries=int(lost),
            lost=lost,
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="connect-scan",
    sentence="An instance tries 1,000 ports of a file server with full connections; four are open.",
    play=_play,
    findings=(_FINDING,),
)
