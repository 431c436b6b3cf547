"""Near miss: eight instances behind a NAT gateway contact a partner's host whose services are down."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_FLEET = tuple(f"10.20.2.{number}" for number in range(60, 68))
_PARTNER = "203.0.113.142"
_PORTS_PER_INSTANCE = 5


def _play(day: Day) -> Iterator[Item]:
    for address in _FLEET:
        yield Routine(address)
    moment = day.at(12)
    for attempt in range(_PORTS_PER_INSTANCE):
        for number, address in enumerate(_FLEET):
            moment += day.pause(1, 8)
            yield Exchange(
                at=moment,
                source=address,
                destination=_PARTNER,
                source_port=day.random.randint(32_768, 60_999),
                destination_port=7_100 + number * _PORTS_PER_INSTANCE + attempt,  # each has ports of its own
                outcome="refused",
            )


SCENARIO = Scenario(
    name="nat-gateway",
    sentence="Near miss: 8 instances fail on 5 ports of a partner each, 40 ports at the NAT gateway's interface; no finding.",
    play=_play,
    quiet="the gateway's interface shows all its clients together, and none of them tried more than 5 ports",
)
