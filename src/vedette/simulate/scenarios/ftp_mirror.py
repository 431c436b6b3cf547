"""Near miss: a passive FTP client opens a data connection to another high port for each file, and many time out."""

from collections.abc import Iterator
from datetime import datetime

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_CLIENT, _SERVER = "10.20.2.30", "203.0.113.143"
_FILES, _FAILING = 45, 33


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_CLIENT)
    moment = day.at(2, 10 * 60)
    yield _connection(day, moment, 21, alive=True)
    failing = frozenset(day.random.sample(range(_FILES), _FAILING))
    for number, port in enumerate(day.random.sample(range(49_152, 65_536), _FILES)):
        moment += day.pause(2, 12)
        yield _connection(day, moment, port, alive=number not in failing)


def _connection(day: Day, at: datetime, port: int, *, alive: bool) -> Exchange:
    return Exchange(
        at=at,
        source=_CLIENT,
        destination=_SERVER,
        source_port=day.random.randint(32_768, 48_000),
        destination_port=port,
        outcome="established" if alive else "filtered",
        retries=0 if alive else 2,
        packets=(40, 60),
        octets=(2_300, 80_000),
        seconds=200 if port == 21 else 3,  # noqa: PLR2004  # the control connection stays open
    )


SCENARIO = Scenario(
    name="ftp-mirror",
    sentence="Near miss: passive FTP opens 45 high ports of a mirror, and 33 of them don't answer; no finding.",
    play=_play,
    quiet="the ports are dynamic, announced over an established control connection to port 21",
)
