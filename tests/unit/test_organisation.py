"""The simulated organisation: the same bytes from the same seed, enough ordinary life, and true words on its attacks."""

import csv
import gzip
import hashlib
import json
import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path

import pytest
from bench.organisation import ATTACK_KINDS, EXAMPLES, OrganisationTruth, write_organisation
from bench.organisation.attack_kinds import CATEGORIES, KINDS
from bench.organisation.attack_truth import AttackTruth

from vedette.catalog import lookup
from vedette.catalog.agents import describe
from vedette.errors import ConfigurationError, NotFoundError
from vedette.logs.cloudtrail.record import caller_in

FILE = re.compile(
    r"AWSLogs/123456789012/CloudTrail/(?P<region>[a-z]{2}-[a-z]+-\d)/(?P<day>\d{4}/\d{2}/\d{2})/"
    r"123456789012_CloudTrail_(?P=region)_(?P<time>\d{8}T\d{4}Z)_[A-Za-z0-9]{16}\.json\.gz"
)
PRINCIPALS, DAYS, EVENTS_PER_DAY, ATTACKS = 72, 50, 1_500, 24
TWO_WEEKS, AN_HOUR, THIRTY_DAYS = timedelta(days=14), timedelta(hours=1), timedelta(days=30)


@dataclass(frozen=True, slots=True)
class Seen:
    """A record, as far as the tests look at it, with the number of its network."""

    at: datetime
    api: str
    address: str
    agent: str
    key: str
    asn: str
    read_only: bool
    session: str


@dataclass(slots=True)
class Organisation:
    """What was written, read again."""

    folder: Path
    truth: OrganisationTruth
    records: dict[str, dict] = field(default_factory=dict)
    paths: dict[str, str] = field(default_factory=dict)
    histories: dict[str, list[Seen]] = field(default_factory=lambda: defaultdict(list))

    def before(self, principal: str, at: datetime) -> list[Seen]:
        """Return what the principal did before that moment."""
        history = self.histories[principal]
        return history[: bisect_left(history, at, key=lambda seen: seen.at)]


def records_of(folder: Path) -> Iterator[tuple[str, dict]]:
    for path in sorted(folder.rglob("*.json.gz")):
        for record in json.loads(gzip.decompress(path.read_bytes()))["Records"]:
            yield str(path.relative_to(folder)), record


def networks_of(folder: Path) -> list[tuple[IPv4Network | IPv6Network, dict[str, str]]]:
    with (folder / "networks.csv").open(encoding="utf-8", newline="") as file:
        return [(ip_network(row["network"]), row) for row in csv.DictReader(file)]


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def organisation(tmp_path_factory: pytest.TempPathFactory) -> Organisation:
    folder = tmp_path_factory.mktemp("organisation")
    truth = write_organisation(folder, principals=PRINCIPALS, days=DAYS, events_per_day=EVENTS_PER_DAY, attacks=ATTACKS)
    found = Organisation(folder, truth)
    networks, asns, principals = networks_of(folder), {}, {}
    for path, record in records_of(folder):
        found.paths[record["eventID"]] = path
        identity, address = json.dumps(record["userIdentity"]), record["sourceIPAddress"]
        if identity not in principals:
            principals[identity] = caller_in(identity.encode())[0]
        if address not in asns:
            (asns[address],) = {row["asn"] for network, row in networks if ip_address(address) in network}
        caller = principals[identity]
        found.records[record["eventID"]] = record
        found.histories[str(caller.principal)].append(
            Seen(
                moment(record["eventTime"]),
                f"{record['eventSource'].partition('.')[0]}:{record['eventName']}",
                address,
                record["userAgent"],
                record["userIdentity"].get("accessKeyId", ""),
                asns[address],
                record["readOnly"],
                caller.session_name or "",
            )
        )
    for history in found.histories.values():
        history.sort(key=lambda seen: (seen.at, seen.api))
    return found


