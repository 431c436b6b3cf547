"""Generate ordinary traffic that looks like a scan: servers, clients with dead peers, monitoring, DNS and mail."""

from collections.abc import Callable
from dataclasses import dataclass

from msgspec.structs import replace

from bench.quality.stage import DAY, Outcome, Stage

_EPHEMERAL = (32_768, 60_999)
_HALF = 0.5


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of ordinary traffic: its name in the table, and the function that generates an actor's traffic on all days."""

    name: str
    play: Callable[[Stage], None]


def _clients(stage: Stage, day: int, ports: tuple[int, ...], count: int) -> None:
    """Let internet clients connect: most exchange data, some only connect, some try closed ports."""
    clients = stage.some_outside(min(count, 400))
    for _ in range(count):
        client, at = stage.random.choice(clients), stage.hour(day)
        draw = stage.random.random()
        if draw < 0.85:  # noqa: PLR2004 - a share
            packets = (stage.random.randint(5, 20), stage.random.randint(5, 60))
            octets = (packets[0] * 52 + 600, packets[1] * 52 + stage.random.randint(400, 50_000))
            seconds = stage.random.uniform(0.1, 400)
            stage.serve(at, client, stage.random.choice(ports), "established", packets=packets, octets=octets, seconds=seconds)
        elif draw < 0.95:  # noqa: PLR2004 - a share
            stage.serve(at, client, stage.random.choice(ports), "touched")
        else:
            stage.serve(at, client, stage.random.randint(1, 10_000), stage.random.choice(("refused", "rejected")))


def web_server(stage: Stage) -> None:
    """Serve 300 clients per day."""
    for day in range(stage.days):
        _clients(stage, day, (80, 443), 300)


def odd_server(stage: Stage) -> None:
    """Serve clients on an unknown port in the ephemeral range."""
    port = stage.random.randint(33_000, 60_000)
    for day in range(stage.days):
        _clients(stage, day, (port,), 200)


def closing_server(stage: Stage) -> None:
    """Serve sessions of an office behind one address on an odd port, and close all at once hours later; RSTs come back."""
    port, inside = stage.random.randint(33_000, 60_000), stage.random.random() < _HALF
    for day in range(stage.days):
        office, closed = (stage.some_inside(1) if inside else stage.some_outside(1))[0], stage.hour(day, 6, 22)
        for local in stage.random.sample(range(32_768, 60_999), stage.random.randint(25, 60)):
            opened = closed - stage.random.uniform(900, 4 * 3_600)
            stage.serve(opened, office, port, "established", local=local, packets=(40, 40), octets=(4_000, 30_000), seconds=120)
            before = len(stage.flows)
            stage.reach(closed + stage.random.uniform(0, 20), office, local, "refused", local=port)
            stage.flows[before:] = [  # the first of the two records is not a SYN but our FIN
                replace(flow, octets=52, tcp_flags=1) if flow.source == stage.address else flow for flow in stage.flows[before:]
            ]


def scanned_server(stage: Stage) -> None:
    """Be scanned twice per day by hosts that use one source port or many; closed ports answer with RST."""
    for day in range(stage.days):
        _clients(stage, day, (443,), 60)
        for _ in range(2):
            scanner, at = stage.random.choice((stage.some_outside(1)[0], stage.some_inside(1)[0])), stage.hour(day, 0, 23)
            local, fixed = stage.random.randint(1_025, 65_000), stage.random.random() < _HALF
            probe = stage.random.choice(("syn", "bare", "connect"))
            for port in stage.random.sample(range(1, 65_536), 300):
                outcome: Outcome = "rejected" if stage.random.random() < _HALF else "refused"
                local_port = local if fixed else 0
                stage.serve(at, scanner, port, outcome, local=local_port, probe=probe)
                at += stage.random.uniform(0.001, 0.5)


