"""Generate ordinary traffic that looks like a scan because applications choose ports, lose peers, or records are lost."""

from datetime import timedelta
from itertools import product

from msgspec.structs import replace

from bench.quality.ordinary import Kind
from bench.quality.stage import DAY, Stage
from vedette.simulate import Flow

_HALF = 0.5
_FLEET_IS_OUT = (3, 2)  # the day and its quarter


def passive_ftp(stage: Stage) -> None:
    """Mirror a server: a control connection, and 60 ports announced over it, a tenth of which are blocked."""
    server = stage.some_outside(1)[0]
    for day in range(stage.days):
        at = stage.hour(day, 0, 20)
        stage.reach(at, server, 21, "established", packets=(80, 80), octets=(6_000, 9_000), seconds=1_200)
        for port in stage.random.sample(range(49_152, 65_536), 60):
            at += stage.random.uniform(1, 20)
            stage.talk(at, server, port, fails=0.1)


def directory_client(stage: Stage) -> None:
    """Log on at two domain controllers, one of which has some services closed; connect to RPC ports afterwards."""
    controllers = stage.some_inside(2)
    for day in range(stage.days):
        for _ in range(8):
            at = stage.hour(day, 7, 19)
            for controller in controllers:
                for port in (88, 389, 445, 135, 3_268, 464):
                    at += stage.random.uniform(0.05, 1)
                    closed = controller == controllers[1] and port in {3_268, 464}
                    stage.talk(at, controller, port, fails=0.9 if closed else 0.01)
                for port in stage.random.sample(range(49_664, 49_720), 4):
                    stage.talk(at + 1, controller, port, fails=0.1)


def remote_calls(stage: Stage) -> None:
    """Query a port mapper, then mount and lock at the ports that it returns, of which up to a fifth are stale."""
    server, stale = stage.some_inside(1)[0], stage.random.uniform(0, 0.2)
    for day in range(stage.days):
        for _ in range(20):
            at = stage.hour(day)
            stage.talk(at, server, 111)
            stage.talk(at + 0.1, server, 2_049)
            for port in stage.random.sample(range(32_768, 61_000), 3):
                stage.talk(at + 0.3, server, port, fails=stale)


def _jobs(stage: Stage, *, fails: float, outage_day: int | None = None) -> None:
    """Run jobs on six executors, which use new ports for each job."""
    executors = stage.some_inside(6)
    for day in range(stage.days):
        for _ in range(3):
            at = stage.hour(day)
            for executor in executors:
                stage.talk(at, executor, 7_077)
                for port in stage.random.sample(range(33_000, 60_000), 10):
                    at += stage.random.uniform(0.1, 20)
                    down = day == outage_day and executor == executors[0]
                    stage.talk(at, executor, port, fails=1.0 if down else fails, refused=0.8)


def spark(stage: Stage) -> None:
    """Run Spark jobs, up to 15 % of whose connections fail."""
    _jobs(stage, fails=stage.random.uniform(0, 0.15))


def spark_outage(stage: Stage) -> None:
    """Run Spark jobs, and lose one executor for a day after days of normal work."""
    _jobs(stage, fails=0.02, outage_day=3)


def broken_ports(stage: Stage) -> None:
    """Connect to a peer on 20 to 50 new dynamic ports per day, 10 to 30 % of which are stale."""
    peer, fails = stage.some_inside(1)[0], stage.random.uniform(0.1, 0.3)
    for day in range(stage.days):
        at = stage.hour(day, 0, 20)
        for port in stage.random.sample(range(33_000, 60_000), stage.random.randint(20, 50)):
            at += stage.random.uniform(0.5, 15)
            stage.talk(at, peer, port, fails=fails, refused=0.9)


def bittorrent(stage: Stage) -> None:
    """Contact 250 peers by UDP and 60 by TCP, at ports that the peers chose; about half of them are gone."""
    for day in range(stage.days):
        own, at = stage.random.randint(6_881, 6_999), stage.hour(day, 0, 18)
        for host in stage.some_outside(250):
            at += stage.random.uniform(0.05, 30)
            stage.datagram(
                at, host, stage.random.randint(1_025, 65_535), answered=stage.random.random() < _HALF, local=own, packets=2
            )
        for host in stage.some_outside(60):
            at += stage.random.uniform(0.5, 30)
            stage.talk(
                at, host, stage.random.choice((6_881, 51_413, stage.random.randint(1_025, 65_535))), fails=0.6, refused=0.3
            )


