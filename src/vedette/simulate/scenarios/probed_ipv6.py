"""A known scanner finds the SSH port of an instance over IPv6."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Listed, Routine, Scenario

_FINDING = "Recon:EC2/PortProbeUnprotectedPort"
_TARGET, _TARGET_V6 = "10.20.1.22", "2001:db8:20:1::22"
_EXPECTED = Expected(finding_type=_FINDING, address=_TARGET)
_NETWORK, _SCANNER = "2001:db8:5ca::/48", "2001:db8:5ca:1::7"


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _NETWORK)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(6, 41 * 60)
    for outcome in ("half_open", "touched"):
        moment += day.pause(10, 90)
        yield Exchange(
            at=moment,
            source=_SCANNER,
            destination=_TARGET_V6,
            source_port=day.random.randint(40_000, 60_999),
            destination_port=22,
            outcome=outcome,
            probe="syn" if outcome == "half_open" else "connect",
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="probed-ipv6",
    sentence="A listed scanner reaches port 22 of an instance over IPv6.",
    play=_play,
    findings=(_FINDING,),
)
