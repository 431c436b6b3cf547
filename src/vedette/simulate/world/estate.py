"""Describe the simulated VPC: its machines, their addresses and roles. Interface and instance IDs derive from addresses."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from types import MappingProxyType
from typing import Literal

from vedette.simulate.world.connections import Interface

VPC_ID = "vpc-0a1b2c3d4e5f60718"
VPC_NETWORK, VPC_NETWORK_V6 = "10.20.0.0/16", "2001:db8:20::/56"
GATEWAY_ADDRESS = "10.20.1.5"  # of the NAT gateway, through which machines in private subnets reach the internet
SCANNER_TAG = ("purpose", "vulnerability-scanner")  # marks instances that are authorised to scan

Role = Literal["instance", "node", "nat_gateway", "load_balancer_alb", "load_balancer_nlb", "lambda"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Subnet:
    """A subnet; ``public`` ones have a route to the internet gateway, others to the NAT gateway."""

    name: str
    network: str
    network_v6: str
    public: bool = False

    @property
    def subnet_id(self) -> str:
        """The subnet ID, derived from the name."""
        return resource_id("subnet", self.name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """A resource with a network interface: an instance, a load balancer, a NAT gateway or a function.

    ``opens`` are the TCP ports that its security group opens to the internet. If ``sealed``, the group admits nothing, not even
    from inside the VPC. ``pods`` are secondary addresses on a second interface, whose primary address is ``pods_at``.
    """

    address: str
    name: str
    role: Role = "instance"
    public: str = ""
    ipv6: str = ""
    opens: tuple[int, ...] = ()
    sealed: bool = False
    pods_at: str = ""
    pods: tuple[str, ...] = ()
    tags: tuple[tuple[str, str], ...] = ()

    @property
    def instance_id(self) -> str:
        """The instance ID, or "" if the machine is not an instance."""
        if self.role not in {"instance", "node"}:
            return ""
        return _WEB_SERVER[1] if self.address == _WEB_SERVER[0] else resource_id("i", self.address)

    @property
    def subnet(self) -> Subnet:
        """The subnet that contains the address."""
        return SUBNETS[self.address.split(".")[2]]

    def interface(self, address: str) -> Interface:
        """Return the interface with this primary address."""
        return Interface(
            interface_id=interface_id(address),
            address=address,
            instance=self.instance_id,
            subnet=self.subnet.subnet_id,
            vpc=VPC_ID,
        )


def resource_id(prefix: str, name: str) -> str:
    """Return an ID in AWS's form: the prefix and 17 hexadecimal digits derived from the name."""
    return f"{prefix}-0{hashlib.sha256(f'{prefix}/{name}'.encode()).hexdigest()[:16]}"


def interface_id(address: str) -> str:
    """Return the ID of the interface with this primary address."""
    return _WEB_SERVER[2] if address == _WEB_SERVER[0] else resource_id("eni", address)


# The IDs of the web server are fixed, because CloudTrail scenarios contain them too.
_WEB_SERVER = ("10.20.1.15", "i-0a1b2c3d4e5f60718", "eni-0f1e2d3c4b5a69788")

SUBNETS: Mapping[str, Subnet] = MappingProxyType(
    {
        "1": Subnet(name="public", network="10.20.1.0/24", network_v6="2001:db8:20:1::/64", public=True),
        "2": Subnet(name="private", network="10.20.2.0/24", network_v6="2001:db8:20:2::/64"),
        "3": Subnet(name="data", network="10.20.3.0/24", network_v6="2001:db8:20:3::/64"),
        "8": Subnet(name="cluster", network="10.20.8.0/24", network_v6="2001:db8:20:8::/64"),
        "200": Subnet(name="unused", network="10.20.200.0/24", network_v6="2001:db8:20:c8::/64"),
    }
)
_CLUSTER = (("kubernetes.io/cluster/shop", "owned"), ("eks:cluster-name", "shop"))


def _instances(third: int, named: Mapping[int, str]) -> tuple[Machine, ...]:
    return tuple(Machine(address=f"10.20.{third}.{last}", name=name) for last, name in named.items())


