"""Define the scans to measure: defaults of tools, slow scans, other scans, and known blind spots."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from math import exp, log
from random import Random
from typing import Literal

from bench.quality.stage import Outcome, Stage

SENSITIVE = (21, 22, 23, 110, 135, 139, 445, 873, 1433, 2049, 2375, 3306, 3389, 5432, 5900, 6379, 9200, 11211, 27017)
_SCAN_DAY = 2  # after two days of ordinary traffic, and with two days left for slow scans
_LOWEST_EPHEMERAL = 32_768

Probing = Literal["connect", "syn", "bare"]
Group = Literal["default tools", "slow", "other scans", "blind spots"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a scan probes; one value is drawn from each range per scan.

    ``interval`` is in seconds, drawn evenly on a logarithmic scale; ``open`` is the share of open ports, ``lost`` the share of
    lost answers. ``silent`` are shares of closed ports that do not answer, one of which is drawn per scan. ``source`` is how
    source ports are chosen.
    """

    probe: Probing = "connect"
    interval: tuple[float, float] = (0.002, 0.1)
    open: tuple[float, float] = (0.0, 0.1)
    lost: tuple[float, float] = (0.0, 0.05)
    silent: Sequence[float] = (0.0, 0.0, 0.5, 1.0)
    source: Literal["sequential", "random", "fixed"] = "sequential"
    source_port: int = 0
    egress: bool = False
    protocol: int = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanClass:
    """A class of scans: its name in the table, its group, how many there are, how to play one, and why it may be missed."""

    name: str
    group: Group
    weight: float
    play: Callable[[Stage], None]
    reason: str = ""


def ports_of(random: Random, count: int, low_share: float = 0.4) -> list[int]:
    """Choose ports as the lists of tools contain them, many below 1024, in random order."""
    low = min(1_023, int(count * low_share))
    ports = random.sample(range(1, 1_024), low) + random.sample(range(1_024, 65_536), count - low)
    random.shuffle(ports)
    return ports


def _probe_all(stage: Stage, endpoints: Iterable[tuple[str, int]], manner: Manner) -> None:
    """Probe endpoints one after another."""
    chance = stage.random
    interval = exp(chance.uniform(*map(log, manner.interval)))
    opened, lost = chance.uniform(*manner.open), chance.uniform(*manner.lost)
    silent = chance.choice(manner.silent)
    fixed = manner.source_port or chance.randint(_LOWEST_EPHEMERAL, 65_000)
    stage.notes |= {"interval": interval, "open": opened, "lost": lost, "silent": silent}
    at = stage.hour(_SCAN_DAY, 0, 12)
    for host, port in endpoints:
        local = {"fixed": fixed, "random": chance.randint(1_025, 65_535), "sequential": 0}[manner.source]
        outcome = _outcome(chance, manner, opened, silent)
        missing = outcome not in {"filtered", "rejected_egress"} and chance.random() < lost
        sent = 0 if manner.probe == "bare" else int(missing or outcome == "filtered")
        if manner.protocol == 17:  # noqa: PLR2004 - UDP
            stage.probe(at, host, port, outcome, local=local, protocol=17, packets=(1, 1), octets=(40, 60), seconds=0.1)
        else:
            stage.probe(at, host, port, outcome, local=local, probe=manner.probe, retries=sent, lost=missing)
        at += interval * chance.uniform(0.7, 1.3)


def _outcome(chance: Random, manner: Manner, opened: float, silent: float) -> Outcome:
    if manner.egress:
        return "rejected_egress"
    if chance.random() < opened:
        if manner.protocol == 17:  # noqa: PLR2004 - likewise
            return "established"
        return "touched" if manner.probe == "connect" else "half_open"
    return "filtered" if chance.random() < silent else "refused"


def _host(stage: Stage) -> str:
    draw = stage.random.random()
    if draw < 0.5:  # noqa: PLR2004 - half of the targets are internal
        return stage.some_inside(1)[0]
    return stage.some_outside(1)[0] if draw < 0.95 else f"2001:db8:b::{stage.random.randint(1, 9_999):x}"  # noqa: PLR2004 - some IPv6


def vertical(stage: Stage, *, ports: tuple[int, int], manner: Manner, low_share: float = 0.4) -> None:
    """Try a random number of ports of one host."""
    count = round(exp(stage.random.uniform(log(ports[0]), log(ports[1]))))
    host = _host(stage)
    chosen = list(range(1, 65_536)) if count == 65_535 else ports_of(stage.random, count, low_share)  # noqa: PLR2004 - all
    stage.random.shuffle(chosen)
    _probe_all(stage, ((host, port) for port in chosen), manner)


def listed(stage: Stage, *, ports: tuple[int, int], manner: Manner) -> None:
    """Try some sensitive ports of one host."""
    host, count = _host(stage), stage.random.randint(*ports)
    _probe_all(stage, ((host, port) for port in stage.random.sample(SENSITIVE, count)), manner)


