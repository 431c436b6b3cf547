"""Near miss: a Spark driver loses an executor that it has used for days, on all its ports."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_DRIVER, _EXECUTOR = "10.20.2.35", "10.20.3.42"
_PORTS_PER_DAY = 30


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_DRIVER)
    yield Routine(_EXECUTOR)
    moment = day.at(13)
    for number, port in enumerate(day.random.sample(range(7_200, 7_900), _PORTS_PER_DAY)):  # each day's job has other ports
        moment += day.pause(1, 15)
        yield Exchange(
            at=moment,
            source=_DRIVER,
            destination=_EXECUTOR,
            source_port=40_000 + number,
            destination_port=port,
            outcome="refused" if day.last else "established",
            packets=(30, 30),
            octets=(20_000, 60_000),
            seconds=5,
        )


SCENARIO = Scenario(
    name="peer-outage",
    sentence="Near miss: 30 ports of a peer that answered on the days before are refused; no finding.",
    play=_play,
    quiet="the peer answered this instance in the last seven days: it is down, not being scanned",
    days_before=3,
)
