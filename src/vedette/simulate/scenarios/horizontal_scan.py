"""A worm on an instance looks for one port across the VPC; most of the addresses are unused."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.12"
_PORT, _SOURCE_PORT = 445, 61_234
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=f"tcp/{_PORT}")
_DARK = tuple(f"10.20.200.{number}" for number in range(4, 255))
_LIVE = tuple(f"10.20.3.{number}" for number in range(60, 68))


def _play(day: Day) -> Iterator[Item]:
    for address in (_ACTOR, *_LIVE):
        yield Routine(address)
    if not day.last:
        return
    moment = day.at(6, 3 * 60)
    for target in day.random.sample(_DARK + _LIVE, len(_DARK + _LIVE)):
        moment += day.pause(0.01, 0.4)
        yield Exchange(
            at=moment,
            source=_ACTOR,
            destination=target,
            source_port=_SOURCE_PORT,
            destination_port=_PORT,
            outcome="refused" if target in _LIVE else "filtered",
            probe="bare",
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="horizontal-scan",
    sentence="An instance looks for one port on 259 hosts of the VPC, of which 251 don't exist.",
    play=_play,
    findings=(_FINDING,),
)
