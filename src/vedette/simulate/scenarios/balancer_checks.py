"""Near miss: a load balancer checks the ports of tasks, most of which have moved to other hosts."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_BALANCERS, _TARGET = ("10.20.1.6", "10.20.1.7"), "10.20.2.45"
_TASK_PORTS = tuple(range(32_768, 32_806))
_LIVE = frozenset(_TASK_PORTS[:8])
_ROUNDS_PER_HOUR = 3


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_TARGET)
    for number in range(24 * _ROUNDS_PER_HOUR):
        for balancer in _BALANCERS:
            moment = day.at(0, number * 3_600 / _ROUNDS_PER_HOUR)
            for port in _TASK_PORTS:
                moment += day.pause(0.05, 0.5)
                yield Exchange(
                    at=moment,
                    source=balancer,
                    destination=_TARGET,
                    source_port=day.random.randint(1_024, 65_535),
                    destination_port=port,
                    outcome="established" if port in _LIVE else "refused",
                    packets=(5, 5),
                    octets=(480, 620),
                    seconds=0.1,
                )


SCENARIO = Scenario(
    name="balancer-checks",
    sentence="Near miss: a load balancer runs health checks on 38 ports of one instance, 30 of them closed; no finding.",
    play=_play,
    quiet="the interface of a load balancer does not belong to an instance, and the instance only answers",
)
