"""A tagged scan engine tries 400 ports of a host: the finding is created and archived."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.37"
_TARGET = "10.20.3.43"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET, archived=True)
_PORTS = range(1, 401)


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(1, 5 * 60)
    for number, port in enumerate(_PORTS):
        moment += day.pause(0.02, 0.3)
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=_TARGET,
            source_port=45_000 + number,
            destination_port=port,
            outcome="refused",
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="authorised-scan",
    sentence="Near miss: an authorised scanner tries 400 ports of one host; the finding is archived at once.",
    play=_play,
    quiet="the instance is tagged purpose=vulnerability-scanner: if the settings name that tag, the finding is archived",
)
