"""Near miss: an instance opens connections to an address that is listed as a scanner."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Listed, Routine, Scenario

_CLIENT, _SERVER = "10.20.1.27", "198.51.100.40"


def _play(day: Day) -> Iterator[Item]:
    yield Listed("scanner", _SERVER)
    yield Routine(_CLIENT)
    for hour in (1, 9, 17):
        for port in (80, 443):
            yield Exchange(
                at=day.at(hour) + day.pause(0, 900),
                source=_CLIENT,
                destination=_SERVER,
                source_port=day.random.randint(32_768, 60_999),
                destination_port=port,
                outcome="established",
                packets=(12, 20),
                octets=(1_900, 22_000),
            )


SCENARIO = Scenario(
    name="probe-own-reply",
    sentence="Near miss: an instance visits a web server that is listed as a scanner; no finding.",
    play=_play,
    quiet="the instance opened the connection; the listed address only answers",
)
