"""A known scanner reads from an Elasticsearch server that is open to the internet."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Listed, Routine, Scenario

_FINDING = "Recon:EC2/PortProbeUnprotectedPort"
_TARGET, _SCANNER, _PORT = "10.20.1.21", "198.51.100.35", 9_200
_EXPECTED = Expected(finding_type=_FINDING, address=_TARGET, severity=8.0)


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _SCANNER)
    yield Routine(_TARGET)
    if not day.last:
        return
    moment = day.at(3, 20 * 60)
    for _ in range(3):
        moment += day.pause(20, 400)
        yield Exchange(
            at=moment,
            source=_SCANNER,
            destination=_TARGET,
            source_port=day.random.randint(40_000, 60_999),
            destination_port=_PORT,
            outcome="established",
            packets=(6, 5),
            octets=(520, 3_900),
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="probed-search",
    sentence="Port 9200 of an instance serves data to a listed scanner: high severity.",
    play=_play,
    findings=(_FINDING,),
)
