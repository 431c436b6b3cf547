"""Near miss: a BitTorrent client contacts hundreds of peers over UDP, most of which are gone."""

from collections.abc import Iterator
from datetime import datetime

from vedette.simulate import Day, Exchange, Item, Routine, Scenario

_CLIENT, _OWN_PORT, _USUAL_PORT = "10.20.2.34", 51_413, 6_881
_PEERS = 300
_MOVING_PEER, _MOVING_PEER_PORTS = "203.0.113.148", 45


def _play(day: Day) -> Iterator[Item]:
    yield Routine(_CLIENT)
    for number in range(_PEERS):
        peer = f"{day.random.choice(('192.0.2', '203.0.113'))}.{day.random.randint(230, 254)}"
        port = _USUAL_PORT if number % 10 == 0 else day.random.randint(10_000, 65_535)
        yield _contact(day, day.at(0, number * 280) + day.pause(0, 200), peer, port)
    moment = day.at(16)
    for port in day.random.sample(range(20_000, 60_000), _MOVING_PEER_PORTS):  # its NAT router assigns another port each time
        moment += day.pause(1, 12)
        yield _contact(day, moment, _MOVING_PEER, port)


def _contact(day: Day, at: datetime, peer: str, port: int) -> Exchange:
    return Exchange(
        at=at,
        source=_CLIENT,
        destination=peer,
        source_port=_OWN_PORT,
        destination_port=port,
        outcome=day.random.choice(("filtered", "filtered", "filtered", "filtered", "established")),
        protocol=17,
        packets=(2, 2),
        octets=(260, 640),
        seconds=1.5,
    )


SCENARIO = Scenario(
    name="bittorrent-peer",
    sentence="Near miss: BitTorrent over UDP with 300 peers, and with 45 ports of another; most don't answer; no finding.",
    play=_play,
    quiet="it is UDP to high ports only, where a missing answer means little",
)
