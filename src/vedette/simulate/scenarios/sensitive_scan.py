"""An instance tries eight sensitive ports of one host: databases, remote desktops, shells."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.18"
_TARGET = "10.20.3.41"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET)
_PORTS = (22, 445, 1_433, 3_306, 3_389, 5_432, 5_900, 6_379)
_OPEN = frozenset((22, 1_433))


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(11, 26 * 60)
    for number, port in enumerate(_PORTS):
        moment += day.pause(2, 30)
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=_TARGET,
            source_port=39_500 + number,
            destination_port=port,
            outcome="touched" if port in _OPEN else "refused",
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="sensitive-scan",
    sentence="An instance tries 8 sensitive ports of one host; 6 are closed.",
    play=_play,
    findings=(_FINDING,),
)
