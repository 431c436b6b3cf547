"""What past episodes would be under other numbers, what a finding says of its score, and behaviour that is accepted."""

import json
import re
import shlex
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow as pa
import pytest
from commands import Ended, Vedette, run
from geo_database import database
from hypothesis import given
from hypothesis import strategies as st
from notation import blob, calls
from scanning import scan
from stores import finding as some_finding

from vedette.baseline import ScoredEpisode, remembered
from vedette.baseline.episodes import EPISODES
from vedette.baseline.numbers import numbers
from vedette.baseline.tables import schema_of
from vedette.baseline.what_if import POINTS, compare, judge, scored_otherwise
from vedette.baseline.what_if import parse as changes
from vedette.detections import all_detections
from vedette.detections.network_permissions import DETECTION as NETWORK
from vedette.errors import ConfigurationError
from vedette.exceptions.accepted import accepted, parse
from vedette.exceptions.entry import read
from vedette.findings import Finding, Moment, Tally
from vedette.network.geo import Geo
from vedette.pipeline.enrichment import Enrichment
from vedette.sql.scores import CODES, MITIGATIONS
from vedette.state_files.generation import Generation
from vedette.state_files.location import Folder
from vedette.state_files.tables import write_table
from vedette.store import Store

ALICE = "arn:aws:iam::123456789012:user/alice"
BOB = "arn:aws:iam::123456789012:user/bob"
NUMBERS = numbers("balanced", {})
AT = datetime(2026, 3, 14, 12, tzinfo=UTC)
US = int(AT.timestamp()) * 1_000_000


def episode(**said: object) -> ScoredEpisode:
    usual = ScoredEpisode(
        account_id="123456789012",
        who=ALICE,
        principal=ALICE,
        categories=("network",),
        begun_us=US,
        last_us=US + 60_000_000,
        calls=2,
        codes={"g1": 2, "n1": 2, "g3": 1},
        points=5,
        needed=5,
        mode="full",
        admitted=True,
        api="ec2:DescribeSecurityGroups",
        address="198.51.100.7",
    )
    return replace(usual, **said)


NEAR = episode(codes={"g1": 2, "n1": 2}, points=4, who=BOB, principal=BOB)


@pytest.mark.parametrize(
    ("given_changes", "appear", "vanish"),
    [
        (["profile=balanced"], [], []),
        (["profile=sensitive"], [BOB], []),
        (["profile=quiet"], [], [ALICE]),
        (["threshold=6"], [], [ALICE]),
        (["threshold=4"], [BOB], []),
        (["discovery.needed=4"], [BOB], []),
        (["discovery.n1=3"], [BOB], []),
        (["discovery.g3=0"], [], [ALICE]),
        (["discovery.g3=0", "threshold=4"], [BOB], []),
        (["suppress=N1"], [], [ALICE]),
        ([f"suppress={ALICE}"], [], [ALICE]),
        (["suppress=arn:aws:iam::123456789012:user/carol"], [], []),
        ([f"suppress={BOB}", "profile=sensitive"], [], []),
    ],
)
def test_what_would_appear_and_vanish(given_changes: list[str], appear: list[str], vanish: list[str]) -> None:
    new, gone = compare([episode(), NEAR], changes(given_changes), NUMBERS)
    assert [item.before.who for item in new] == appear
    assert [item.before.who for item in gone] == vanish


@pytest.mark.parametrize(
    ("codes", "given_change", "points"),
    [
        ({"g1": 3}, "discovery.g1=5", 6),  # a telling call is worth one more
        ({"g1": 1}, "discovery.g1=5", 4),
        ({"g1": 2, "b1": 2}, "discovery.b1=4", 6),
        ({"g1": 2, "b1": 1}, "discovery.b1=4", 3),
        ({"g1": 2, "b1": 1}, "discovery.b1_few=4", 6),
        ({"g1": 2, "r1": 2}, "discovery.root=5", 7),
        ({"g1": 2, "e3": -2}, "discovery.e3=0", 2),
        ({"g1": 2, "e3": -2}, "discovery.e3=9", 0),
        ({"g1": 2, "e3": -2}, "suppress=e3", 2),
    ],
)
def test_points_are_added_up_anew(codes: Mapping[str, int], given_change: str, points: int) -> None:
    before = episode(codes=codes, points=max(0, sum(codes.values())))
    assert judge(before, changes([given_change]), NUMBERS).after.points == points


