"""Known scanners find the SSH port of a bastion host that is open to the internet."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Listed, Routine, Scenario

_FINDING = "Recon:EC2/PortProbeUnprotectedPort"
_TARGET = "10.20.1.20"
_EXPECTED = Expected(finding_type=_FINDING, address=_TARGET)
_NETWORK, _SCANNERS = "198.51.100.32/28", ("198.51.100.33", "198.51.100.34", "198.51.100.41")


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _NETWORK)
    yield Routine(_TARGET)
    if not day.last:
        return
    for hour, scanner in zip((2, 7, 16), _SCANNERS, strict=True):
        moment = day.at(hour) + day.pause(0, 1_800)
        for port in (22, 23, 3_389, 5_900):
            moment += day.pause(0.1, 20)
            yield Exchange(
                at=moment,
                source=scanner,
                destination=_TARGET,
                source_port=day.random.randint(40_000, 60_999),
                destination_port=port,
                outcome="half_open" if port == 22 else "rejected",  # noqa: PLR2004  # the only port that the group opens
                probe="syn",
                finding=_EXPECTED if port == 22 else None,  # noqa: PLR2004  # likewise
            )


SCENARIO = Scenario(
    name="probed-ssh",
    sentence="Three listed scanners reach port 22 of a bastion host, which answers.",
    play=_play,
    findings=(_FINDING,),
)