def quic(stage: Stage) -> None:
    """Try QUIC first, which is blocked for a fifth of the hosts, then TCP."""
    for day in range(stage.days):
        for host in stage.random.choices(stage.some_outside(200), k=200):
            at, passes = stage.hour(day), stage.random.random() < 0.8  # noqa: PLR2004 - a share
            stage.datagram(at, host, 443, answered=passes, packets=8)
            if not passes:
                stage.talk(at + 0.3, host, 443, fails=0.02)


def calls(stage: Stage) -> None:
    """Make video calls: connectivity checks on many UDP ports, most of which never answer."""
    for day in range(stage.days):
        for _ in range(4):
            at, peers = stage.hour(day, 8, 18), stage.some_outside(3)
            for peer in peers:
                stage.talk(at, peer, 3_478)
                for port in stage.random.sample(range(16_384, 65_536), 25):
                    stage.datagram(at + stage.random.uniform(0, 30), peer, port, answered=stage.random.random() < 0.2, packets=4)  # noqa: PLR2004


def dead_database(stage: Stage) -> None:
    """Try to reach a database that is down, 400 times per day."""
    database = stage.some_inside(1)[0]
    for day in range(stage.days):
        for _ in range(400):
            stage.talk(stage.hour(day), database, 5_432, fails=1.0)


def outage(stage: Stage) -> None:
    """Use services of 30 hosts, of eight kinds; on the fourth day all are down for two hours."""
    endpoints = [
        (host, stage.random.choice((443, 5_432, 6_379, 8_080, 9_092, 9_200, 11_211, 50_051))) for host in stage.some_inside(30)
    ]
    for day in range(stage.days):
        for host, port in endpoints:
            for _ in range(5):
                at = stage.hour(day)
                down = day == 3 and 36_000 <= at % DAY < 43_200  # noqa: PLR2004 - from ten to noon
                stage.talk(at, host, port, fails=1.0 if down else 0.01)


def fleet_outage(stage: Stage) -> None:
    """Use one port of 40 nodes, all of which are down for an hour on the fourth day."""
    nodes = stage.some_inside(40)
    for day in range(stage.days):
        for number, host in product(range(4), nodes):
            at = (day + number / 4) * DAY + stage.random.uniform(0, 3_600)
            stage.talk(at, host, 9_042, fails=float((day, number) == _FLEET_IS_OUT))


def new_targets(stage: Stage) -> None:
    """Connect to machines that come and go; most of them answer only some minutes after the first attempt."""
    for day in range(stage.days):
        for hour in range(24):
            for host in stage.some_inside(stage.random.randint(1, 4)):
                at = day * DAY + hour * 3_600 + stage.random.uniform(0, 1_200)
                if stage.random.random() < 0.6:  # noqa: PLR2004 - a share
                    stage.reach(at, host, 8_080, stage.random.choice(("refused", "filtered")))
                for number in range(1, 4):
                    stage.talk(at + number * 240, host, 8_080, fails=0.02)


def nat_instance(stage: Stage) -> None:
    """Forward the internet traffic of 20 machines: each conversation is logged on both sides, and a tenth fails."""
    machines = stage.some_inside(20)
    for day in range(stage.days):
        for _ in range(150):
            host, at = stage.some_outside(1)[0], stage.hour(day)
            port = stage.random.choice((443, 443, 80, 22, 25, 8_080, stage.random.randint(1_025, 65_535)))
            before = len(stage.flows)
            stage.talk(at + 0.001, host, port, fails=0.1)
            machine = stage.random.choice(machines)
            for flow in stage.flows[before:]:  # the same packets between the machine and the gateway
                if flow.direction == "egress":
                    stage.flows.append(replace(flow, source=machine, direction="ingress"))
                else:
                    stage.flows.append(replace(flow, destination=machine, direction="egress"))


def half_logged(stage: Stage) -> None:
    """Use several ports of 60 hosts; of a third of the conversations, only one direction is logged."""
    hosts = stage.some_inside(60)
    for day in range(stage.days):
        for _ in range(150):
            before = len(stage.flows)
            stage.talk(stage.hour(day), stage.random.choice(hosts), stage.random.choice((443, 5_432, 8_080, 9_200)))
            if stage.random.random() < 0.33:  # noqa: PLR2004 - a share
                kept = stage.random.choice((stage.address, ""))
                stage.flows[before:] = [flow for flow in stage.flows[before:] if (flow.source == stage.address) == bool(kept)]


