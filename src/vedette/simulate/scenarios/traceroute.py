"""Near miss: UDP traceroute counts up through ports that never answer."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_CLIENT, _TARGETS = "10.20.2.31", ("203.0.113.144", "203.0.113.145")
_FIRST_PORT, _PROBES = 33_434, 90


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_CLIENT)
    for hour in (3, 15):
        for target in _TARGETS:
            moment = day.at(hour)
            for number in range(_PROBES):
                moment += day.pause(0.01, 2)
                yield Exchange(
                    at=moment,
                    source=_CLIENT,
                    destination=target,
                    source_port=day.random.randint(32_768, 33_400),
                    destination_port=_FIRST_PORT + number,
                    outcome="refused" if number > _PROBES - 4 else "filtered",  # the target reports that the port is closed
                    protocol=17,
                    packets=(1, 0),
                    octets=(60, 0),
                )


SCENARIO = Scenario(
    name="traceroute",
    sentence="Near miss: UDP traceroutes to two hosts, 90 ports each; no finding.",
    play=_play,
    quiet="traceroute counts up through the UDP ports from 33434 and expects no answer",
)
