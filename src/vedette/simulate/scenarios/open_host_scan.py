"""An instance scans a decoy that answers on every port: nothing fails, but it is still a scan."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.16"
_TARGET = "10.20.3.21"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET)
_PORTS = range(20, 6_020, 20)


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(9, 8 * 60)
    for number, port in enumerate(day.random.sample(_PORTS, len(_PORTS))):
        moment += day.pause(0.05, 0.8)
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=_TARGET,
            source_port=36_000 + number,
            destination_port=port,
            outcome="touched",
            graceful=day.random.random() < 0.5,  # noqa: PLR2004  # half and half
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="open-host-scan",
    sentence="An instance tries 300 ports of a host, all of which are open.",
    play=_play,
    findings=(_FINDING,),
)
