"""Everything that vedette reads, for the fuzzer: small whole inputs of every format, how each is read, and what may be raised."""

import gzip
import io
import json
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache, partial
from itertools import count
from pathlib import Path

import flow_lines
import inventories
import pyarrow as pa
from geo_database import database
from pyarrow import parquet
from reading_blobs import read_bytes
from stores import START, finding
from trails import WRAPPERS, event

from vedette.baseline.carry import imported
from vedette.baseline.tables import FOLDS, MARKS, schema_of
from vedette.errors import ConfigurationError, GeoError, ListError, ReadError, StoreError, VedetteError
from vedette.intel import Kind
from vedette.intel.entries import Entries
from vedette.intel.formats import all_list_formats
from vedette.intel.lists import load_list
from vedette.inventory.environment import Inventory
from vedette.inventory.kinds import KINDS
from vedette.network.geo import Geo
from vedette.settings import load
from vedette.state_files.folder import Folder
from vedette.state_files.generation import Generation, Part
from vedette.store.documents import finding_of, finding_text
from vedette.store.lists import packed, unpacked

Wrap = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Seed:
    """A whole input, and how what was damaged in it is wrapped again: a member of an archive, a text in gzip."""

    data: bytes
    wrap: Wrap = bytes


@dataclass(frozen=True, slots=True)
class Target:
    """Something that reads: its seeds, the reading, the only error that may be raised, and how often it is tried."""

    read: Callable[[bytes], object]
    raises: type[VedetteError]
    weight: int
    seeds: Mapping[str, Seed] = field(default_factory=dict)