def test_peers_still_need_one_point_more_and_what_let_them_count_must_stay() -> None:
    of_peers = episode(mode="peers", needed=6, points=8, codes={"g1": 2, "n1": 2, "d1": 2, "n2": 1, "g2": 1})
    assert judge(of_peers, changes(["threshold=7"]), NUMBERS).found
    assert not judge(of_peers, changes(["threshold=8"]), NUMBERS).found
    assert judge(of_peers, changes(["threshold=3", "suppress=d1"]), NUMBERS).found
    assert not judge(of_peers, changes(["threshold=3", "suppress=d1", "suppress=n2"]), NUMBERS).found
    learning = episode(mode="learning", admitted=False, points=20)
    assert not judge(learning, changes(["threshold=0"]), NUMBERS).found


@given(
    codes=st.dictionaries(st.sampled_from(CODES), st.integers(1, 5)),
    mitigations=st.dictionaries(st.sampled_from(MITIGATIONS), st.integers(-5, -1)),
)
def test_more_points_for_a_finding_never_make_one(codes: dict[str, int], mitigations: dict[str, int]) -> None:
    one = episode(codes=codes | mitigations, points=max(0, sum(codes.values()) + sum(mitigations.values())))
    found = [judge(one, changes([f"threshold={needed}"]), NUMBERS).found for needed in range(30)]
    assert found == sorted(found, reverse=True)
    assert [item for group in compare([one], changes([]), NUMBERS) for item in group] == []


def test_every_code_has_points_that_can_be_tried() -> None:
    assert {"r1" if name == "root" else name for name in POINTS} - {"b1_few"} == {*CODES, *MITIGATIONS}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("profile", "NAME=VALUE"),
        ("threshold=", "NAME=VALUE"),
        ("profile=loud", "sensitive, balanced, quiet"),
        ("threshold=many", "many"),
        ("threshold=nan", "number of 0 or more"),
        ("discovery.n1=-1", "number of 0 or more"),
        ("discovery.history_days=3", "scan again"),
        ("discovery.near=3", "scan again"),
        ("discovery.n9=3", "did you mean"),
    ],
)
def test_a_change_that_cannot_be_tried_is_named(text: str, said: str) -> None:
    with pytest.raises(ConfigurationError, match=re.escape(said)) as raised:
        changes([text, "colour=red"])
    assert "colour=red" in str(raised.value)


def sheet(**said: object) -> dict[str, object]:
    told = {"points": 5, "us": US, "record_id": "r", "codes": "g1=2 n1=2 g3=1 e1=0", "mode": "full", "admitted": 1, "needed": 5}
    return told | {"api": "ec2:DescribeVpcs", "address": "198.51.100.7"} | said


def state(folder: Path, rows: list[dict[str, object]]) -> Generation:
    row = {"day": 20_526, "account_id": "123456789012", "who": ALICE, "principal": ALICE, "category": "network", "begun_us": US}
    table = pa.Table.from_pylist([row | {"last_us": US, "calls": 1} | one for one in rows], schema_of(EPISODES))
    return Generation(number=1, states={EPISODES: (write_table(Folder(folder), 1, EPISODES, 20_526, table),)})


def test_categories_of_an_episode_are_one_episode_with_its_best_score(tmp_path: Path) -> None:
    rows = [{"category": "user", "sheet": sheet(points=3, codes="g1=2 g3=1")}, {"category": "network", "sheet": sheet()}]
    (one,) = remembered(state(tmp_path, rows), Folder(tmp_path))
    assert (one.categories, one.points, one.calls, one.codes) == (("network", "user"), 5, 2, {"g1": 2, "n1": 2, "g3": 1})
    assert one.found
    assert remembered(state(tmp_path, rows), Folder(tmp_path), BOB) == []


@pytest.mark.parametrize("codes", ["", "g1", "g1=x =3 n1=", "g1=99999999999999999999", "\x00=\u0663"])
def test_a_strange_sheet_is_read_as_far_as_it_can_be(tmp_path: Path, codes: str) -> None:
    (one,) = remembered(state(tmp_path, [{"sheet": sheet(codes=codes, us=-(2**63))}, {"sheet": None}]), Folder(tmp_path))
    assert judge(one, changes(["threshold=6"]), NUMBERS).before == one


NETWORK_CALLS = ("DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeRouteTables", "DescribeVpcs", "DescribeSubnets")


