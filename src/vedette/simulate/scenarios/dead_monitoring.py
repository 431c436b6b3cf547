"""Near miss: monitoring tries the same 40 dead targets every day, and all within two minutes after a restart."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_WATCHDOG, _PORT = "10.20.2.36", 8_443
_TARGETS = tuple(f"203.0.113.{number}" for number in range(81, 121))


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_WATCHDOG)
    # A round usually takes two hours; on the last day a restart causes one that begins over a day after the previous attempts.
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
    sentence="Near miss: monitoring tries the same 40 dead targets as on the days before, all in about a minute; no finding.",
    play=_play,
    quiet="the targets were tried on at least three of the last seven days, so none is new",
    days_before=4,
)