def horizontal(stage: Stage, *, hosts: tuple[int, int], manner: Manner, port: int = 0, outside: bool | None = None) -> None:
    """Try one port of many hosts."""
    count = round(exp(stage.random.uniform(log(hosts[0]), log(hosts[1]))))
    internet = stage.random.random() < 0.5 if outside is None else outside  # noqa: PLR2004 - half of them
    chosen = stage.some_outside(min(count, 762)) if internet else stage.some_inside(count)
    chosen_port = port or stage.random.choice((22, 23, 445, 2_375, 3_306, 3_389, 5_900, 6_379, 8_080, 8_443, 9_200))
    _probe_all(stage, ((host, chosen_port) for host in chosen), manner)


def block(stage: Stage, *, hosts: tuple[int, int], ports: tuple[int, int], manner: Manner) -> None:
    """Try some ports of each host of a subnet, host by host or port by port."""
    first = stage.random.randrange(400) * 250
    found = [stage.inside(first + number) for number in range(stage.random.randint(*hosts))]
    chosen = ports_of(stage.random, stage.random.randint(*ports), 0.6)
    endpoints = [(host, port) for host in found for port in chosen]
    if stage.random.random() < 0.5:  # noqa: PLR2004 - half of them
        endpoints.sort(key=lambda endpoint: endpoint[1])
    _probe_all(stage, endpoints, manner)


_CONNECT, _SYN = Manner(), Manner(probe="syn", source="fixed")
_MASSCAN = Manner(probe="bare", source="random", interval=(0.0005, 0.02), open=(0.0, 0.05), silent=(0.3, 0.7, 0.95, 1.0))


def _every(seconds: float, *, manner: Manner = _CONNECT, opened: tuple[float, float] = (0.05, 0.05)) -> Manner:
    return replace(manner, interval=(seconds, seconds), open=opened)


def _unnamed_port(stage: Stage) -> None:
    horizontal(stage, hosts=(254, 254), manner=_CONNECT, port=stage.random.choice((4_567, 12_345, 31_337, 40_123, 54_321)))


def _slow(seconds: float, name: str, probes: int, weight: float = 40) -> Iterable[ScanClass]:
    yield ScanClass(
        name=f"one port of a host every {name}, 5 % open",
        group="slow",
        weight=weight,
        play=partial(vertical, ports=(probes, probes), manner=_every(seconds)),
    )


_TOOLS = (
    ("nmap, connect scan, 1,000 ports", 220, partial(vertical, ports=(1_000, 1_000), manner=_CONNECT)),
    ("nmap, SYN scan, 1,000 ports", 220, partial(vertical, ports=(1_000, 1_000), manner=_SYN)),
    ("nmap -F, 100 ports", 120, partial(vertical, ports=(100, 100), manner=_SYN)),
    ("nmap -p-, 65,535 ports", 12, partial(vertical, ports=(65_535, 65_535), manner=replace(_SYN, interval=(0.001, 0.004)))),
    ("nmap -T4 and -T5, 1,000 ports", 80, partial(vertical, ports=(1_000, 1_000), manner=replace(_SYN, interval=(0.0005, 0.01)))),
    ("nmap -T2, a probe every 0.4 s", 60, partial(vertical, ports=(300, 300), manner=_every(0.4, manner=_SYN, opened=(0, 0.1)))),
    ("nmap -T1, a probe every 15 s", 60, partial(vertical, ports=(200, 200), manner=_every(15, manner=_SYN, opened=(0, 0.1)))),
    ("nmap -T0, a probe every 5 min", 60, partial(vertical, ports=(200, 200), manner=_every(300, manner=_SYN, opened=(0, 0.1)))),
    ("nmap, one port of a /24", 100, partial(horizontal, hosts=(254, 254), manner=replace(_CONNECT, open=(0.0, 0.2)))),
    ("nmap, 100 ports of 3 to 20 hosts", 60, partial(block, hosts=(3, 20), ports=(100, 100), manner=_SYN)),
    ("masscan, one port of 256 to 4,096 hosts", 120, partial(horizontal, hosts=(256, 4_096), manner=_MASSCAN)),
    (
        "masscan, port 80 or 443 of 256 to 762 internet hosts",
        40,
        lambda stage: horizontal(stage, hosts=(256, 762), manner=_MASSCAN, port=stage.random.choice((80, 443)), outside=True),
    ),
)
_OTHERS = (
    (
        "20 to 2,000 ports of a host, one every 10 ms to 15 s",
        100,
        partial(vertical, ports=(20, 2_000), manner=replace(_CONNECT, interval=(0.01, 15))),
    ),
    (
        "block: 3 to 30 hosts, 15 to 40 ports each",
        80,
        partial(block, hosts=(3, 30), ports=(15, 40), manner=replace(_CONNECT, interval=(0.01, 1))),
    ),
    (
        "8 to 19 sensitive ports of a host",
        100,
        partial(listed, ports=(8, 19), manner=replace(_CONNECT, interval=(0.01, 15))),
    ),
    (
        "150 to 1,000 ports of a host, 50 to 100 % open",
        80,
        partial(vertical, ports=(150, 1_000), manner=replace(_SYN, open=(0.5, 1.0))),
    ),
    (
        "50 to 1,000 ports, rejected by the scanner's own security group",
        60,
        partial(vertical, ports=(50, 1_000), manner=replace(_CONNECT, egress=True)),
    ),
    ("one port without a well-known service on 254 hosts", 60, _unnamed_port),
    (
        "one port of 40 to 200 hosts, one host every 1 to 10 s",
        80,
        partial(horizontal, hosts=(40, 200), manner=replace(_CONNECT, interval=(1, 10))),
    ),
    (
        "6 or 7 sensitive ports of a host",
        40,
        partial(listed, ports=(6, 7), manner=replace(_CONNECT, interval=(0.01, 15))),
    ),
    (
        "SYN scan from source port 53, 1,000 ports",
        40,
        partial(vertical, ports=(1_000, 1_000), manner=replace(_SYN, source_port=53)),
    ),
    (
        "UDP scan, 100 to 1,000 ports",
        40,
        partial(vertical, ports=(100, 1_000), manner=Manner(protocol=17, silent=(0.2, 0.9, 1.0))),
    ),
)
_HORIZONTAL_SLOW = (
    ("one port of 120 hosts, one host every 60 s", 40, partial(horizontal, hosts=(120, 120), manner=_every(60))),
    ("one port of 120 hosts, one host every 5 min", 40, partial(horizontal, hosts=(120, 120), manner=_every(300))),
    ("one port of 120 hosts, one host every 15 min", 40, partial(horizontal, hosts=(120, 120), manner=_every(900))),
)
_BLIND = (
    (
        "one port of a host every 30 min, 20 % open",
        40,
        partial(vertical, ports=(80, 80), manner=_every(1_800, opened=(0.2, 0.2))),
    ),
    ("one port of a host every 48 min, 5 % open", 40, partial(vertical, ports=(70, 70), manner=_every(2_880))),
    (
        "one port of a host every 48 min, 20 % open",
        40,
        partial(vertical, ports=(70, 70), manner=_every(2_880, opened=(0.2, 0.2))),
    ),
    ("3 to 5 ports of a host", 40, partial(vertical, ports=(3, 5), manner=_CONNECT)),
    ("6 to 14 ports of a host, of any kind", 40, partial(vertical, ports=(6, 14), manner=_CONNECT)),
    ("15 to 19 ports of a host, of any kind", 40, partial(vertical, ports=(15, 19), manner=_CONNECT)),
    ("one port of 10 to 24 hosts", 40, partial(horizontal, hosts=(10, 24), manner=_CONNECT)),
)