def lines() -> list[str]:
    """Three weeks in an office, then an attack, and a single call from elsewhere that is a near miss."""
    said = [
        f"2026-03-{day:02}T{hour:02}:00:00Z {who} 192.0.2.10 ec2:DescribeInstances"
        for day in range(1, 21)
        for who in ("alice", "bob")
        for hour in range(9, 15)
    ]
    said += [f"2026-03-23T10:{minute:02}:00Z alice 198.51.100.7 ec2:{name} denied" for minute, name in enumerate(NETWORK_CALLS)]
    return [*said, "2026-03-24T10:00:00Z bob 192.0.2.10 ec2:DescribeSecurityGroups denied"]


@pytest.fixture(scope="module")
def scanned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    store = tmp_path_factory.mktemp("scanned") / "case.db"
    scan([blob(calls(lines()))], store=f"sqlite:///{store}")
    return store


@pytest.fixture
def vedette(scanned: Path, monkeypatch: pytest.MonkeyPatch) -> Vedette:
    """Run a command beside a store that has an attack and a near miss in it."""
    monkeypatch.chdir(scanned.parent)

    def beside(*arguments: str) -> Ended:
        return run(*arguments, "--store", "case.db")

    return beside


def finding_of(scanned: Path) -> Finding:
    with Store.open(f"sqlite:///{scanned}", create=False) as store:
        (found,) = store.findings()
    return found


def test_the_command_shows_both_lists_and_changes_nothing(vedette: Vedette, scanned: Path) -> None:
    before = {path: path.read_bytes() for path in scanned.parent.rglob("*.parquet")}
    found = finding_of(scanned)
    ended = vedette("what-if", "profile=sensitive")
    assert (ended.status, "Would appear: 1 episode" in ended.out, "Would vanish: 0 episodes" in ended.out) == (0, True, True)
    assert BOB in ended.out.replace("\n", "")
    assert "those below 3 points are not kept" in ended.err
    ended = vedette("what-if", f"suppress={ALICE}")
    assert (ended.status, f"finding {found.id[:12]}" in ended.out, "suppressed" in ended.out) == (0, True, True)
    assert max(map(len, ended.out.splitlines())) <= 80
    ended = vedette("what-if", "threshold=40", "--format", "json")
    told = json.loads(ended.out)
    assert (told["changes"], told["appear"]) == (["threshold=40"], [])
    assert [(item["who"], item["findings"]) for item in told["vanish"]] == [(ALICE, [found.id])]
    assert told["vanish"][0]["after"]["needed"] == 40
    assert finding_of(scanned) == found
    assert {path: path.read_bytes() for path in scanned.parent.rglob("*.parquet")} == before


def test_the_command_says_when_the_scan_had_other_settings(vedette: Vedette, scanned: Path) -> None:
    assert "other settings" not in vedette("what-if", "profile=sensitive").err
    (scanned.parent / "other.toml").write_text("[thresholds]\ndiscovery.needed = 6\ndiscovery.g1 = 3\n", encoding="utf-8")
    for form in ("table", "json"):
        ended = vedette("what-if", "discovery.n1=3", "--config", "other.toml", "--format", form)
        assert ended.status == 0
        assert "other settings than those in force now: discovery.g1 2 (now 3), discovery.needed 5 (now 6)" in ended.err


def test_an_episode_is_judged_by_the_settings_that_its_finding_keeps() -> None:
    """An episode of 3 points for G1, which was worth 2 (its call added 1), is one of 6 with 5 for it, and not of 5."""
    odd = episode(codes={"g1": 3, "n1": 2}, points=5, needed=5)
    (appear, vanish), (given, _) = (
        compare([replace(odd, needed=6)], changes(["discovery.g1=4"]), {**NUMBERS, "g1": 3}, scored)
        for scored in ({0: {"g1": 2}}, {})
    )
    assert [item.after.codes["g1"] for item in appear] == [5]
    assert [item.after.codes["g1"] for item in given] == [4]
    assert vanish == []


@given(st.dictionaries(st.sampled_from(["needed", "g1", "n1"]), st.integers(0, 9)), st.booleans())
def test_only_settings_that_differ_are_said_to_differ(kept: dict[str, int], peers: bool) -> None:
    needed = NUMBERS["needed"] + peers
    some = [episode(needed=needed, mode="peers" if peers else "full")]
    told = scored_otherwise(some, [kept, {"unknown": 1}], NUMBERS)
    assert told == {name: [value] for name, value in kept.items() if value != NUMBERS[name]}
    assert scored_otherwise([episode(needed=99)], [], NUMBERS) == {"needed": [99]}


