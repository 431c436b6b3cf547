"""A known scanner reaches an instance through a network load balancer that preserves the client's address."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Listed, Routine, Scenario

_FINDING = "Recon:EC2/PortProbeUnprotectedPort"
_BALANCER, _TARGET, _PORT = "10.20.1.8", "10.20.2.46", 8_443
_EXPECTED = Expected(finding_type=_FINDING, address=_TARGET)
_SCANNER = "198.51.100.36"


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _SCANNER)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(8, 9 * 60)
    for _ in range(2):
        moment += day.pause(30, 300)
        port = day.random.randint(40_000, 60_999)
        for hop in (_BALANCER, _TARGET):
            yield Exchange(
                at=moment,
                source=_SCANNER,
                destination=hop,
                source_port=port,
                destination_port=_PORT,
                outcome="established",
                packets=(6, 6),
                octets=(700, 2_800),
                finding=_EXPECTED if hop == _TARGET else None,
            )


SCENARIO = Scenario(
    name="probed-behind-balancer",
    sentence="A listed scanner reaches an instance without a public address through a network load balancer.",
    play=_play,
    findings=(_FINDING,),
)