def written(folder: Path) -> dict[str, tuple[str, float]]:
    return {
        str(path.relative_to(folder)): (hashlib.sha256(path.read_bytes()).hexdigest(), path.stat().st_mtime)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_same_seed_writes_the_same_bytes_and_dates(tmp_path: Path) -> None:
    for name, seed in (("first", 3), ("second", 3), ("other", 4)):
        write_organisation(
            tmp_path / name,
            seed=seed,
            principals=20,
            days=22,
            events_per_day=300,
            attacks=2,
            kinds=["stolen-ci-key", "example-a"],
        )
    assert written(tmp_path / "first") == written(tmp_path / "second")
    assert set(written(tmp_path / "first")) != set(written(tmp_path / "other"))


def test_numbers_are_as_asked_for_and_as_told(organisation: Organisation) -> None:
    truth = organisation.truth
    assert truth.events == len(organisation.records) >= DAYS * EVENTS_PER_DAY
    assert truth.files == len(set(organisation.paths.values()))
    assert len(truth.principals) == len({item.key for item in truth.principals}) == PRINCIPALS
    assert len({item.kind for item in truth.principals}) == 10
    assert Counter(attack.kind for attack in truth.attacks) == {kind.name: ATTACKS // 12 for kind in ATTACK_KINDS}
    assert len({attack.principal for attack in truth.attacks}) == ATTACKS
    told = json.loads((organisation.folder / "organisation_truth.json").read_bytes())
    assert told == json.loads(json.dumps(truth.document()))


def test_files_are_named_and_cut_as_they_are_delivered(organisation: Organisation) -> None:
    found = {path: FILE.fullmatch(path) for path in organisation.paths.values()}
    delivered = {path: datetime.strptime(f"{name['time']}+0000", "%Y%m%dT%H%MZ%z") for path, name in found.items() if name}
    for event_id, path in organisation.paths.items():
        record, name = organisation.records[event_id], found[path]
        assert name
        assert record["awsRegion"] == name["region"]
        assert timedelta() < delivered[path] - moment(record["eventTime"]) <= timedelta(minutes=70)
        assert f"{delivered[path]:%Y/%m/%d}" == name["day"]


def test_every_principal_has_the_key_that_the_truth_says(organisation: Organisation) -> None:
    assert set(organisation.histories) == {item.key for item in organisation.truth.principals}


def test_two_weeks_give_enough_history(organisation: Organisation) -> None:
    late = 0
    for item in organisation.truth.principals:
        history = organisation.histories[item.key]
        begin = moment(f"{item.first_day}T00:00:00Z")
        late += item.first_day > organisation.truth.first_day
        reads = [seen for seen in history if seen.read_only and seen.at < begin + TWO_WEEKS]
        assert history[0].at - begin < timedelta(days=3), item
        assert len({seen.at.date() for seen in reads}) >= 7, item
        assert len(reads) >= 50, item
    assert 0 < late < 10


def test_every_call_of_an_attack_is_in_the_files(organisation: Organisation) -> None:
    for attack in organisation.truth.attacks:
        for call in attack.calls:
            record = organisation.records[call.event_id]
            caller, _ = caller_in(json.dumps(record["userIdentity"]).encode())
            assert caller.principal == attack.principal
            assert (record["sourceIPAddress"], record["eventTime"]) == (attack.address, call.time)
            assert record["awsRegion"] == call.region
            assert ("errorCode" in record) == call.denied
            assert describe(record["userAgent"]).family == describe(attack.agent).family
        first = organisation.records[attack.calls[0].event_id]
        assert first["userIdentity"].get("accessKeyId") == attack.access_key
        assert attack.first_call == attack.calls[0].time <= attack.calls[-1].time == attack.last_call


def test_a_call_is_new_only_if_it_was_never_made_before(organisation: Organisation) -> None:
    for attack in organisation.truth.attacks:
        day = moment(attack.first_call[:10] + "T00:00:00Z")
        known = {seen.api for seen in organisation.before(attack.principal, day)}
        for call in attack.calls:
            record = organisation.records[call.event_id]
            name = f"{record['eventSource'].partition('.')[0]}:{record['eventName']}"
            assert call.new == (name not in known), (attack.kind, call)
        assert sum(attack.categories.values()) > 0
        assert attack.categories[attack.category] == max(attack.categories.values())


def test_the_sure_codes_are_borne_out_by_the_records(organisation: Organisation) -> None:
    countries = {row["asn"]: row["country"] for _, row in networks_of(organisation.folder)}
    for attack in organisation.truth.attacks:
        true = _circumstances(organisation, attack, countries)
        assert set(attack.codes) - set(KINDS[attack.kind].possible.split()) <= true, (attack.kind, attack.principal)
        assert not true - set(attack.codes) - set(attack.possible), (attack.kind, attack.principal)
        assert attack.network_new == ("N1" in true)


def _circumstances(organisation: Organisation, attack: AttackTruth, countries: dict[str, str]) -> set[str]:
    """Return those codes of methods 5.4 that can be told from the records without peers, by a reckoning of its own."""
    at = moment(attack.first_call)
    known = organisation.before(attack.principal, moment(attack.first_call[:10] + "T00:00:00Z"))
    new = {call.api for call in attack.calls if call.new}
    services = {api.partition(":")[0] for api in new} - {seen.api.partition(":")[0] for seen in known}
    others = [seen for key, history in organisation.histories.items() if key != attack.principal for seen in history]
    slow = attack.kind == "slow-enumeration"
    near = [seen for seen in organisation.histories[attack.principal] if abs(seen.at - at) <= AN_HOUR]
    earlier = {_category(seen) for seen in known}
    keyed = [seen.at for seen in known if seen.key == attack.access_key]
    told = {
        "G1": bool(new),
        "G2": bool(services),
        "G3": any(category not in earlier for category in attack.categories),
        "N1": str(attack.asn) not in {seen.asn for seen in known},
        "N2": attack.network_kind in {"hosting", "vpn"} or str(attack.asn) not in {seen.asn for seen in others},
        "N3": attack.country not in {countries[seen.asn] for seen in known},
        "N4": any(seen.key == attack.access_key and seen.asn != str(attack.asn) for seen in near),
        "U1": describe(attack.agent).family not in {describe(seen.agent).family for seen in known},
        "U2": describe(attack.agent).attack != "",
        "B1": len(new) >= 5 and not slow and attack.kind != "console-hijack",
        "S1": len(new) >= 6 and slow,
        "D1": len({call.api for call in attack.calls if call.denied}) >= 3,
        "D2": any(call.denied and call.new for call in attack.calls),
        "C1": "sts:GetCallerIdentity" in new,
        "K1": attack.access_key.startswith("AKIA") and (not keyed or at - keyed[-1] >= THIRTY_DAYS),
        "E1": describe(attack.agent).kind == "console",
        "B2": len({api.partition(":")[0] for api in new}) >= 4 and not slow,
    }
    # The usual place of a program is hosting too: what counts is that it is new.
    told["N2"] &= told["N1"]
    return {code for code, holds in told.items() if holds}


def _category(seen: Seen) -> str:
    service, _, name = seen.api.partition(":")
    known = lookup(f"{service}.amazonaws.com", name, seen.read_only)
    return known.category if known.listed else "none"


def test_kinds_say_what_their_points_make() -> None:
    assert {kind.name for kind in ATTACK_KINDS if not kind.balanced} == {"own-network"}
    assert {kind.name: kind.least_points for kind in EXAMPLES} == {"example-a": 1, "example-b": 1, "example-d": 5, "example-e": 2}
    for kind in KINDS.values():
        assert not set(kind.codes.split()) & set(kind.possible.split())


@pytest.mark.parametrize("api", CATEGORIES)
def test_attacks_ask_what_the_catalogue_knows(api: str) -> None:
    service, _, operation = api.partition(":")
    known = lookup(f"{service}.amazonaws.com", operation, read_only=True)
    assert (known.discovery, known.listed, known.category) == (True, True, CATEGORIES[api])


def test_instances_change_every_day_and_stay_one_principal(organisation: Organisation) -> None:
    for item in organisation.truth.principals:
        if item.kind == "instance-role":
            days = defaultdict(set)
            for seen in organisation.histories[item.key]:
                days[seen.at.date()].add(seen.session)
            assert len(days) == DAYS
            assert sum(map(len, days.values())) == len(set[str]().union(*days.values()))


def test_a_new_page_is_tried_by_many_within_two_days(organisation: Organisation) -> None:
    for wave in organisation.truth.waves:
        begin = moment(f"{wave.first_day}T00:00:00Z")
        operation = wave.calls[0].partition(":")[2]
        callers = {
            key
            for key, history in organisation.histories.items()
            for seen in history
            if seen.api.endswith(f":{operation}") and begin <= seen.at < begin + timedelta(days=2)
        }
        assert callers <= set(wave.followers)
        if begin.weekday() < 5:
            assert len(callers) >= 4


def test_people_travel_and_new_things_happen_without_an_attack(organisation: Organisation) -> None:
    attacked = {attack.principal for attack in organisation.truth.attacks}
    hotels = {row["asn"] for _, row in networks_of(organisation.folder) if row["organisation"].startswith("Hotel")}
    travelled, found_new = set(), set()
    for item in organisation.truth.principals:
        history = organisation.histories[item.key]
        if item.key in attacked or not item.key.startswith("sso:"):
            continue
        travelled |= {item.key for seen in history if seen.asn in hotels}
        learned = {seen.api for seen in history if seen.at < history[0].at + TWO_WEEKS}
        found_new |= {item.key for seen in history if seen.api not in learned}
    assert len(travelled) >= 3
    assert len(found_new) >= 10


@pytest.mark.parametrize("kind", EXAMPLES, ids=lambda kind: kind.name)
def test_an_example_can_be_played_alone(kind: object, tmp_path: Path) -> None:
    name = kind.name  # type: ignore[attr-defined]
    truth = write_organisation(tmp_path, principals=20, days=26, events_per_day=400, attacks=1, kinds=[name])
    (attack,) = truth.attacks
    assert attack.kind == name
    assert all(call.new for call in attack.calls)
    assert attack.network_new == (name == "example-d")


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"principals": 9}, "principals 9"),
        ({"days": 0, "attacks": 0}, "days 0"),
        ({"days": 30}, "days 30: attacks need"),
        ({"attacks": -1}, "attacks -1"),
        ({"principals": 20}, "is left to attack"),
    ],
)
def test_what_cannot_be_played_is_refused_before_anything_is_written(wrong: dict[str, int], words: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(words)):
        write_organisation(tmp_path / "out", **wrong)
    assert not (tmp_path / "out").exists()


def test_an_unknown_kind_is_refused_with_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"'stolen-cat'; choose one of .*stolen-ci-key"):
        write_organisation(tmp_path, kinds=["stolen-cat"])


def test_a_folder_with_something_in_it_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("x")
    with pytest.raises(ConfigurationError, match="is not empty"):
        write_organisation(tmp_path, principals=20, days=1, attacks=0)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