def test_the_command_agrees_with_a_scan_by_other_numbers(vedette: Vedette, scanned: Path) -> None:
    now = {finding.seen.target for finding in scan([blob(calls(lines()))]).findings}
    for change, settings in (
        ("profile=sensitive", {"detection_profile": "sensitive"}),
        ("threshold=12", {"thresholds": {"discovery.needed": 12}}),
        ("discovery.g3=3", {"thresholds": {"discovery.g3": 3}}),
        ("discovery.b1=0", {"thresholds": {"discovery.b1": 0}}),
    ):
        then = {finding.seen.target for finding in scan([blob(calls(lines()))], **settings).findings}
        told = json.loads(vedette("what-if", change, "--format", "json").out)
        assert {item["who"] for item in told["appear"]} == then - now, change
        assert {item["who"] for item in told["vanish"]} == now - then, change


def test_explain_prints_the_score_sheet(vedette: Vedette, scanned: Path) -> None:
    found = finding_of(scanned)
    ended = vedette("explain", found.id)
    assert ended.status == 0
    told = ended.out.split("Score sheet\n")[1]
    points = [float(number) for number in re.findall(r"^  [A-Z]\d +([+-]\d+)  ", told, re.MULTILINE)]
    total = found.summary.observed["points"]
    assert sum(points) == total
    assert f"{total:g}  in total; 5 make a finding" in told
    assert "Other episodes" not in told


def test_explain_tells_of_near_misses_of_the_same_principal(
    vedette: Vedette, scanned: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = episode(begun_us=US - 86_400_000_000, last_us=US - 86_400_000_000, points=4, codes={"g1": 2, "n1": 2})
    monkeypatch.setattr("vedette.baseline.remembered", lambda *_: [near])
    told = vedette("explain", finding_of(scanned).id).out
    assert "Other episodes of this principal\n  2026-03-13 12:00  " in told
    assert told.endswith("    a near miss\n")


def test_reasons_end_with_what_would_have_lowered_the_score_and_an_entry_that_accepts_it(scanned: Path) -> None:
    *_, less, last = finding_of(scanned).summary.reasons
    assert "(E5 -1)" in less
    (word,) = shlex.split(last.removeprefix("To accept it: "))
    name, _, entry = word.partition("=")
    assert (name, entry) == ("VEDETTE_ACCEPTED_BEHAVIOUR", f"{ALICE} network until 2026-06-21: reviewed")
    assert accepted(finding_of(scanned), parse([entry])).archived


def scored(target: str, **facts: float) -> Finding:
    """A discovery finding whose words are made by its summary."""
    codes = {f"{'mitigation' if name.startswith('e') else 'code'}:{name}": points for name, points in facts.items()}
    raw = some_finding(finding_type=NETWORK.finding_type, target=target, facts=codes | {"needed": 5.0})
    return replace(raw, summary=NETWORK.summarise(raw, NETWORK.values({})))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({"g1": 2, "n1": 2, "g3": 1}, "without N1 (2)."),
        ({"g1": 2, "n1": 2, "b1": 2, "d1": 2, "g3": 1}, "without B1 (2) and D1 (2) and N1 (2)."),
        ({"g1": 3, "t1": 3}, "without T1 (3)."),
    ],
)
def test_the_fewest_circumstances_without_which_it_is_none(facts: dict[str, float], said: str) -> None:
    assert any(
        reason.startswith("It would not have been a finding") and reason.endswith(said)
        for reason in scored(ALICE, **facts).summary.reasons
    )


def test_many_circumstances_are_not_listed_once_more() -> None:
    many = scored(ALICE, g1=3, n1=2, b1=2, d1=2, n4=2, g2=1, g3=1)
    assert not any(reason.startswith("It would not have been a finding") for reason in many.summary.reasons)


def test_what_is_easily_forged_would_not_have_helped() -> None:
    assert any("(E2 -2)" in reason for reason in scored(ALICE, g1=2, n1=3).summary.reasons)
    assert not any("(E2 -2)" in reason or "(E4 -2)" in reason for reason in scored(ALICE, g1=2, t1=3).summary.reasons)


