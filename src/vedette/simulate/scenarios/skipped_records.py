"""Near miss: AWS skips records of a busy interface, so answers are missing from the log."""

from collections.abc import Iterator
from datetime import timedelta

from vedette.simulate import Day, Exchange, Flow, Item, Routine, Scenario

_CLIENT, _SERVER = "10.20.2.38", "203.0.113.147"
_PORTS = range(7_000, 7_040)


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_CLIENT)
    if not day.last:
        return
    start = day.at(14, 60)
    for minute in range(10):
        yield Flow(start=start + timedelta(minutes=minute), interface=_CLIENT, seconds=59, status="SKIPDATA")
    moment = start
    for number, port in enumerate(_PORTS):
        moment += day.pause(2, 12)
        yield Exchange(
            at=moment,
            source=_CLIENT,
            destination=_SERVER,
            source_port=37_000 + number,
            destination_port=port,
            outcome="established",
            lost=True,
        )
    yield Flow(start=day.at(15), interface=_CLIENT, seconds=59, status="NODATA")


SCENARIO = Scenario(
    name="skipped-records",
    sentence="Near miss: 40 ports of one host seem not to answer while records of the interface are skipped; no finding.",
    play=_play,
    quiet="AWS skipped records in these minutes, so a missing answer does not mean that none came",
)
