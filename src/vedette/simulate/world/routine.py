"""Generate the ordinary traffic of an instance: a few steady peers, so that its own address can be inferred (methods 1.2)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import NamedTuple

from vedette.simulate import Exchange

_TCP, _UDP = 6, 17
_TIME_SERVER = "203.0.113.123"
_UPDATES = "203.0.113.130"
_PLATFORMS = tuple(f"203.0.113.{number}" for number in range(131, 137))
_DATABASE, _OBJECTS, _LOGS = "10.20.3.5", "10.20.3.6", "10.20.3.7"


class _Habit(NamedTuple):
    """A peer that an instance contacts about every ``minutes`` minutes."""

    peer: str
    port: int
    minutes: int
    protocol: int = _TCP


_HABITS = (
    _Habit(_TIME_SERVER, 123, 64, _UDP),
    _Habit(_LOGS, 443, 45),
    _Habit(_DATABASE, 5432, 50),
    _Habit(_OBJECTS, 443, 120),
    _Habit(_UPDATES, 80, 480),
)


def routine(address: str, midnight: datetime, random: Random) -> Iterator[Exchange]:
    """Yield the ordinary exchanges of the instance with this address on a day."""
    platforms = tuple(_Habit(peer, 443, 150) for peer in random.sample(_PLATFORMS, 3))
    for habit in (*_HABITS, *platforms):
        if habit.peer == address:
            continue
        minute = random.uniform(0, habit.minutes)
        while minute < 24 * 60:
            yield _visit(address, habit, midnight + timedelta(minutes=minute), random)
            minute += habit.minutes * random.uniform(0.8, 1.2)


def _visit(address: str, habit: _Habit, at: datetime, random: Random) -> Exchange:
    if habit.protocol == _UDP:
        packets, octets, seconds = (1, 1), (76, 76), 0.03
    else:
        size = random.randint(4, 40)
        packets, octets = (size, size), (size * 90 + 300, size * 400 + 1_500)
        seconds = random.uniform(0.2, 20)
    return Exchange(
        at=at,
        source=address,
        destination=habit.peer,
        source_port=random.randint(32_768, 60_999),
        destination_port=habit.port,
        outcome="established",
        protocol=habit.protocol,
        packets=packets,
        octets=octets,
        seconds=seconds,
    )