@given(target=st.text(min_size=1, max_size=30) | st.from_regex(r"[a-z,:/=@' ]{1,20}", fullmatch=True))
def test_whatever_a_principal_is_called_the_entry_means_only_it(target: str) -> None:
    made = scored(target, g1=2, n1=2, g3=1)
    last = made.summary.reasons[-1]
    if last == "To accept it, name the principal in accepted_behaviour.":
        return
    (word,) = shlex.split(last.removeprefix("To accept it: "))
    value = word.partition("=")[2]
    entries = json.loads(value) if value.startswith("[") else value.split(",")
    assert accepted(made, parse(entries)).archived
    other = replace(made, seen=replace(made.seen, target=f"{target}x"))
    assert not accepted(other, parse(entries)).archived


def test_the_last_day_of_the_calendar_has_an_entry() -> None:
    late = scored(ALICE, g1=2)
    late = replace(late, seen=replace(late.seen, last=Moment(datetime(9999, 12, 31, tzinfo=UTC), "x")))
    last = NETWORK.summarise(late, NETWORK.values({})).reasons[-1]
    assert f"until {date.max}" in last
    assert (read(f"x until {date.max}").who, read(f"x until {date.max}").until) == ("x", None)


@pytest.mark.parametrize(
    ("entry", "archived"),
    [
        (ALICE, True),
        (f"{ALICE} network", True),
        (f"{ALICE} network until 2026-03-14: reviewed, twice", True),
        (f"{ALICE} until 2026-03-14", True),
        (f"{ALICE} until 2026-03-13: over", False),
        (f"{ALICE} user", False),
        (BOB, False),
        ("arn:aws:iam::*:user/al*", True),
        ("arn:aws:iam::*:user/b*", False),
        ("arn:aws:iam::.*:user/alice", False),
    ],
)
def test_accepted_behaviour_is_archived_with_the_reason(entry: str, archived: bool) -> None:
    raw = some_finding(finding_type=NETWORK.finding_type, target=ALICE, first=Moment(AT, "x"), last=Moment(AT, "y"))
    judged = accepted(raw, parse([entry]))
    assert judged.archived is archived
    if archived:
        assert judged.summary.reasons == (f"Accepted behaviour ({entry}): archived.", *raw.summary.reasons)
        assert judged.summary.severity == raw.summary.severity
    else:
        assert judged == raw


def test_other_types_are_never_accepted() -> None:
    raw = some_finding(target=ALICE)
    assert accepted(raw, parse([ALICE])) == raw
    assert {name.partition("/")[2]: item.category for name, item in all_detections().items() if item.category} == {
        "NetworkPermissions": "network",
        "ResourcePermissions": "resource",
        "UserPermissions": "user",
    }


def test_entries_that_cannot_be_read_are_all_named() -> None:
    with pytest.raises(ConfigurationError, match=r"accepted_behaviour: '\*' .*; '' .*; 'x until 2026-02-30' "):
        parse(["*", "", "x until 2026-02-30", ALICE])


def test_addresses_of_a_discovery_finding_are_told_with_their_owner_and_country(tmp_path: Path) -> None:
    asn, country = tmp_path / "asn.mmdb", tmp_path / "country.mmdb"
    owner = {"autonomous_system_number": 64500, "autonomous_system_organization": "Example Hosting"}
    asn.write_bytes(database("GeoLite2-ASN", {"198.51.100.0/24": owner}))
    country.write_bytes(database("GeoLite2-Country", {"198.51.100.0/24": {"country": {"iso_code": "NL", "names": {"en": "NL"}}}}))
    later = AT + timedelta(hours=1)
    addresses = {"198.51.100.7": Tally(2, AT, AT), "198.51.100.8": Tally(3, later, later), "203.0.113.1": Tally(1, AT, AT)}
    seen = replace(
        some_finding(target=ALICE).seen, tallies={"addresses": addresses, "networks": {"AS64500": Tally(5, AT, later)}}
    )
    placed = Enrichment(geo=Geo.open([asn, country]))(seen)
    assert placed.tallies["places"] == {"AS64500 Example Hosting (NL)": Tally(5, AT, later)}
    assert Enrichment()(seen) == seen
    raw = replace(
        some_finding(finding_type=NETWORK.finding_type), seen=replace(placed, facts={"code:n1": 2.0, "history_span": 83.0})
    )
    (reason,) = [item for item in NETWORK.summarise(raw, NETWORK.values({})).reasons if item.startswith("N1")]
    assert reason == "N1 +2: came from AS64500 Example Hosting (NL), which the principal had not used in 83 days of history."