_REASONS = {
    "20 to 2,000 ports of a host, one every 10 ms to 15 s": (
        "in version 2, strong rules must name the opener of nine failures, and of about 20 ports too few are service ports"
    ),
    "6 or 7 sensitive ports of a host": ("three of six ports were open, and four failures are needed"),
    "one port of a host every 30 min, 20 % open": (
        "48 probes per day, of which about 38 fail: `vertical_slow` needs 30 failures and a share of 70 % at the same time"
    ),
    "one port of a host every 48 min, 5 % open": "30 probes per day, all of which would have to fail",
    "one port of a host every 48 min, 20 % open": "30 probes per day, of which 24 fail: `vertical_slow` needs 30",
    "3 to 5 ports of a host": "fewer ports than any rule counts",
    "6 to 14 ports of a host, of any kind": ("`vertical_fast` needs 20 ports; fewer are enough only if they are sensitive"),
    "15 to 19 ports of a host, of any kind": "`vertical_fast` needs 20 ports",
    "one port of 10 to 24 hosts": "`horizontal_fast` needs 25 hosts",
    "one port without a well-known service on 254 hosts": (
        "in version 2, only a refusal shows who opened a connection between two unknown ports, and these hosts stay silent"
    ),
    "one port of a host every 30 min, 5 % open": (
        "in version 2, strong rules name the opener for few ports above 1023, and too few of the 48 probes per day went to others"
    ),
}


def classes() -> list[ScanClass]:
    """Return all classes in the order of the table; their weights add up to more than 2,000."""
    found = [ScanClass(name=name, group="default tools", weight=weight, play=play) for name, weight, play in _TOOLS]
    for seconds, name, probes in (
        (60, "60 s", 200),
        (120, "2 min", 150),
        (300, "5 min", 120),
        (600, "10 min", 100),
        (1_800, "30 min", 80),
    ):
        found += _slow(seconds, name, probes)
    found += [ScanClass(name=name, group="slow", weight=weight, play=play) for name, weight, play in _HORIZONTAL_SLOW]
    found += [ScanClass(name=name, group="other scans", weight=weight, play=play) for name, weight, play in _OTHERS]
    found += [ScanClass(name=name, group="blind spots", weight=weight, play=play) for name, weight, play in _BLIND]
    return [replace(item, reason=_REASONS.get(item.name, "")) for item in found]
