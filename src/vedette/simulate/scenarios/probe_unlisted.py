"""Near miss: an unlisted client uses an open SSH port."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_TARGET, _CLIENT = "10.20.1.25", "198.51.100.64"


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_TARGET)
    for hour in (7, 12, 19):
        yield Exchange(
            at=day.at(hour) + day.pause(0, 900),
            source=_CLIENT,
            destination=_TARGET,
            source_port=day.random.randint(40_000, 60_999),
            destination_port=22,
            outcome="established",
            packets=(120, 110),
            octets=(14_000, 31_000),
            seconds=500,
        )


SCENARIO = Scenario(
    name="probe-unlisted",
    sentence="Near miss: an unlisted client uses port 22 of an instance; no finding.",
    play=_play,
    quiet="the client is on no scanner list",
)
