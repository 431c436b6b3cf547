"""Every rule of what reaches an interface, each with a near miss."""

import shlex
import tempfile
from collections.abc import Callable
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from inventories import ENI, OPEN_ACL, REMOTE, acl, answers, entry, group, interface, permission, route, save, table

from vedette.inventory import Inventory, Reachability

ANYONE = permission(cidr="0.0.0.0/0")


@pytest.fixture
def asked(tmp_path: Path) -> Callable[..., Reachability]:
    """Ask about traffic to the instance of ``inventories.answers``, some answers of which are replaced or (None) missing."""
    number = count()

    def ask(remote: str = REMOTE, protocol: int = 6, port: int = 9200, **replaced: object) -> Reachability:
        return reach(tmp_path / str(next(number)), remote, protocol, port, **replaced)

    return ask


MEMBERS = {
    "interfaces": ("describe-network-interfaces", "NetworkInterfaces"),
    "groups": ("describe-security-groups", "SecurityGroups"),
    "rules": ("describe-security-group-rules", "SecurityGroupRules"),
    "acls": ("describe-network-acls", "NetworkAcls"),
    "tables": ("describe-route-tables", "RouteTables"),
    "vpcs": ("describe-vpcs", "Vpcs"),
    "options": ("describe-vpc-block-public-access-options", "VpcBlockPublicAccessOptions"),
    "exclusions": ("describe-vpc-block-public-access-exclusions", "VpcBlockPublicAccessExclusions"),
    "entries": ("get-managed-prefix-list-entries-pl-1", "Entries"),
}


def reach(folder: Path, remote: str, protocol: int, port: int, **replaced: object) -> Reachability:
    documents = answers()
    for name, value in replaced.items():
        file, member = MEMBERS[name]
        documents[file] = {member: value}
        if value is None:
            del documents[file]
    return Inventory.load(save(folder, documents)).reachability(remote=remote, protocol=protocol, port=port, interface_id=ENI)


def test_an_open_port_is_reached_and_the_rule_to_change_is_named(asked: Callable[..., Reachability]) -> None:
    found = asked()
    assert found.verdict == "allow"
    assert found.deciding_rule == "sg-1 ingress tcp 9200 from 0.0.0.0/0"
    assert found.command == (
        "aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-1 --protocol tcp --port 9200 --cidr 0.0.0.0/0"
    )
    assert [step.split(":")[0] for step in found.steps] == [
        "Path",
        "Security groups",
        "Network ACL inbound",
        "Network ACL outbound",
    ]


@pytest.mark.parametrize(
    ("allowed", "protocol", "port", "verdict"),
    [
        (permission(cidr="0.0.0.0/0"), 6, 9200, "allow"),
        (permission(cidr="0.0.0.0/0"), 6, 9201, "deny"),
        (permission(cidr="0.0.0.0/0"), 17, 9200, "deny"),
        (permission(ports=(9000, 9300), cidr="0.0.0.0/0"), 6, 9300, "allow"),
        (permission(ports=(9000, 9199), cidr="0.0.0.0/0"), 6, 9200, "deny"),
        (permission("6", cidr="0.0.0.0/0"), 6, 9200, "allow"),
        (permission("-1", None, cidr="0.0.0.0/0"), 17, 53, "allow"),
        (permission("50", None, cidr="0.0.0.0/0"), 50, 0, "allow"),
        (permission("50", None, cidr="0.0.0.0/0"), 51, 0, "deny"),
        (permission("icmp", (8, -1), cidr="0.0.0.0/0"), 1, 8, "allow"),
        (permission("icmp", (8, -1), cidr="0.0.0.0/0"), 1, 13, "deny"),
        (permission("icmp", (-1, -1), cidr="0.0.0.0/0"), 1, 13, "allow"),
        (permission(cidr="198.51.100.0/29"), 6, 9200, "allow"),
        (permission(cidr="198.51.100.8/29"), 6, 9200, "deny"),
        (permission(cidr6="::/0"), 6, 9200, "deny"),
        (permission("nonsense", cidr="0.0.0.0/0"), 6, 9200, "deny"),
    ],
)
def test_security_groups(
    asked: Callable[..., Reachability], allowed: dict[str, Any], protocol: int, port: int, verdict: str
) -> None:
    assert asked(protocol=protocol, port=port, groups=[group("sg-1", allowed)]).verdict == verdict


