"""Near miss: a watchdog tries the same forty dead targets every day, and all at once after its restart."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_WATCHDOG, _PORT = "10.20.2.36", 8_443
_TARGETS = tuple(f"203.0.113.{number}" for number in range(81, 121))


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_WATCHDOG)
    # As a rule it takes two hours for a round; on the last day it was restarted, more than a day after the last try of any.
    moment, pause = (day.at(14), (1.0, 2.0)) if day.last else (day.at(9), (150.0, 200.0))
    for target in _TARGETS:
        moment += day.pause(*pause)
        yield Exchange(
            at=moment,
            source=_WATCHDOG,
            destination=target,
            source_port=day.random.randint(32_768, 60_999),
            destination_port=_PORT,
            outcome="filtered",
            retries=2,
        )


SCENARIO = Scenario(
    name="dead-monitoring",
    sentence="Near miss: monitoring tries the same 40 dead targets as on the days before, all in a minute; no finding.",
    play=_play,
    quiet="the targets were tried on at least three of the last seven days: none is new",
    days_before=4,
)