def crawler(stage: Stage) -> None:
    """Fetch pages from 300 hosts per day, of which 5 to 30 % are dead."""
    dead = stage.random.uniform(0.05, 0.3)
    for day in range(stage.days):
        start = stage.hour(day, 0, 20)
        for host in stage.some_outside(300):
            start += stage.random.uniform(0.1, 20)
            stage.talk(start, host, stage.random.choice((80, 443, 443)), fails=dead)


def proxy(stage: Stage) -> None:
    """Forward requests to internet hosts, of which 3 to 15 % fail, on web ports and alternative ones."""
    dead = stage.random.uniform(0.03, 0.15)
    for day in range(stage.days):
        people = stage.some_inside(30)
        for host in stage.random.choices(stage.some_outside(250), k=250):
            at = stage.hour(day, 7, 19)
            octets = (3_000, 30_000)
            stage.serve(at, stage.random.choice(people), 3_128, "established", packets=(12, 30), octets=octets, seconds=3)
            stage.talk(at + 0.1, host, stage.random.choice((443, 443, 80, 8_080, 8_443)), fails=dead)


def mail_server(stage: Stage) -> None:
    """Deliver mail to servers of which 10 to 40 % do not answer, and receive mail."""
    dead = stage.random.uniform(0.1, 0.4)
    for day in range(stage.days):
        _clients(stage, day, (25, 587, 993), 60)
        for host in stage.some_outside(150):
            at = stage.hour(day)
            stage.datagram(at - 1 if at > 1 else at, "10.0.0.2", 53, answered=True)
            if not stage.talk(at, host, 25, fails=dead, refused=0.3):
                stage.talk(at + 900, host, 25, fails=0.9, refused=0.3)


def resolver(stage: Stage) -> None:
    """Query name servers on the internet, 5 to 25 % of which do not answer."""
    lame = stage.random.uniform(0.05, 0.25)
    for day in range(stage.days):
        for host in stage.random.choices(stage.some_outside(300), k=400):
            at, answered = stage.hour(day), stage.random.random() >= lame
            local = stage.random.randint(1_025, 65_535)
            stage.datagram(at, host, 53, answered=answered, local=local)
            if answered and stage.random.random() < 0.1:  # noqa: PLR2004 - a share
                stage.talk(at + 1, host, 53, fails=0.2)


def name_timeouts(stage: Stage) -> None:
    """Query three of our own resolvers, which are down for two hours each day."""
    resolvers = stage.some_inside(3)
    for day in range(stage.days):
        down = stage.random.uniform(0, 22)
        for _ in range(250):
            at = stage.hour(day)
            up = not down <= at / 3_600 % 24 < down + 2
            for host in resolvers if not up else resolvers[:1]:
                stage.datagram(at, host, 53, answered=up, local=stage.random.randint(1_025, 65_535), packets=1 if up else 3)


def clock_client(stage: Stage) -> None:
    """Query the time servers of a pool, of which 10 to 30 % do not answer."""
    lost = stage.random.uniform(0.1, 0.3)
    for day in range(stage.days):
        for host in stage.random.choices(stage.some_outside(60), k=120):
            stage.datagram(stage.hour(day), host, 123, answered=stage.random.random() >= lost, local=123)


def _periodic(stage: Stage, endpoints: list[tuple[str, int]], dead: set[tuple[str, int]], times: int) -> None:
    for day in range(stage.days):
        for number in range(times):
            at = (day + number / times) * DAY + stage.random.uniform(0, 10)
            for host, port in endpoints:
                at += stage.random.uniform(0.01, 0.3)
                stage.talk(at, host, port, fails=1.0 if (host, port) in dead else 0.005)


def prometheus(stage: Stage) -> None:
    """Scrape two exporters each of 25 machines, of which 5 to 25 % are gone."""
    hosts = stage.some_inside(25)
    endpoints = [(host, port) for host in hosts for port in stage.random.sample((9_100, 9_090, 9_256, 8_080, 9_187, 9_121), 2)]
    gone = set(stage.random.sample(hosts, round(stage.random.uniform(0.05, 0.25) * len(hosts))))
    _periodic(stage, endpoints, {endpoint for endpoint in endpoints if endpoint[0] in gone}, 8)