def test_several_groups_are_a_union_and_the_widest_source_decides(asked: Callable[..., Reachability]) -> None:
    both = interface(Groups=[{"GroupId": "sg-1"}, {"GroupId": "sg-2"}])
    narrow = group("sg-1", permission(cidr=f"{REMOTE}/32"))
    found = asked(interfaces=[both], groups=[narrow, group("sg-2", permission("-1", None, cidr="0.0.0.0/0"))])
    assert found.deciding_rule == "sg-2 ingress all from 0.0.0.0/0"
    assert f"and would have to be changed as well: sg-1 ingress tcp 9200 from {REMOTE}/32" in found.steps[1]
    assert shlex.split(found.command)[-2:] == ["--ip-permissions", "IpProtocol=-1,IpRanges=[{CidrIp=0.0.0.0/0}]"]
    assert asked(interfaces=[both], groups=[narrow, group("sg-2")]).deciding_rule.startswith("sg-1")


def test_a_group_that_is_not_in_the_inventory_leaves_it_open(asked: Callable[..., Reachability]) -> None:
    both = interface(Groups=[{"GroupId": "sg-1"}, {"GroupId": "sg-9"}])
    assert asked(interfaces=[both]).verdict == "allow"
    found = asked(port=22, interfaces=[both])
    assert found.verdict == "unknown"
    assert found.deciding_rule == "sg-9 is not in the inventory"
    assert asked(groups=None).verdict == "unknown"
    assert asked(port=22).verdict == "deny"


def test_a_prefix_list_is_expanded(asked: Callable[..., Reachability]) -> None:
    groups = [group("sg-1", permission(prefix_list="pl-1"))]
    found = asked(groups=groups, entries=[{"Cidr": "192.0.2.0/24"}, {"Cidr": "198.51.100.0/24"}])
    assert found.verdict == "allow"
    assert "PrefixListIds=[{PrefixListId=pl-1}]" in found.command
    assert asked(groups=groups, entries=[{"Cidr": "192.0.2.0/24"}]).verdict == "deny"
    assert asked(groups=groups, entries=[]).verdict == "deny"


def test_a_prefix_list_without_entries_leaves_it_open(asked: Callable[..., Reachability]) -> None:
    found = asked(groups=[group("sg-1", permission(prefix_list="pl-1"))])
    assert found.verdict == "unknown"
    assert "the entries of pl-1 are not in the inventory" in found.deciding_rule
    assert found.command == ""


def test_a_group_as_source_matches_members_only(asked: Callable[..., Reachability]) -> None:
    groups = [group("sg-1", permission(group="sg-2")), group("sg-2")]
    member = interface("eni-0b", "10.0.2.20", public=None, Groups=[{"GroupId": "sg-2"}], SubnetId="subnet-2")
    assert asked("10.0.2.20", groups=groups, interfaces=[interface(), member]).verdict == "allow"
    assert asked("10.0.2.21", groups=groups, interfaces=[interface(), member]).verdict == "deny"
    other = {**member, "Groups": [{"GroupId": "sg-3"}]}
    assert asked("10.0.2.20", groups=groups, interfaces=[interface(), other]).verdict == "deny"


def test_a_group_as_source_never_matches_an_internet_host(asked: Callable[..., Reachability]) -> None:
    groups = [group("sg-1", permission(group="sg-2")), group("sg-2")]
    member = interface("eni-0b", "10.0.2.20", public=REMOTE, Groups=[{"GroupId": "sg-2"}])
    assert asked(REMOTE, groups=groups, interfaces=[interface(), member]).verdict == "deny"