_PUBLIC = (
    Machine(address="10.20.1.5", name="gateway", role="nat_gateway", public="203.0.113.5"),
    Machine(address="10.20.1.6", name="front-a", role="load_balancer_alb", public="203.0.113.6", opens=(80, 443)),
    Machine(address="10.20.1.7", name="front-b", role="load_balancer_alb", public="203.0.113.7", opens=(80, 443)),
    Machine(address="10.20.1.8", name="ingest", role="load_balancer_nlb", public="203.0.113.8", opens=(8443,)),
    Machine(address="10.20.1.15", name="web-server", public="203.0.113.15", opens=(443,)),
    Machine(address="10.20.1.20", name="bastion", public="203.0.113.20", opens=(22,)),
    Machine(address="10.20.1.21", name="search", public="203.0.113.21", opens=(443, 9200)),
    Machine(address="10.20.1.22", name="bastion-six", public="203.0.113.22", ipv6="2001:db8:20:1::22", opens=(22,)),
    Machine(address="10.20.1.23", name="staging", public="203.0.113.23", opens=(22, 8081)),
    Machine(address="10.20.1.24", name="closed", public="203.0.113.24"),
    Machine(address="10.20.1.25", name="partner-files", public="203.0.113.25", opens=(22,)),
    Machine(address="10.20.1.26", name="website", public="203.0.113.26", opens=(22, 443)),
    Machine(address="10.20.1.27", name="crawler", public="203.0.113.27"),
    Machine(address="10.20.1.30", name="shop", public="203.0.113.30", ipv6="2001:db8:20:1::30", opens=(443,)),
)
_PRIVATE = (
    *_instances(
        2, {10: "build-agent", 11: "report-worker", 12: "thumbnails", 13: "old-wiki", 14: "mail-relay", 16: "test-runner"}
    ),
    *_instances(2, {17: "import-worker", 18: "intranet", 30: "package-mirror", 31: "network-probe", 32: "orders"}),
    *_instances(2, {33: "windows-desk", 34: "seed-box", 35: "spark-driver", 36: "watchdog", 38: "batch", 45: "orders-tasks"}),
    *_instances(2, {60 + number: f"fleet-{number}" for number in range(8)}),
    Machine(address="10.20.2.37", name="scan-engine", tags=(SCANNER_TAG,)),
    Machine(address="10.20.2.46", name="ingest-worker", opens=(8443,)),
    Machine(address="10.20.2.90", name="resize", role="lambda", opens=(22,)),
)
_DATA = (
    *_instances(3, {5: "database", 6: "object-gateway", 7: "log-collector", 11: "directory", 21: "decoy", 40: "file-server"}),
    *_instances(3, {41: "legacy-erp", 42: "spark-executor", 43: "patch-target"}),
    *_instances(3, {30 + number: f"shard-{number}" for number in range(4)}),
    *_instances(3, {60 + number: f"cache-{number}" for number in range(8)}),
    Machine(address="10.20.3.20", name="vault", sealed=True),
)
_NODES = tuple(
    Machine(
        address=f"10.20.8.{10 + number}",
        name=f"node-{number}",
        role="node",
        pods_at=f"10.20.8.{20 + number}",
        pods=tuple(f"10.20.8.{100 + 15 * number + pod}" for pod in range(15)),
        tags=_CLUSTER,
    )
    for number in range(3)
)
MACHINES: tuple[Machine, ...] = _PUBLIC + _PRIVATE + _DATA + _NODES


@cache
def interfaces() -> Mapping[str, Interface]:
    """Return the interface of each address of our VPC, both private IPv4 and IPv6."""
    found: dict[str, Interface] = {}
    for machine in MACHINES:
        own = machine.interface(machine.address)
        found[machine.address] = own
        if machine.ipv6:
            found[machine.ipv6] = own
        if machine.pods_at:
            for address in (machine.pods_at, *machine.pods):
                found[address] = machine.interface(machine.pods_at)
    return MappingProxyType(found)


@cache
def behind_gateway() -> frozenset[str]:
    """Return the addresses that reach the internet through the NAT gateway."""
    return frozenset(machine.address for machine in MACHINES if not machine.subnet.public)