def exporters_of_a_host(stage: Stage) -> None:
    """Scrape 15 ports of each of four hosts; on one of them, most are closed."""
    hosts = stage.some_inside(4)
    endpoints = [(host, port) for host in hosts for port in range(9_090, 9_105)]
    closed = {endpoint for endpoint in endpoints if endpoint[0] == hosts[0] and stage.random.random() < 0.8}  # noqa: PLR2004
    _periodic(stage, endpoints, closed, 6)


def watchdog(stage: Stage) -> None:
    """Check three services each of 20 hosts, of which a tenth to a third are permanently down."""
    endpoints = [(host, port) for host in stage.some_inside(20) for port in (22, 80, 443)]
    dead = set(stage.random.sample(endpoints, round(stage.random.uniform(0.1, 0.33) * len(endpoints))))
    _periodic(stage, endpoints, dead, 8)


def dead_monitoring(stage: Stage) -> None:
    """Check the monitoring agents of 18 hosts, none of which is running."""
    endpoints = [(host, 10_050) for host in stage.some_inside(18)]
    _periodic(stage, endpoints, set(endpoints), 12)


def health_checked(stage: Stage) -> None:
    """Receive health checks from a load balancer's nodes, and from another node to ports that refuse, all day."""
    nodes = stage.some_inside(3)
    for day in range(stage.days):
        for number in range(150):
            at = (day + number / 150) * DAY
            for node in nodes[:2]:
                stage.serve(at, node, 8_080, "touched", graceful=True)
            if number % 3 == 0:
                stage.serve(at + 1, nodes[2], stage.random.randint(8_000, 8_100), "refused")


def time_of_backup(stage: Stage) -> None:
    """Back up 40 desktops each night, of which a tenth to a third are switched off."""
    desktops, off = stage.some_inside(40), stage.random.uniform(0.1, 0.35)
    for day in range(stage.days):
        at = stage.hour(day, 0, 3)
        for host in desktops:
            at += stage.random.uniform(5, 120)
            stage.talk(at, host, 445, fails=off, refused=0.1)


def desktop(stage: Stage) -> None:
    """Browse many hosts, with IPv6 attempted in parallel and some trackers blocked."""
    for day in range(stage.days):
        for _ in range(150):
            host, at = stage.some_outside(1)[0], stage.hour(day, 8, 18)
            if stage.random.random() < 0.2:  # noqa: PLR2004 - a share
                stage.reach(at, f"2001:db8:c::{stage.random.randint(1, 400):x}", 443, "filtered")
            stage.talk(at + 0.2, host, 443, fails=0.05)
            if stage.random.random() < 0.4:  # noqa: PLR2004 - a share
                stage.datagram(at + 0.3, host, 443, answered=stage.random.random() < 0.8, packets=3)  # noqa: PLR2004


KINDS = (
    Kind("web server, 300 clients", web_server),
    Kind("server on an odd high port", odd_server),
    Kind("server that closes sessions of one office", closing_server),
    Kind("server that is scanned", scanned_server),
    Kind("crawler, 5 to 30 % of the hosts dead", crawler),
    Kind("forward proxy", proxy),
    Kind("mail server, 10 to 40 % of the hosts dead", mail_server),
    Kind("recursive resolver", resolver),
    Kind("client whose resolvers time out", name_timeouts),
    Kind("NTP client of a server pool", clock_client),
    Kind("Prometheus, 5 to 25 % of the targets gone", prometheus),
    Kind("15 exporters per host, most closed on one host", exporters_of_a_host),
    Kind("service monitoring, up to a third down", watchdog),
    Kind("monitoring of agents that are all dead", dead_monitoring),
    Kind("target of health checks", health_checked),
    Kind("nightly backup of desktops, up to a third off", time_of_backup),
    Kind("desktop with QUIC, IPv4 and IPv6", desktop),
)