def test_a_group_of_a_peered_vpc_counts_and_one_of_another_vpc_does_not(asked: Callable[..., Reachability]) -> None:
    groups = [group("sg-1", permission(group="sg-2")), group("sg-2")]
    member = interface("eni-0b", "10.9.0.9", public=None, VpcId="vpc-2", SubnetId="subnet-9", Groups=[{"GroupId": "sg-2"}])
    both = [interface(), member]
    peered = [table(route(), route("10.9.0.0/16", VpcPeeringConnectionId="pcx-1"))]
    assert asked("10.9.0.9", groups=groups, interfaces=both, tables=peered).verdict == "allow"
    assert asked("10.9.0.9", groups=groups, interfaces=both).verdict == "deny"
    same_address = {**member, "PrivateIpAddress": "10.0.2.2", "PrivateIpAddresses": []}
    assert asked("10.0.2.2", groups=groups, interfaces=[interface(), same_address]).verdict == "deny"


@pytest.mark.parametrize(
    ("tables", "verdict"),
    [
        ([table(route())], "allow"),
        ([table(route(NatGatewayId="nat-1"))], "deny"),
        ([table(route(TransitGatewayId="tgw-1"))], "deny"),
        ([table(route(), route("198.51.100.0/24", TransitGatewayId="tgw-1"))], "allow"),
        ([table()], "deny"),
        ([table({**route(), "State": "blackhole"})], "deny"),
        ([table(route(), name="rtb-main"), table(route(NatGatewayId="nat-1"), subnet="subnet-1")], "deny"),
        ([table(name="rtb-main"), table(route(), subnet="subnet-1")], "allow"),
        ([table(name="rtb-main"), table(route(), subnet="subnet-2")], "deny"),
        ([table(route(NatGatewayId="nat-1"), route("198.51.100.0/24"))], "allow"),
        ([table(route(), route("198.51.100.0/24", NatGatewayId="nat-1"))], "deny"),
        ([table(route("::/0"))], "deny"),
        ([table(route(GatewayId="vpce-1"))], "unknown"),
        ([], "unknown"),
        (None, "unknown"),
    ],
)
def test_the_route(asked: Callable[..., Reachability], tables: list[dict[str, Any]] | None, verdict: str) -> None:
    assert asked(tables=tables).verdict == verdict


def test_without_a_public_address_there_is_no_public_path(asked: Callable[..., Reachability]) -> None:
    found = asked(interfaces=[interface(public=None)])
    assert found.verdict == "deny"
    assert found.deciding_rule == "no public path: load balancer, proxy or VPN"
    assert found.command == ""
    assert asked(interfaces=[interface(public=None)], tables=None).verdict == "deny"
    second = {"PrivateIpAddress": "10.0.1.11", "Association": {"PublicIp": "203.0.113.11"}}
    assert asked(interfaces=[interface(public=None, PrivateIpAddresses=[second])]).verdict == "allow"


def test_ipv6_goes_by_itself(asked: Callable[..., Reachability]) -> None:
    remote = "2001:db8::7"
    with_address = [interface(public=None, Ipv6Addresses=[{"Ipv6Address": "2001:db8:1::1"}])]
    groups = [group("sg-1", permission(cidr6="::/0"))]
    open_table = [table(route("::/0"))]
    found = asked(remote, interfaces=with_address, groups=groups, tables=open_table)
    assert found.verdict == "allow"
    assert shlex.split(found.command)[-1] == "IpProtocol=tcp,FromPort=9200,ToPort=9200,Ipv6Ranges=[{CidrIpv6=::/0}]"
    assert asked(remote, interfaces=[interface()], groups=groups, tables=open_table).verdict == "deny"
    outward = [table(route("::/0", EgressOnlyInternetGatewayId="eigw-1"))]
    assert asked(remote, interfaces=with_address, groups=groups, tables=outward).verdict == "deny"
    only_four = [acl(entry(100, "allow"), entry(100, "allow", egress=True))]
    assert asked(remote, interfaces=with_address, groups=groups, tables=open_table, acls=only_four).verdict == "deny"


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([entry(100, "allow")], "allow"),
        ([], "deny"),
        ([entry(100, "allow", cidr="192.0.2.0/24")], "deny"),
        ([entry(90, "deny", cidr="198.51.100.0/24"), entry(100, "allow")], "deny"),
        ([entry(110, "deny", cidr="198.51.100.0/24"), entry(100, "allow")], "allow"),
        ([entry(90, "deny", cidr="192.0.2.0/24"), entry(100, "allow")], "allow"),
        ([entry(90, "deny", protocol="6", ports=(9200, 9200)), entry(100, "allow")], "deny"),
        ([entry(90, "deny", protocol="6", ports=(9201, 9300)), entry(100, "allow")], "allow"),
        ([entry(90, "deny", protocol="17"), entry(100, "allow")], "allow"),
        ([entry(90, "deny", egress=True, cidr="192.0.2.0/24"), entry(100, "allow")], "allow"),
    ],
)
def test_the_network_acl_inwards(asked: Callable[..., Reachability], entries: list[dict[str, Any]], verdict: str) -> None:
    assert asked(acls=[acl(*entries, entry(100, "allow", egress=True))]).verdict == verdict