def lost_records(stage: Stage) -> None:
    """Reach 150 hosts within minutes while most answers are missing from the log, as SKIPDATA records state."""
    for day in range(stage.days):
        start = at = stage.hour(day, 0, 22)
        for host in stage.some_inside(150):
            at += stage.random.uniform(0.1, 6)
            before = len(stage.flows)
            stage.reach(at, host, 8_443, "touched" if stage.random.random() < _HALF else "established")
            if stage.random.random() < 0.8:  # noqa: PLR2004 - a share
                stage.flows[before:] = [flow for flow in stage.flows[before:] if flow.source == stage.address]
        for number in range(int(at - start) // 60 + 2):
            moment = stage.midnight + timedelta(seconds=int(start) // 60 * 60 + number * 60)
            own = stage.interface()
            skipped = Flow(
                start=moment,
                status="SKIPDATA",
                interface=own.interface_id,
                instance=own.instance,
                subnet=own.subnet,
                vpc=own.vpc,
            )
            stage.flows.append(skipped)


def pod_host(stage: Stage) -> None:
    """Check the readiness of pods at various ports; about a seventh of them are starting or gone."""
    for day in range(stage.days):
        pods = stage.some_inside(60)
        for pod in pods:
            for port in stage.random.sample((8_080, 8_443, 9_090, 10_250, 15_020, 3_000, 5_000), 2):
                at = stage.hour(day)
                for number in range(2):
                    stage.talk(at + number * 30, pod, port, fails=0.15)


def gossip(stage: Stage) -> None:
    """Gossip with 80 members of a cluster by UDP and TCP, a tenth of which have left."""
    members = stage.some_inside(80)
    left = set(members[:8])
    for day in range(stage.days):
        for _ in range(200):
            host, at = stage.random.choice(members), stage.hour(day)
            stage.datagram(at, host, 8_301, answered=host not in left, local=8_301)
            if stage.random.random() < 0.2:  # noqa: PLR2004 - a share
                stage.talk(at + 1, host, 8_301, fails=float(host in left))


def traceroute(stage: Stage) -> None:
    """Trace the route to ten hosts per day by UDP, with 30 hops of three datagrams each."""
    for day in range(stage.days):
        for host in stage.some_outside(10):
            at, local = stage.hour(day), stage.local_port()
            for number in range(90):
                stage.datagram(at + number * 0.1, host, 33_434 + number, answered=False, local=local)


def builder(stage: Stage) -> None:
    """Build software: clone, fetch packages from many hosts, and start services on dynamic ports in the VPC."""
    for day in range(stage.days):
        for _ in range(25):
            at = stage.hour(day)
            for host in stage.some_outside(4):
                stage.talk(at, host, stage.random.choice((22, 443, 443, 9_418)), fails=0.05)
            service = stage.some_inside(1)[0]
            for number in range(6):  # retries until the service is up
                stage.reach(at + 10 + number, service, 33_000 + number % 2, "refused")
            stage.talk(at + 20, service, 33_000)


KINDS = (
    Kind("passive FTP, 60 ports per day", passive_ftp),
    Kind("directory client, some services closed", directory_client),
    Kind("port mapper and NFS, up to 20 % stale", remote_calls),
    Kind("Spark jobs, up to 15 % fail", spark),
    Kind("Spark jobs, an executor is lost", spark_outage),
    Kind("dynamic ports of a peer, 10 to 30 % stale", broken_ports),
    Kind("BitTorrent, half of the peers gone", bittorrent),
    Kind("QUIC, blocked for a fifth of the hosts", quic),
    Kind("video calls, most UDP ports silent", calls),
    Kind("dead database, 400 retries per day", dead_database),
    Kind("outage of eight services of 30 hosts", outage),
    Kind("outage of a fleet of 40 nodes", fleet_outage),
    Kind("autoscaling targets that are starting", new_targets),
    Kind("NAT instance", nat_instance),
    Kind("conversations logged in one direction only", half_logged),
    Kind("lost records (SKIPDATA)", lost_records),
    Kind("Kubernetes node, a seventh of the pods gone", pod_host),
    Kind("cluster gossip with members that have left", gossip),
    Kind("traceroute", traceroute),
    Kind("build agent", builder),
)
