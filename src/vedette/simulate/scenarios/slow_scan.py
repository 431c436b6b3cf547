"""An intruder spreads attempts at 30 ports of one host over ten hours to avoid detection."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Expected, Item, Routine, Scenario

_FINDING = "Recon:EC2/Portscan"
_ACTOR = "10.20.2.13"
_TARGET = "203.0.113.140"
_EXPECTED = Expected(finding_type=_FINDING, address=_ACTOR, target=_TARGET)
_PORTS = (
    21, 22, 23, 25, 53, 79, 80, 88, 110, 111, 113, 119, 135, 139, 143,
    179, 199, 389, 427, 443, 444, 445, 465, 513, 514, 515, 543, 587, 631, 873,
)  # fmt: skip
_HOURS = 10


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_ACTOR)
    if not day.last:
        return
    step = _HOURS * 3_600 / len(_PORTS)
    for number, port in enumerate(day.random.sample(_PORTS, len(_PORTS))):
        yield Exchange(
            at=day.at(8, number * step) + day.pause(0, step * 0.6),
            source=_ACTOR,
            destination=_TARGET,
            source_port=day.random.randint(32_768, 60_999),
            destination_port=port,
            outcome=day.random.choice(("refused", "refused", "filtered")),
            retries=1,
            finding=_EXPECTED,
        )


SCENARIO = Scenario(
    name="slow-scan",
    sentence="An instance tries 30 ports of one host within 10 hours.",
    play=_play,
    findings=(_FINDING,),
)
