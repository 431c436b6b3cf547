"""The worked examples of permission discovery, each in an organisation with a past, and the stolen key of the demo."""

import csv
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from bench.organisation import NETWORKS, write_organisation
from bench.organisation.attack_truth import AttackTruth, OrganisationTruth
from geo_database import database
from ground_truth import scanned
from scanning import Outcome, scan

from vedette.findings import Finding
from vedette.simulate.world import simulate
from vedette.sources import Span, list_blobs

TYPES = {f"Recon:IAMUser/{name}Permissions" for name in ("Network", "Resource", "User")}
VICTIM = "arn:aws:iam::123456789012:user/backup-copier"


def played(folder: Path, **numbers: object) -> OrganisationTruth:
    """Write an organisation of 40 over 26 days; ``numbers`` change that."""
    usual: dict[str, object] = {"principals": 40, "days": 26, "events_per_day": 1_500}
    return write_organisation(folder / "organisation", **{**usual, **numbers})  # type: ignore[arg-type]


def geolocation(folder: Path) -> tuple[str, str]:
    """Write databases of the owners and countries of an organisation's networks."""
    owners: dict[str, object] = {}
    countries: dict[str, object] = {}
    with (folder / "organisation" / NETWORKS).open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            number, name = int(row["asn"]), row["organisation"]
            owners[row["network"]] = {"autonomous_system_number": number, "autonomous_system_organization": name}
            countries[row["network"]] = {"country": {"iso_code": row["country"], "names": {"en": row["country"]}}}
    paths = folder / "asn.mmdb", folder / "country.mmdb"
    paths[0].write_bytes(database("GeoLite2-ASN", owners))
    paths[1].write_bytes(database("GeoLite2-Country", countries))
    return str(paths[0]), str(paths[1])


def found_in(folder: Path, **settings: object) -> Outcome:
    blobs = list_blobs(str(folder / "organisation" / "AWSLogs"), Span())
    return scan(blobs, geoip=geolocation(folder), **settings)


def of_attack(attack: AttackTruth, findings: Iterable[Finding]) -> list[Finding]:
    """Return the discovery findings of the victim on the attack's days."""
    first = datetime.fromisoformat(attack.first_call) - timedelta(minutes=15)
    last = datetime.fromisoformat(attack.last_call) + timedelta(minutes=15)
    return [
        item
        for item in findings
        if item.seen.finding_type in TYPES
        and item.seen.target.startswith(attack.principal)
        and item.seen.first.time <= last
        and item.seen.last.time >= first
    ]


def codes(finding: Finding) -> set[str]:
    return {name for name in finding.summary.observed if len(name) == 2 and name[1].isdigit()}


def points(findings: Iterable[Finding]) -> float:
    return max((item.summary.observed["points"] for item in findings), default=0)


# Severity of the finding that the balanced profile must make of each, None for none (methods 5.4).
EXAMPLES: Mapping[str, int | None] = {
    "example-a": None,  # a developer opens a new page at the office
    "example-b": None,  # a new version of Terraform's provider
    "stolen-user-key-cli": 8,  # example (c)
    "example-d": 5,  # a first call from a new network
    "instance-credentials-outside": 8,
    "stolen-ci-key": 8,
    "pacu-enumeration": 8,
    "identity-then-sweep": 8,
    "slow-enumeration": 8,
    "denied-probing": 8,
    "console-hijack": 5,
}


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> tuple[OrganisationTruth, Outcome]:
    """Play an example of each in one organisation, and scan it."""
    folder = tmp_path_factory.mktemp("examples")
    truth = played(folder, principals=60, attacks=len(EXAMPLES), kinds=list(EXAMPLES))
    return truth, found_in(folder)