@pytest.mark.parametrize(
    ("entries", "verdict"),
    [
        ([entry(100, "allow", egress=True)], "allow"),
        ([entry(100, "allow", egress=True, protocol="6", ports=(1024, 65535))], "allow"),
        ([entry(100, "allow", egress=True, protocol="6", ports=(1025, 65535))], "partial"),
        ([entry(100, "allow", egress=True, protocol="6", ports=(32768, 60999))], "partial"),
        ([entry(100, "allow", egress=True, protocol="6", ports=(443, 443))], "deny"),
        ([entry(100, "allow", egress=True, protocol="17")], "deny"),
        ([entry(100, "allow", egress=True, cidr="192.0.2.0/24")], "deny"),
        ([], "deny"),
        ([entry(90, "deny", egress=True, protocol="6", ports=(3389, 3389)), entry(100, "allow", egress=True)], "partial"),
        ([entry(90, "deny", egress=True, protocol="6", ports=(22, 22)), entry(100, "allow", egress=True)], "allow"),
        (
            [
                entry(90, "allow", egress=True, protocol="6", ports=(1024, 30000)),
                entry(95, "allow", egress=True, protocol="6", ports=(30001, 65535)),
            ],
            "allow",
        ),
    ],
)
def test_the_network_acl_outwards(asked: Callable[..., Reachability], entries: list[dict[str, Any]], verdict: str) -> None:
    assert asked(acls=[acl(*entries, entry(100, "allow"))]).verdict == verdict


def test_a_partial_verdict_says_which_replies_leave(asked: Callable[..., Reachability]) -> None:
    found = asked(acls=[acl(entry(100, "allow"), entry(7, "allow", egress=True, protocol="6", ports=(32768, 60999)))])
    assert "replies leave only to ports 32768-60999" in found.steps[3]
    assert found.deciding_rule == "acl-1 rule * denies egress all to 0.0.0.0/0"
    assert found.command.startswith("aws ec2 revoke-security-group-ingress")


def test_the_acl_of_another_subnet_does_not_count(asked: Callable[..., Reachability]) -> None:
    assert asked(acls=[OPEN_ACL, acl(name="acl-2", subnet="subnet-2")]).verdict == "allow"
    assert asked(acls=[acl(name="acl-1")]).verdict == "deny"
    assert asked(acls=[acl(name="acl-2", subnet="subnet-2")]).verdict == "unknown"
    assert asked(acls=None).verdict == "unknown"
    assert asked(port=22, acls=None).verdict == "deny", "a security group that denies needs no ACL"


def test_inside_a_subnet_no_acl_is_asked(asked: Callable[..., Reachability]) -> None:
    assert asked("10.0.1.99", acls=[acl()]).verdict == "allow"
    assert asked("10.0.2.99", acls=[acl()]).verdict == "deny"


def test_icmp_entries_go_by_type(asked: Callable[..., Reachability]) -> None:
    groups = [group("sg-1", permission("icmp", (-1, -1), cidr="0.0.0.0/0"))]
    ping = [acl(entry(1, "allow", protocol="1", icmp=(8, -1)), entry(1, "allow", egress=True, protocol="1", icmp=(0, -1)))]
    assert asked(protocol=1, port=8, groups=groups, acls=ping).verdict == "allow"
    assert asked(protocol=1, port=13, groups=groups, acls=ping).verdict == "deny"
    no_reply = [acl(entry(1, "allow"), entry(1, "deny", egress=True, protocol="1", icmp=(0, -1)))]
    assert asked(protocol=1, port=8, groups=groups, acls=no_reply).verdict == "deny"
    one_code = [acl(entry(1, "deny", protocol="1", icmp=(8, 3)), entry(2, "allow"), entry(2, "allow", egress=True))]
    assert asked(protocol=1, port=8, groups=groups, acls=one_code).verdict == "allow"


