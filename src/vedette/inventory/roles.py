"""Determine the role of an interface (methods 1.4): only instances act and are probed, all others forward or serve traffic."""

from collections.abc import Mapping

from vedette.inventory.saved import NetworkInterface

INSTANCE = "instance"
NODE = "instance_k8s_node"
UNKNOWN = "unknown"

# Values of EC2's InterfaceType that determine the role; "interface", "efa" and the like do not.
_TYPES: Mapping[str, str] = {
    "natGateway": "nat_gateway",
    "nat_gateway": "nat_gateway",
    "load_balancer": "load_balancer_alb",
    "network_load_balancer": "load_balancer_nlb",
    "gateway_load_balancer": "load_balancer_gwlb",
    "gateway_load_balancer_endpoint": "vpc_endpoint",
    "vpc_endpoint": "vpc_endpoint",
    "lambda": "lambda",
    "transit_gateway": "transit_gateway",
    "branch": NODE,
}

# Beginnings of descriptions that AWS services write; longer ones come before their own prefixes.
_PREFIXES: tuple[tuple[str, str], ...] = (
    ("ELB app/", "load_balancer_alb"),
    ("ELB net/", "load_balancer_nlb"),
    ("ELB gwy/", "load_balancer_gwlb"),
    ("ELB ", "load_balancer_clb"),
    ("Interface for NAT Gateway", "nat_gateway"),
    ("VPC Endpoint Interface", "vpc_endpoint"),
    ("AWS Lambda VPC ENI", "lambda"),
    ("RDSNetworkInterface", "rds"),
    ("ElastiCache", "elasticache"),
    ("EFS mount target for", "efs"),
    ("Amazon EKS ", "eks_control_plane"),
    ("Network Interface for Transit Gateway Attachment", "transit_gateway"),
    ("ES ", "opensearch"),
    ("RedshiftNetworkInterface", "redshift"),
    ("DMSNetworkInterface", "dms"),
    ("Route 53 Resolver", "resolver_endpoint"),
    ("AWS created network interface for directory", "directory"),
    ("arn:aws:ecs:", "fargate"),
    ("arn:aws-cn:ecs:", "fargate"),
    ("arn:aws-us-gov:ecs:", "fargate"),
)
_NODE_PREFIX = "aws-K8S-i-"
_NODE_TAGS = ("kubernetes.io/cluster/", "eks:cluster-name", "aws:eks:cluster-name")


def role_of(interface: NetworkInterface, instance_id: str | None) -> str:
    """Return the role of an interface, which is attached to the instance ``instance_id`` or to none.

    Whoever may change an interface can write any description, so the description of one that is attached to an instance and not
    managed by a service is not trusted: it cannot hide the instance.
    """
    description = interface.description or ""
    if known := _TYPES.get(interface.interface_type or ""):
        return known
    if description.startswith(_NODE_PREFIX):
        return NODE
    if instance_id and not interface.requester_managed:
        return INSTANCE
    for prefix, role in _PREFIXES:
        if description.startswith(prefix):
            return role
    return INSTANCE if instance_id else UNKNOWN


def is_node(tags: Mapping[str, str]) -> bool:
    """Tell whether an instance is, by its tags, a Kubernetes node."""
    return any(name.startswith(_NODE_TAGS) for name in tags)
