"""Near miss: a Windows machine queries its domain controller, and many of the dynamic RPC ports are stale."""

from collections.abc import Iterator
from datetime import datetime

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_CLIENT, _DIRECTORY = "10.20.2.33", "10.20.3.11"
_CONTROL_PORTS = (88, 135, 389, 445, 464)
_DYNAMIC, _STALE = 36, 30


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_CLIENT)
    yield Routine(_DIRECTORY)
    dynamic = day.random.sample(range(49_664, 51_000), _DYNAMIC)
    for hour in (8, 13, 18):
        moment = day.at(hour) + day.pause(0, 600)
        for port in _CONTROL_PORTS:
            moment += day.pause(0.1, 2)
            yield _connection(day, moment, port, alive=True)
        for number, port in enumerate(dynamic):
            moment += day.pause(0.5, 8)
            yield _connection(day, moment, port, alive=number >= _STALE)


def _connection(day: Day, at: datetime, port: int, *, alive: bool) -> Exchange:
    return Exchange(
        at=at,
        source=_CLIENT,
        destination=_DIRECTORY,
        source_port=day.random.randint(52_000, 65_535),
        destination_port=port,
        outcome="established" if alive else "refused",
        packets=(9, 8),
        octets=(2_100, 2_900),
    )


SCENARIO = Scenario(
    name="directory-client",
    sentence="Near miss: a directory client uses ports 88, 135, 389, 445 and 36 dynamic ones, of which 30 are stale; no finding.",
    play=_play,
    quiet="the ports are dynamic, and control connections to the same host are established",
)
