"""``vedette inventory`` against an EC2 server on the loopback interface, and as a user meets it in a terminal."""

import json
import os
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from commands import Vedette, run
from inventories import ACCOUNT, ENI, INSTANCE, acl, answers, entry, group, interface, permission, route, save, table
from moto.server import ThreadedMotoServer

from vedette import aws
from vedette.aws import Connection
from vedette.errors import ConfigurationError, SourceError
from vedette.inventory import Inventory
from vedette.inventory.listing import folded
from vedette.inventory.pull import pull

TAKEN_AT = datetime(2026, 3, 1, 12, tzinfo=UTC)
# Written by the AWS command line in a real account; the test server does not know these questions.
UNKNOWN_THERE = 2


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    running = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    running.start()
    host, port = running.get_host_and_port()
    yield f"http://{host}:{port}"
    running.stop()


@pytest.fixture
def connection(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Connection:
    for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("AWS_ENDPOINT_URL", server)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    aws._client.cache_clear()
    return Connection(region="us-east-1")


@pytest.fixture
def vedette(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vedette:
    """Run a command of the inventory in an empty folder."""
    monkeypatch.chdir(tmp_path)
    return partial(run, "inventory")


def client() -> Any:  # noqa: ANN401 - boto3's clients have no type here
    import boto3

    return boto3.client("ec2", region_name="us-east-1")


class Built(NamedTuple):
    """What was built on the server."""

    interface_id: str
    instance_id: str
    group_id: str


def build(ec2: Any, prefix_list_id: str) -> Built:  # noqa: ANN401 - boto3's clients have no type here
    """Build an instance that anybody reaches at 9200 and a prefix list at 443; its ACL holds 203.0.113.0/24 off."""
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(VpcId=vpc, InternetGatewayId=gateway)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=subnet)
    group_id = ec2.create_security_group(GroupName=f"web-{vpc}", Description="web", VpcId=vpc)["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group_id,
        IpPermissions=[
            permission(cidr="0.0.0.0/0"),
            permission(ports=(443, 443), prefix_list=prefix_list_id),
        ],
    )
    filters = [{"Name": "association.subnet-id", "Values": [subnet]}]
    (found,) = ec2.describe_network_acls(Filters=filters)["NetworkAcls"]
    ec2.create_network_acl_entry(
        NetworkAclId=found["NetworkAclId"],
        RuleNumber=50,
        Protocol="-1",
        RuleAction="deny",
        Egress=False,
        CidrBlock="203.0.113.0/24",
    )
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    asked = {"SubnetId": subnet, "DeviceIndex": 0, "AssociatePublicIpAddress": True, "Groups": [group_id]}
    (instance,) = ec2.run_instances(ImageId=image, MinCount=1, MaxCount=1, NetworkInterfaces=[asked])["Instances"]
    return Built(instance["NetworkInterfaces"][0]["NetworkInterfaceId"], instance["InstanceId"], group_id)


@pytest.fixture
def built(connection: Connection) -> Built:
    ec2 = client()
    listed = ec2.create_managed_prefix_list(
        PrefixListName="offices", MaxEntries=5, AddressFamily="IPv4", Entries=[{"Cidr": "192.0.2.0/24"}]
    )
    return build(ec2, listed["PrefixList"]["PrefixListId"])


def test_what_was_pulled_is_loaded_and_evaluated(connection: Connection, built: Built, tmp_path: Path) -> None:
    (found,) = pull(connection, (), tmp_path, TAKEN_AT)
    assert found.folder == tmp_path / ACCOUNT / "us-east-1"
    assert len(found.notes) == UNKNOWN_THERE
    inventory = Inventory.load(tmp_path)
    assert inventory.taken_at == TAKEN_AT
    ours = inventory.interface(built.interface_id)
    assert ours is not None
    assert (ours.instance_id, ours.role, ours.account_id) == (built.instance_id, "instance", ACCOUNT)
    assert ours.public_addresses

    def verdict(remote: str, port: int) -> tuple[str, str]:
        answer = inventory.reachability(remote=remote, protocol=6, port=port, interface_id=built.interface_id)
        return answer.verdict, answer.deciding_rule

    assert verdict("198.51.100.7", 9200)[0] == "allow"
    assert verdict("198.51.100.7", 22)[0] == "deny"
    assert verdict("192.0.2.7", 443)[0] == "allow"
    assert verdict("198.51.100.7", 443)[0] == "deny"
    assert "rule 50 denies ingress" in verdict("203.0.113.7", 9200)[1]
    details = inventory.instance_details(built.instance_id)
    assert details is not None
    assert details["imageDescription"]
    assert inventory.is_dark("10.7.1.250")


def test_the_command_closes_the_port(connection: Connection, built: Built, tmp_path: Path) -> None:
    list(pull(connection, (), tmp_path, TAKEN_AT))
    asked: dict[str, Any] = {
        "remote": "198.51.100.7",
        "protocol": 6,
        "port": 9200,
        "interface_id": built.interface_id,
    }
    words = shlex.split(Inventory.load(tmp_path).reachability(**asked).command)
    assert words[:5] == ["aws", "ec2", "revoke-security-group-ingress", "--region", "us-east-1"]
    assert words[5:8] == ["--group-id", built.group_id, "--security-group-rule-ids"]
    ec2 = client()
    ec2.revoke_security_group_ingress(GroupId=built.group_id, SecurityGroupRuleIds=[words[8]])
    list(pull(connection, (), tmp_path, TAKEN_AT))
    assert Inventory.load(tmp_path).reachability(**asked).verdict == "deny"


def test_answers_of_many_pages_are_whole(connection: Connection, built: Built, tmp_path: Path) -> None:
    ec2 = client()
    made = {ec2.create_security_group(GroupName=f"g-{number}", Description="g")["GroupId"] for number in range(250)}
    list(pull(connection, (), tmp_path, TAKEN_AT))
    saved = json.loads((tmp_path / ACCOUNT / "us-east-1" / "describe-security-groups.json").read_text())
    assert made <= {item["GroupId"] for item in saved["SecurityGroups"]}
    assert set(saved) == {"SecurityGroups"}


def test_a_pull_takes_the_place_of_the_one_before(connection: Connection, tmp_path: Path) -> None:
    folder = tmp_path / ACCOUNT / "us-east-1"
    folder.mkdir(parents=True)
    stale = folder / "get-managed-prefix-list-entries-pl-9.json"
    stale.write_text('{"Entries": []}')
    kept = folder / "notes.json"
    kept.write_text("{}")
    list(pull(connection, (), tmp_path, TAKEN_AT))
    assert not stale.exists()
    assert kept.exists()
    assert list(folder.glob(".*")) == []


def test_a_refusal_leaves_what_was_saved(connection: Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    list(pull(connection, (), tmp_path, TAKEN_AT))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*.json")}
    asking = aws._client("ec2", connection, os.getpid())

    from botocore.awsrequest import AWSResponse

    class Raw:
        def stream(self) -> Iterator[bytes]:
            yield b"<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>no</Message></Error></Errors></Response>"

    answer = AWSResponse("http://127.0.0.1/", 403, {}, Raw())
    asking.meta.events.register("before-send.ec2.DescribeRouteTables", lambda **_: answer)
    with pytest.raises(
        SourceError, match=r"^describe-route-tables in us-east-1: access is denied; the credentials need ec2:DescribeRouteTables$"
    ):
        list(pull(connection, (), tmp_path, TAKEN_AT))
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.json")} == before


@pytest.mark.parametrize("region", ["../x", "nowhere", "us-east-1/..", ""])
def test_a_region_that_is_none_is_refused(connection: Connection, tmp_path: Path, region: str) -> None:
    with pytest.raises(ConfigurationError, match="not the name of an AWS region"):
        list(pull(connection, ["us-east-1", region], tmp_path, TAKEN_AT))


def test_pull_says_where_it_wrote(connection: Connection, vedette: Vedette) -> None:
    ended = vedette("pull", "--out", "inv", "--region", "us-east-1", "--region", "eu-west-1")
    assert ended.status == 0
    assert f"inv/{ACCOUNT}/us-east-1: " in ended.err
    assert f"inv/{ACCOUNT}/eu-west-1: " in ended.err
    assert vedette("load", "inv").status == 0


def test_pull_without_a_region_says_what_to_set(connection: Connection, vedette: Vedette) -> None:
    ended = vedette("pull", "--out", "inv")
    assert ended.status == ConfigurationError.exit_status
    assert "no AWS region is set for ec2" in ended.err


def test_load_says_what_is_there_and_what_is_missing(vedette: Vedette, tmp_path: Path) -> None:
    documents = answers()
    del documents["describe-network-acls"]
    save(tmp_path / "inv", documents, "2026-03-01T12:00:00Z")
    ended = vedette("load", "inv")
    assert ended.out == (
        "snapshots 1, interfaces 1, instances 1\n"
        "\n"
        "ACCOUNT       REGION     TAKEN AT (UTC)    FOLDER\n"
        "123456789012  us-east-1  2026-03-01 12:00  .\n"
        "\n"
        "ROLE      INTERFACES\n"
        "instance  1\n"
        "\n"
        "Missing files, and what is unknown without them\n"
        "  .: describe-network-acls.json: whether a network ACL lets traffic in and\n"
        "    replies out\n"
    )


def test_show_prints_commands_for_one_and_fits_the_terminal(vedette: Vedette, tmp_path: Path) -> None:
    save(tmp_path / "inventory", answers())
    ended = vedette("show", INSTANCE)
    assert ended.out == (
        "i-0a  search  t3.micro  running\n"
        "  eni-0a  instance  10.0.1.10 203.0.113.10\n"
        "    123456789012 us-east-1 vpc-1 subnet-1 sg-1\n"
        "    open to the internet: tcp 9200 from 0.0.0.0/0\n"
        "      aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-1 \\\n"
        "        --protocol tcp --port 9200 --cidr 0.0.0.0/0\n"
    )
    assert vedette("show", ENI).out == ended.out
    assert vedette("show").out == "".join(ended.out.splitlines(keepends=True)[:-2])


def test_show_as_json(vedette: Vedette, tmp_path: Path) -> None:
    save(tmp_path / "inventory", answers())
    (found,) = json.loads(vedette("show", "--format", "json").out)
    assert found["interface_id"] == ENI
    assert found["tags"] == {"Name": "search"}
    assert [(item["from_port"], item["to_port"], item["verdict"]) for item in found["open_to_the_internet"]] == [
        (9200, 9200, "allow")
    ]


def test_show_of_what_is_not_there_names_the_nearest(vedette: Vedette, tmp_path: Path) -> None:
    save(tmp_path / "inventory", answers())
    ended = vedette("show", "eni-0b")
    assert (ended.status, ended.err) == (8, "vedette: 'eni-0b' is in no snapshot; did you mean eni-0a or i-0a?\n")
    assert vedette("show", "--format", "xml").status == ConfigurationError.exit_status


def test_what_an_attacker_wrote_does_not_move_the_terminal(vedette: Vedette, tmp_path: Path) -> None:
    documents = answers()
    (instance,) = documents["describe-instances"]["Reservations"][0]["Instances"]
    instance["Tags"] = [{"Key": "Name", "Value": "a\x1b[2Jb\u202ec"}]
    save(tmp_path / "inventory", documents)
    assert vedette("show").out.splitlines()[0] == "i-0a  abc  t3.micro  running"


def test_a_folded_command_is_the_same_command() -> None:
    command = (
        "aws ec2 revoke-security-group-ingress --region us-east-1 --group-id sg-1 --ip-permissions 'IpProtocol=-1,X=[{Y=::/0}]'"
    )
    lines = folded(command, 40)
    assert len(lines) == 3
    assert all(len(line) <= 40 for line in lines[:-1])
    assert shlex.split("\n".join(lines).replace("\\\n", " ")) == shlex.split(command)


def opened(folder: Path, **replaced: Any) -> list[tuple[int, tuple[int, int], str, str]]:  # noqa: ANN401 - JSON
    names = {
        "interfaces": ("describe-network-interfaces", "NetworkInterfaces"),
        "groups": ("describe-security-groups", "SecurityGroups"),
        "acls": ("describe-network-acls", "NetworkAcls"),
        "tables": ("describe-route-tables", "RouteTables"),
        "vpcs": ("describe-vpcs", "Vpcs"),
    }
    documents = answers() | {names[name][0]: {names[name][1]: value} for name, value in replaced.items()}
    found = Inventory.load(save(folder, documents)).openings(ENI)
    return [(item.protocol, item.ports, item.source, item.verdict) for item in found]


def test_openings_are_what_path_and_acl_leave_of_the_rules(tmp_path: Path) -> None:
    wide = [group("sg-1", permission(ports=(20, 100), cidr="0.0.0.0/0"))]
    holes = [
        entry(10, "deny", protocol="6", ports=(30, 39)),
        entry(20, "deny", protocol="6", ports=(50, 59), cidr="192.0.2.0/24"),
        entry(100, "allow"),
        entry(100, "allow", egress=True),
    ]
    expected = [(6, (20, 29), "0.0.0.0/0", "allow"), (6, (40, 100), "0.0.0.0/0", "allow")]
    assert opened(tmp_path / "a", groups=wide, acls=[acl(*holes)]) == expected
    only_one = [entry(10, "allow", cidr="192.0.2.0/24"), entry(100, "allow", egress=True)]
    assert opened(tmp_path / "b", groups=wide, acls=[acl(*only_one)]) == [(6, (20, 100), "0.0.0.0/0", "allow")]
    assert opened(tmp_path / "c", groups=wide, acls=[acl(entry(100, "allow", egress=True))]) == []
    assert opened(tmp_path / "d", groups=wide, interfaces=[interface(public=None)]) == []


def test_private_sources_are_no_openings(tmp_path: Path) -> None:
    rules = [permission(cidr="10.0.0.0/8"), permission(group="sg-1"), permission(ports=(22, 22), cidr="192.0.2.7/32")]
    assert opened(tmp_path, groups=[group("sg-1", *rules)]) == [(6, (22, 22), "192.0.2.7/32", "allow")]


def test_the_own_addresses_of_a_vpc_are_no_internet(tmp_path: Path) -> None:
    own = {"Ipv6CidrBlock": "2001:db8:1::/56", "Ipv6CidrBlockState": {"State": "associated"}}
    vpc = {"VpcId": "vpc-1", "OwnerId": ACCOUNT, "CidrBlock": "10.0.0.0/16", "Ipv6CidrBlockAssociationSet": [own]}
    there = {
        "vpcs": [vpc],
        "tables": [table(route("::/0"))],
        "interfaces": [interface(public=None, Ipv6Addresses=[{"Ipv6Address": "2001:db8:1::1"}])],
    }
    acls = [acl(entry(100, "allow", cidr="::/0"), entry(100, "allow", cidr="::/0", egress=True))]
    ours = [group("sg-1", permission(cidr6="2001:db8:1::/64"))]
    assert opened(tmp_path / "a", groups=ours, acls=acls, **there) == []
    both = [group("sg-1", permission(cidr6="2001:db8::/32"))]
    assert opened(tmp_path / "b", groups=both, acls=acls, **there) == [(6, (9200, 9200), "2001:db8::/32", "allow")]
    everybody = [group("sg-1", permission(cidr6="::/0"))]
    assert opened(tmp_path / "c", groups=everybody, acls=acls, **there) == [(6, (9200, 9200), "::/0", "allow")]


def test_what_is_missing_may_be_an_opening(tmp_path: Path) -> None:
    assert opened(tmp_path / "a", groups=[]) == [(-1, (0, 65535), "sg-1", "unknown")]
    assert opened(tmp_path / "b", groups=[group("sg-1", permission(prefix_list="pl-9"))]) == [
        (6, (9200, 9200), "pl-9", "unknown")
    ]
    assert opened(tmp_path / "c", groups=[], interfaces=[interface(public=None)]) == []


def test_a_rule_for_all_protocols_opens_tcp_and_udp(tmp_path: Path) -> None:
    everything = [group("sg-1", permission("-1", None, cidr="0.0.0.0/0"))]
    assert [item[:2] for item in opened(tmp_path, groups=everything)] == [(6, (0, 65535)), (17, (0, 65535))]
