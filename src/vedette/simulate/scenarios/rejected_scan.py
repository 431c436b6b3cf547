"""An instance scans a host whose security group rejects everything: only the target's interface logs the rejections."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.14"
_TARGET = "10.20.3.20"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET)
_PORTS = range(1, 201)


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(7, 44 * 60)
    for number, port in enumerate(_PORTS):
        moment += day.pause(0.2, 1.2)
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=_TARGET,
            source_port=41_000 + number,
            destination_port=port,
            outcome="rejected",
            retries=1,
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="rejected-scan",
    sentence="An instance tries 200 ports of a host whose security group rejects everything.",
    play=_play,
    findings=(_FINDING,),
)
