"""Near miss: a web server with 5,000 clients sends its answers to as many ports."""

from collections.abc import Iterator

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_SERVER, _SERVER_V6 = "10.20.1.30", "2001:db8:20:1::30"
_CLIENTS = 5_000
_PROXY, _PROXY_CONNECTIONS = "192.0.2.12", 300
_SHARE_V6 = 0.9


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_SERVER)
    for number in range(_CLIENTS):
        six = day.random.random() < _SHARE_V6
        client = f"2001:db8:c11e:{number:x}::1" if six else f"192.0.2.{day.random.randint(13, 254)}"
        yield _visit(day, client, _SERVER_V6 if six else _SERVER, day.random.uniform(0, 86_000))
    start = day.random.uniform(36_000, 40_000)
    for _ in range(_PROXY_CONNECTIONS):  # many users behind one address, within ten minutes
        yield _visit(day, _PROXY, _SERVER, start + day.random.uniform(0, 600))


def _visit(day: Day, client: str, server: str, seconds: float) -> Exchange:
    size = day.random.randint(5, 40)
    brief = day.random.random() < 0.1  # noqa: PLR2004  # a browser opens a spare connection now and then
    return Exchange(
        at=day.at(0, seconds),
        source=client,
        destination=server,
        source_port=day.random.randint(1_024, 65_535),
        destination_port=443,
        outcome="touched" if brief else "established",
        graceful=True,
        packets=(size, size + 5),
        octets=(size * 130 + 200, size * 900 + 500),
        seconds=day.random.uniform(0.1, 100),
    )


SCENARIO = Scenario(
    name="busy-web-server",
    sentence="Near miss: a web server with 5,000 clients, and 300 connections from one proxy; no finding.",
    play=_play,
    quiet="the clients open the connections; the server only answers",
)