def targets(folder: Path) -> dict[str, Target]:
    """Return all targets; what must be a file is written below the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    return {
        "logs": Target(read_bytes, ReadError, 8, _logs()),
        "lists": Target(_list, ListError, 5, _lists()),
        "geo": Target(partial(_geo, folder / "some.mmdb"), GeoError, 4, _geo_databases()),
        "settings": Target(partial(_settings, folder / "vedette.toml"), ConfigurationError, 1, _SETTINGS),
        "inventory": Target(partial(_inventory, folder / "inventory"), ConfigurationError, 3, _inventories()),
        "baseline": Target(partial(_baseline, folder / "baseline.zip", count()), ConfigurationError, 1, _baselines()),
        "generation": Target(Generation.from_json, StoreError, 2, _generations()),
        "stored list": Target(partial(unpacked, name="list"), StoreError, 1, _stored_lists()),
        "finding": Target(_finding, StoreError, 2, _findings()),
    }


def _list(data: bytes) -> object:
    found = load_list(data, name="list", kind=Kind.MALICIOUS)
    assert found.status == ("ACTIVE" if found.entries else "ERROR")
    return list(found.entries)


def _geo(path: Path, data: bytes) -> object:
    path.write_bytes(data)
    geo = Geo.open([path])
    return [geo.lookup(address) for address in ("203.0.113.9", "198.51.100.5", "2001:db8::7", "8.8.8.8")]


def _settings(path: Path, data: bytes) -> object:
    path.write_bytes(data)
    return load(path, {})


def _inventory(folder: Path, data: bytes) -> object:
    """Read a folder of answers of which one is damaged: the first line of the data names it."""
    if not folder.exists():
        inventories.save(folder, _answers())
    name, _, document = data.partition(b"\n")  # undamaged: it is wrapped around what is
    file = folder / f"{name.decode()}.json"
    whole = file.read_bytes()
    file.write_bytes(document)
    try:
        found = Inventory.load(folder)
    finally:
        file.write_bytes(whole)
    about = [found.instance_details(inventories.INSTANCE), found.openings(inventories.ENI), found.tags(inventories.INSTANCE)]
    path = found.reachability(remote=inventories.REMOTE, protocol=6, port=9200, interface_id=inventories.ENI)
    return found.table(), found.is_dark("10.0.1.10"), about, path


def _baseline(path: Path, numbers: "count[int]", data: bytes) -> object:
    path.write_bytes(data)
    place = Folder(path.parent / f"state-{next(numbers) % 8}")
    made = imported(path, Generation(number=0), place)
    for name in made.files():
        place.remove(name)
    return made


def _finding(data: bytes) -> object:
    return finding_of(data.decode("utf-8", "surrogateescape"), archived=False)


def _logs() -> dict[str, Seed]:
    records = [event(number, userAgent=f"aws-cli/2.{number}") for number in range(3)]
    texts = {name: wrap(records).encode() for name, wrap in WRAPPERS.items()}
    flows = [flow_lines.FLOW, flow_lines.REPLY, "2 123456789012 eni-0a1b2c3d - - - - - - - 1700000000 1700000060 - NODATA"]
    texts["flows"] = flow_lines.text(flow_lines.HEADER, *flows)
    texts["flows without a header"] = flow_lines.text(*flows)
    texts["flows of few fields"] = b"srcaddr dstaddr dstport start pkt-srcaddr tcp-flags\n192.0.2.1 10.0.0.5 22 1700000000 - 3\n"
    texts["flows exported"] = b"".join(b"2024-05-06T07:10:00.000Z " + line.encode() + b"\n" for line in flows)
    messages = [{"id": str(number), "timestamp": 1_700_000_000_000, "message": line} for number, line in enumerate(flows)]
    envelope = {"messageType": "DATA_MESSAGE", "owner": "123456789012", "logGroup": "flows", "logStream": "eni-0a1b2c3d-all"}
    texts["flows subscribed"] = json.dumps({**envelope, "subscriptionFilters": ["all"], "logEvents": messages}).encode()
    texts["parquet"] = _parquet(pa.table({"srcaddr": ["192.0.2.1"] * 3, "dstport": [22, 80, None], "start": [1_700_000_000] * 3}))
    seeds = {name: Seed(data) for name, data in texts.items()}
    for name in ("delivered", "lines", "flows", "flows subscribed", "CloudWatch subscription"):
        seeds[f"{name}, in gzip"] = Seed(texts[name], partial(gzip.compress, compresslevel=1))
        seeds[f"{name}, twice in gzip"] = Seed(gzip.compress(texts[name]), partial(gzip.compress, compresslevel=1))
        seeds[f"{name}, damaged gzip"] = Seed(gzip.compress(texts[name]))
    return seeds


def _lists() -> dict[str, Seed]:
    properties = '<cybox:Properties xsi:type="A:AddressObjectType" category="ipv4-addr">'
    value = '<A:Address_Value condition="InclusiveBetween">203.0.113.7##comma##203.0.113.9</A:Address_Value>'
    spaces = 'xmlns:stix="s" xmlns:cybox="c" xmlns:A="a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    pattern = "[ipv4-addr:value = '203.0.113.9' OR ipv4-addr:value ISSUBSET '198.51.100.0/24']"
    objects = [
        {"type": "indicator", "id": "indicator--1", "spec_version": "2.1", "pattern_type": "stix", "pattern": pattern},
        {"type": "ipv4-addr", "id": "ipv4-addr--1", "value": "203.0.113.8"},
        {"type": "relationship", "id": "r--1", "source_ref": "indicator--1", "target_ref": "ipv4-addr--1"},
    ]
    whole = {
        "TXT": "203.0.113.9\n\n198.51.100.0/24\n2001:db8::/32\n203.0.113.1-203.0.113.9\n",
        "IPSET": "# a list\n# last update: 2024-02-27\n203.0.113.9 # scan.example.net\n198.51.100.0/24 ; SBL1\n!203.0.113.8\n",
        "OTX_CSV": "Indicator type, Indicator, Description\nIPv4, 203.0.113.9, lab\nCIDR, 198.51.100.0/24, range\n",
        "ALIEN_VAULT": "203.0.113.9#4#2#Scanning Host#DE##51.0,9.0#3\n198.51.100.7#4#2#Spamming####1\n",
        "PROOF_POINT": "ip, category, score, first_seen, last_seen, ports (|)\n203.0.113.9, 1, 90, 2020-01-01, 2020-02-01, 22\n",
        "FIRE_EYE": "reportId, title, ip, cidr, malwareFamily\n1, a, 203.0.113.9, 198.51.100.0/24, FAMILY\n",
        "STIX": f'<?xml version="1.0"?>\n<stix:STIX_Package {spaces} timestamp="2024-02-27T09:00:00Z">\n'
        f"<cybox:Object>{properties}\n{value}</cybox:Properties></cybox:Object></stix:STIX_Package>\n",
        "STIX2": json.dumps({"type": "bundle", "id": "bundle--1", "objects": objects}, indent=1),
        "MISP": json.dumps({"name": "A list", "version": 20240227, "list": ["203.0.113.9", "198.51.100.0/24"]}, indent=1),
        "ONIONOO": json.dumps(
            {"version": "8.0", "relays_published": "2024-02-27 09:00:00", "relays": [{"exit_addresses": ["203.0.113.9"]}]}
        ),
        "TOR_EXITS": "ExitNode 0011223344556677889900112233445566778899\nPublished 2024-02-27 08:00:00\n"
        "LastStatus 2024-02-27 08:30:00\nExitAddress 203.0.113.9 2024-02-27 09:00:00\n",
    }
    assert set(whole) == set(all_list_formats()), "a list format has no seed"
    seeds = {name: Seed(text.encode()) for name, text in whole.items()}
    seeds["TXT in UTF-16"] = Seed(whole["TXT"].encode("utf-16"))
    seeds["IPSET in gzip"] = Seed(whole["IPSET"].encode(), gzip.compress)
    seeds["damaged gzip"] = Seed(gzip.compress(whole["TXT"].encode()))
    return seeds


def _geo_databases() -> dict[str, Seed]:
    names = {"names": {"en": "Munich", "de": "München"}}
    city = {"city": names, "country": {"iso_code": "DE", **names}, "location": {"latitude": 48.1, "longitude": 11.5}, "more": [1]}
    records = {"GeoIP2-City": city, "somebody-s": {"country_code": "DE", "asn": "AS64500", "as_name": "Example"}}
    networks = ("203.0.113.0/24", "198.51.100.0/25", "2001:db8::/32")
    return {kind: Seed(database(kind, dict.fromkeys(networks, record))) for kind, record in records.items()}


_SETTINGS = {
    "some": Seed(
        b'own_addresses = ["203.0.113.0/24"]\nthreat_lists = ["good=a.txt"]\ngeoip = []\nlearn_own_egress = true\n'
        b'authorised_scanners = ["198.51.100.7 until 2024-05-06: test"]\naccepted_behaviour = ["*-ci network"]\n'
        b"[thresholds]\n\"portscan.min_ports\" = 30\n'discovery.b1_apis' = 5\n"
    )
}


@cache
def _answers() -> Mapping[str, object]:
    group = {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": False, "IpProtocol": "tcp", "FromPort": 9200}
    others: dict[str, object] = {
        "describe-security-group-rules": {"SecurityGroupRules": [{**group, "ToPort": 9200, "CidrIpv4": "0.0.0.0/0"}]},
        "describe-managed-prefix-lists": {"PrefixLists": [{"PrefixListId": "pl-1", "PrefixListName": "office"}]},
        "describe-prefix-lists": {"PrefixLists": [{"PrefixListId": "pl-2", "PrefixListName": "s3", "Cidrs": ["192.0.2.0/24"]}]},
        "get-managed-prefix-list-entries": {"Entries": [{"Cidr": "198.51.100.0/24"}], "PrefixListId": "pl-1"},
        "describe-images": {"Images": [{"ImageId": "ami-1", "Description": "an image"}]},
        "describe-vpc-block-public-access-options": {
            "VpcBlockPublicAccessOptions": {"State": "update-complete", "InternetGatewayBlockMode": "off"}
        },
        "describe-vpc-block-public-access-exclusions": {
            "VpcBlockPublicAccessExclusions": [
                {"ExclusionId": "e-1", "ResourceArn": "arn:aws:ec2:us-east-1:123456789012:vpc/vpc-1"}
            ]
        },
        "snapshot": {"taken_at": "2024-05-06T07:10:00Z", "account_id": "123456789012", "region": "us-east-1", "notes": ["one"]},
    }
    whole = {**inventories.answers(), **others}
    assert {kind.name for kind in KINDS} == set(whole) - {"snapshot"}, "a kind of answer has no seed"
    return whole


def _inventories() -> dict[str, Seed]:
    return {name: Seed(json.dumps(answer).encode(), partial(_named, name)) for name, answer in _answers().items()}


def _named(name: str, document: bytes) -> bytes:
    return f"{name}\n".encode() + document


def _baselines() -> dict[str, Seed]:
    day = 15_000
    members: dict[str, bytes] = {"baseline.json": b'{"format": "vedette-baseline", "version": 1}'}
    for name in FOLDS:
        fields = {item.name: day if pa.types.is_integer(item.type) and item.name == "day" else None for item in schema_of(name)}
        row = {item.name: fields[item.name] or (1 if pa.types.is_integer(item.type) else "x") for item in schema_of(name)}
        if name != MARKS:
            members[f"{name}/{day}.parquet"] = _parquet(pa.Table.from_pylist([row], schema_of(name)))
    seeds = {"whole": Seed(_zip(members))}
    for name, data in members.items():
        seeds[name] = Seed(data, lambda damaged, name=name: _zip(members | {name: damaged}))  # type: ignore[misc]
    return seeds


def _zip(members: Mapping[str, bytes]) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_STORED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return sink.getvalue()


def _parquet(table: pa.Table) -> bytes:
    sink = io.BytesIO()
    parquet.write_table(table, sink)
    return sink.getvalue()


def _generations() -> dict[str, Seed]:
    part = Part(path="3/a.parquet", table="pending", day=19_000, rows=7, first_us=1, last_us=2, bins=((5, 7),))
    whole = Generation(number=3, states={"principal_days": (part,)}, pending=(part,), counts={"records": 9})
    return {"whole": Seed(whole.to_json().encode())}


def _stored_lists() -> dict[str, Seed]:
    whole = load_list(b"203.0.113.9 # a\n2001:db8::/32 # b\n", name="list", kind=Kind.MALICIOUS, format="IPSET")
    assert isinstance(whole.entries, Entries)
    return {"whole": Seed(packed(whole.entries))}


def _findings() -> dict[str, Seed]:
    odd = {"resource": {"a": (1, 2.5, None), "b": {"x"}, "c": START, "d": float("inf"), "$vedette": 1}}
    return {"plain": Seed(finding_text(finding(1)).encode()), "of every type": Seed(finding_text(finding(2, **odd)).encode())}
