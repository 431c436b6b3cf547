"""An instance scans a dozen ports on each of four neighbours: too few per host, but enough together."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.17"
_TARGETS = tuple(f"10.20.3.{number}" for number in range(30, 34))
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target="block")
_PORTS = (7, 9, 13, 17, 19, 37, 79, 81, 84, 106, 119, 199)  # no sensitive ones


def _play(day: Day) -> Iterator[Item]:
    for address in (_ACTOR, *_TARGETS):
        yield Routine(address)
    if not day.last:
        return
    moment, source_port = day.at(10, 17 * 60), 44_000
    for port in _PORTS:
        for target in _TARGETS:
            moment += day.pause(1, 6)
            source_port += 1
            yield Exchange(
                at=moment,
                source=_ACTOR,
                destination=target,
                source_port=source_port,
                destination_port=port,
                outcome="refused",
                finding=_EXPECTED,
            )


SCENARIO = Scenario(
    name="block-scan",
    sentence="An instance tries 12 ports on each of 4 hosts; all 48 attempts fail.",
    play=_play,
    findings=(_FINDING,),
)