@pytest.mark.parametrize("name", EXAMPLES)
@pytest.mark.xdist_group("discovery-examples")
def test_an_example_ends_as_it_should(name: str, examples: tuple[OrganisationTruth, Outcome]) -> None:
    truth, outcome = examples
    (attack,) = (attack for attack in truth.attacks if attack.kind == name)
    found = of_attack(attack, outcome.findings)
    severity = EXAMPLES[name]
    assert bool(found) == (severity is not None)
    if severity is not None:
        assert max(item.summary.severity for item in found) >= severity
        assert points(found) >= attack.least_points >= 5
        # The service and the category may be told by findings of other categories, or be known to a victim.
        assert set(attack.codes) <= set[str]().union(*map(codes, found)) | {"G2", "G3"}
        assert any(f"/{attack.category.title()}Permissions" in item.seen.finding_type for item in found)


@pytest.mark.parametrize(("profile", "is_found"), [("balanced", False), ("sensitive", True)])
def test_one_careful_call_is_a_near_miss(profile: str, is_found: bool, tmp_path: Path) -> None:
    """Example (e): the stated blind spot of the balanced profile."""
    (attack,) = played(tmp_path, attacks=1, kinds=["example-e"]).attacks
    assert bool(of_attack(attack, found_in(tmp_path, detection_profile=profile).findings)) == is_found


def test_ordinary_life_of_a_month_raises_next_to_nothing(tmp_path: Path) -> None:
    """Consoles, tours, travel, nights, new hires, Terraform, posture scans and instances that come and go."""
    truth = played(tmp_path, attacks=0, days=30)
    outcome = found_in(tmp_path)
    found = [item for item in outcome.findings if item.seen.finding_type in TYPES]
    days = len(truth.principals) * 30
    assert 1_000 * len(found) / days <= 2, [(item.seen.target, item.summary.observed) for item in found]
    programs = {
        item.key for item in truth.principals if item.kind in {"terraform-role", "posture-role", "instance-role", "lambda-role"}
    }
    assert not [item for item in found if item.seen.target in programs]


def test_the_stolen_key_of_the_demo_raises_all_three_types(tmp_path: Path) -> None:
    simulate(["stolen-key"], tmp_path / "out", seed=7)
    found = scanned(tmp_path / "out", finding_types=()).findings
    assert {item.seen.finding_type: item.seen.count for item in found} == stated(tmp_path / "out")
    assert {item.seen.target for item in found} == {VICTIM}
    for item in found:
        assert item.summary.severity == 8
        assert {"G1", "N1", "N2", "U1", "U2", "B1"} <= codes(item)
    by_type = {item.seen.finding_type.partition("/")[2]: item for item in found}
    for item in found:  # where it came from, and from where alone the job usually comes
        (said,) = [reason for reason in item.summary.reasons if reason.startswith("N1")]
        assert "came from 198.51.0.0/16," in said
        assert said.endswith("; before, it had used only 203.0.0.0/16.")
    assert {"C1", "D1", "D2"} <= codes(by_type["UserPermissions"])
    assert "S1" in codes(by_type["ResourcePermissions"])


def stated(folder: Path) -> Mapping[str, int]:
    """Return how many calls of each finding type the ground truth states."""
    (scenario,) = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))["scenarios"]
    return {item["type"]: item["count"] for item in scenario["findings"]}


def test_without_a_past_of_two_weeks_only_grave_circumstances_count(tmp_path: Path) -> None:
    """The same attack on the fourth day of an archive, with nobody's history (methods 5.5)."""
    simulate(["stolen-key"], tmp_path / "out", seed=7)
    blobs = list_blobs(str(tmp_path / "out" / "AWSLogs"), Span())
    late = [blob for blob in blobs if not early(blob.name)]
    outcome = scan(late)
    assert {mode for item in outcome.findings for mode in item.seen.tallies["modes"]} == {"learning"}
    assert all("U2" in codes(item) for item in outcome.findings)


def early(name: str) -> bool:
    """Tell whether a file is of the first half of the simulation."""
    return "/2026/03/0" in name or "/2026/02/" in name
