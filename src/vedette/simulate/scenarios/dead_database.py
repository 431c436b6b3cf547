"""Near miss: an application tries to reach its dead database 10,000 times."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_CLIENT, _DATABASE = "10.20.2.32", "203.0.113.146"
_RETRIES = 10_000


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_CLIENT)
    if not day.last:
        return
    for number in range(_RETRIES):
        yield Exchange(
            at=day.at(0, number * 8.5) + day.pause(0, 3),
            source=_CLIENT,
            destination=_DATABASE,
            source_port=32_768 + number * 7 % 28_232,
            destination_port=5_432,
            outcome="refused" if number % 2 else "filtered",
        )


SCENARIO = Scenario(
    name="dead-database",
    sentence="Near miss: 10,000 attempts to reach one database that is down; no finding.",
    play=_play,
    quiet="it is a single port of a single host, however often it is tried",
)
