"""Near miss: Prometheus on a Kubernetes node scrapes every port that its service discovery finds."""

from collections.abc import Iterator
from datetime import datetime

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_NODE = "10.20.8.10"
_NODES = ("10.20.8.11", "10.20.8.12")
_PODS = tuple(f"10.20.8.{number}" for number in range(115, 145))
_POD_PORT = 9_102
_LIVE_NODE_PORTS = (2_381, 9_090, 9_091, 9_093, 9_100, 9_153, 10_249, 10_256)
_DEAD_NODE_PORTS = (*range(8_080, 8_088), *range(32_901, 32_909))


def _play(day: Day) -> Iterator[Item]:
    for address in (_NODE, *_NODES):
        yield Routine(address)
    for round_ in range(24):
        moment = day.at(round_, 5)
        for node in _NODES:
            for port in _LIVE_NODE_PORTS + _DEAD_NODE_PORTS:
                moment += day.pause(0.2, 1)
                yield _scrape(day, moment, node, port, alive=port in _LIVE_NODE_PORTS)
        for number, pod in enumerate(_PODS):
            moment += day.pause(0.2, 1)
            yield _scrape(day, moment, pod, _POD_PORT, alive=number % 5 == 0)


def _scrape(day: Day, at: datetime, target: str, port: int, *, alive: bool) -> Exchange:
    return Exchange(
        at=at,
        source=_NODE,
        destination=target,
        source_port=day.random.randint(32_768, 60_999),
        destination_port=port,
        outcome="established" if alive else "refused",
        packets=(6, 8),
        octets=(900, 9_000),
    )


SCENARIO = Scenario(
    name="prometheus-node",
    sentence="Near miss: Prometheus scrapes 24 ports of each neighbouring node and one of 30 pods; most are closed; no finding.",
    play=_play,
    quiet="a Kubernetes node discovers services of its own cluster",
)