@pytest.mark.parametrize(
    ("mode", "exclusions", "verdict"),
    [
        ("block-ingress", [], "deny"),
        ("block-bidirectional", [], "deny"),
        ("off", [], "allow"),
        ("block-ingress", [("subnet/subnet-1", "allow-bidirectional")], "allow"),
        ("block-ingress", [("vpc/vpc-1", "allow-bidirectional")], "allow"),
        ("block-ingress", [("subnet/subnet-2", "allow-bidirectional")], "deny"),
        ("block-ingress", [("subnet/subnet-1", "allow-egress")], "deny"),
    ],
)
def test_block_public_access_beats_everything(
    asked: Callable[..., Reachability], mode: str, exclusions: list[tuple[str, str]], verdict: str
) -> None:
    spared = [
        {"ResourceArn": f"arn:aws:ec2:us-east-1:123456789012:{name}", "InternetGatewayExclusionMode": way}
        for name, way in exclusions
    ]
    found = asked(options={"InternetGatewayBlockMode": mode}, exclusions=spared)
    assert found.verdict == verdict
    assert ("Block Public Access" in found.deciding_rule) == (verdict == "deny")


@pytest.mark.parametrize(
    ("state", "verdict"),
    [
        ("create-in-progress", "deny"),
        ("create-complete", "allow"),
        ("create-failed", "deny"),
        ("update-in-progress", "allow"),
        ("update-complete", "allow"),
        ("update-failed", "allow"),
        ("delete-in-progress", "deny"),
        ("delete-complete", "deny"),
        ("disable-in-progress", "deny"),
        ("disable-complete", "deny"),
        ("some-new-state", "deny"),
    ],
)
def test_an_exclusion_counts_only_while_it_is_in_force(asked: Callable[..., Reachability], state: str, verdict: str) -> None:
    spared = {
        "ResourceArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1",
        "InternetGatewayExclusionMode": "allow-bidirectional",
    }
    found = asked(options={"InternetGatewayBlockMode": "block-bidirectional"}, exclusions=[{**spared, "State": state}])
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("state", "used"),
    [("associated", True), ("associating", True), ("disassociated", False), ("failing", False), ("failed", False)],
)
def test_what_is_listed_as_ended_does_not_count(tmp_path: Path, state: str, used: bool) -> None:
    documents = answers()
    vpc = documents["describe-vpcs"]["Vpcs"][0]
    vpc["CidrBlockAssociationSet"] = [{"CidrBlock": "10.99.0.0/16", "CidrBlockState": {"State": state}}]
    vpc["Ipv6CidrBlockAssociationSet"] = [{"Ipv6CidrBlock": "2001:db8:9::/56", "Ipv6CidrBlockState": {"State": state}}]
    for routes in documents["describe-route-tables"]["RouteTables"]:
        for association in routes["Associations"]:
            association["AssociationState"] = {"State": state}
    loaded = Inventory.load(save(tmp_path, documents))
    assert [loaded.is_dark(address) for address in ("10.99.1.1", "2001:db8:9::1")] == [used, used]
    assert (
        reach(tmp_path / "routes", REMOTE, 6, 9200, tables=documents["describe-route-tables"]["RouteTables"]).verdict == "allow"
    ) == used


def test_a_rule_with_an_id_is_revoked_by_it(asked: Callable[..., Reachability]) -> None:
    rule = {
        "SecurityGroupRuleId": "sgr-1",
        "GroupId": "sg-1",
        "IsEgress": False,
        "IpProtocol": "tcp",
        "FromPort": 9200,
        "ToPort": 9200,
        "CidrIpv4": "0.0.0.0/0",
    }
    found = asked(rules=[rule])
    assert found.deciding_rule == "sg-1 ingress tcp 9200 from 0.0.0.0/0 (sgr-1)"
    assert found.command.endswith("--group-id sg-1 --security-group-rule-ids sgr-1")
    assert "sgr-1" not in asked(rules=[{**rule, "IsEgress": True}]).command


