"""``vedette explain`` of a finding type: what it is, the numbers that decide, and the SQL."""

from pathlib import Path

import pytest
from commands import run

from vedette.detections import all_detections
from vedette.rules.thresholds import deciding
from vedette.settings import Settings, load
from vedette.sql.steps import STEP_NUMBERS
from vedette.views import needed

DETECTIONS = all_detections()
CALLERS = "Recon:IAMUser/TorIPCaller"
PORTSCAN = "Recon:EC2/Portscan"
DISCOVERY = "Recon:IAMUser/UserPermissions"


@pytest.fixture(autouse=True)
def _elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("finding_type", DETECTIONS)
def test_every_type_is_explained_with_its_numbers_and_queries(finding_type: str) -> None:
    detection = DETECTIONS[finding_type]
    ended = run("explain", finding_type)
    assert (ended.status, ended.err) == (0, "")
    lines = ended.out.splitlines()
    assert lines[0] == finding_type
    for threshold in detection.all_thresholds():
        assert f"  {threshold.name} = {threshold.default}" in lines
    for view in needed(detection.reads):
        assert f"View {view.name}" in lines
    printed = {line.split(" = ")[0].strip() for line in lines[: lines.index("Query")] if " = " in line}
    assert printed == {number.name for number in deciding(detection, load(None, {}))}


@pytest.mark.parametrize("finding_type", DETECTIONS)
def test_numbers_of_a_step_decide_nothing(finding_type: str) -> None:
    numbers = deciding(DETECTIONS[finding_type], load(None, {}))
    assert not {number.name for number in numbers} & STEP_NUMBERS.keys()
    assert all(number.meaning.endswith(".") for number in numbers)


def test_own_and_inherited_thresholds_come_before_the_settings_that_sql_uses() -> None:
    names = [number.name for number in deciding(DETECTIONS[PORTSCAN], load(None, {}))]
    assert names.index("fast_failed") < names.index("fast_ports") < names.index("kept_contacts")
    assert "emit_all_types" not in names
    assert [number.name for number in deciding(DETECTIONS[CALLERS], load(None, {}))] == [
        "emit_all_types",
        "include_data_events",
        "include_write_calls",
        "learn_own_egress",
        "own_egress_days",
        "own_egress_principals",
    ]


def test_values_are_those_of_the_settings() -> None:
    given = {
        "thresholds": {f"{PORTSCAN}.fast_ports": 15, "discovery.b1_apis": 7},
        "detection_profile": "quiet",
        "kept_contacts": 5_000,
    }
    settings = load(None, given)
    scans = {number.name: number.value for number in deciding(DETECTIONS[PORTSCAN], settings)}
    assert (scans["fast_ports"], scans["fast_failed"], scans["kept_contacts"]) == (15, 15, 5_000)
    discovery = {number.name: number for number in deciding(DETECTIONS[DISCOVERY], settings)}
    assert (discovery["needed"].value, discovery["b1_apis"].value) == (7, 7)
    # a meaning that mentions another number has that one's value
    assert discovery["b1"].meaning == "B1: seven first calls of different APIs in an episode."
    assert discovery["k1"].meaning == "K1: a long-lived key that was unused for 30 days, or never used."


def test_a_setting_means_what_the_settings_say() -> None:
    (number,) = (item for item in deciding(DETECTIONS[PORTSCAN], load(None, {})) if item.name == "kept_contacts")
    assert number.meaning == Settings.model_fields["kept_contacts"].description


def test_an_environment_changes_what_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_THRESHOLDS", '{"Recon:EC2/Portscan.hosts": 31}')
    assert "  hosts = 31\n" in run("explain", PORTSCAN.lower()).out