@pytest.mark.parametrize("name", ["sg-1;reboot", "--profile", "sg-$(id)", "sg-1\nid"])
def test_an_id_that_is_none_gets_into_no_command(asked: Callable[..., Reachability], name: str) -> None:
    found = asked(interfaces=[interface(Groups=[{"GroupId": name}])], groups=[group(name, ANYONE)])
    assert found.verdict == "allow"
    assert found.command == ""


def test_what_is_not_known_is_unknown(tmp_path: Path) -> None:
    inventory = Inventory.load(save(tmp_path, answers()))
    assert inventory.reachability(remote=REMOTE, protocol=6, port=22, interface_id="eni-9").verdict == "unknown"
    found = inventory.reachability(remote="10.0.0.01", protocol=6, port=22, interface_id=ENI)
    assert found.verdict == "unknown"
    assert found.steps == ("'10.0.0.01' is not an address.",)


ENTRIES = st.lists(
    st.tuples(
        st.integers(1, 32766),
        st.sampled_from(["allow", "deny"]),
        st.booleans(),
        st.sampled_from(["-1", "6", "17"]),
        st.sampled_from(["0.0.0.0/0", "198.51.100.0/24", "198.51.100.7/32", "192.0.2.0/24"]),
        st.tuples(st.integers(0, 65535), st.integers(0, 65535)).map(lambda pair: (min(pair), max(pair))),
    ),
    max_size=8,
    unique_by=lambda item: (item[0], item[2]),
)


def first_match(entries: list[Any], port: int, *, egress: bool) -> bool:
    for _, action, out, protocol, cidr, ports in sorted(entries):
        wide = protocol == "-1"
        if out == egress and cidr != "192.0.2.0/24" and protocol != "17" and (wide or ports[0] <= port <= ports[1]):
            return bool(action == "allow")
    return False


@given(entries=ENTRIES, order=st.randoms(use_true_random=False))
def test_entries_are_taken_in_order_of_their_numbers_port_by_port(entries: list[Any], order: Random) -> None:
    """The law: as if every port of the reply were looked up by itself, however the file orders the entries."""
    edges = {1024, 65535} | {p for item in entries for port in item[5] for p in (port, port + 1) if 1024 <= p <= 65535}
    allowed = {first_match(entries, port, egress=True) for port in edges}
    expected = "allow" if allowed == {True} else "deny" if allowed == {False} else "partial"
    if not first_match(entries, 9200, egress=False):
        expected = "deny"
    shuffled = [
        entry(number, action, egress=egress, protocol=protocol, cidr=cidr, ports=None if protocol == "-1" else ports)
        for number, action, egress, protocol, cidr, ports in entries
    ]
    order.shuffle(shuffled)
    with tempfile.TemporaryDirectory() as folder:
        assert reach(Path(folder), REMOTE, 6, 9200, acls=[acl(*shuffled)]).verdict == expected


PERMISSIONS = st.lists(
    st.builds(
        permission,
        st.sampled_from(["tcp", "udp", "-1"]),
        st.sampled_from([(0, 65535), (9200, 9200), (22, 22)]),
        cidr=st.sampled_from(["0.0.0.0/0", "198.51.100.0/24", "192.0.2.0/24"]),
    ),
    max_size=3,
)


@given(permissions=st.lists(PERMISSIONS, min_size=1, max_size=4), missing=st.booleans())
def test_more_groups_never_reduce_what_is_reached(permissions: list[list[dict[str, Any]]], *, missing: bool) -> None:
    groups = [group(f"sg-{number}", *items) for number, items in enumerate(permissions)]
    rank = {"deny": 0, "unknown": 1, "allow": 2}
    verdicts = []
    with tempfile.TemporaryDirectory() as folder:
        for size in range(len(groups) + 1):
            names = [{"GroupId": item["GroupId"]} for item in groups[:size]]
            carried = [*names, {"GroupId": "sg-missing"}] if missing and size == len(groups) else names
            found = reach(Path(folder), REMOTE, 6, 9200, interfaces=[interface(Groups=carried)], groups=groups)
            verdicts.append(rank[found.verdict])
    assert verdicts == sorted(verdicts)
