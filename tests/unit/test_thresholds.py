"""Thresholds: their values by the names that users give, and how sentences take numbers from them."""

from dataclasses import replace

import pytest
from stores import finding as some_finding

from vedette.baseline.numbers import numbers
from vedette.detections import all_detections
from vedette.errors import ConfigurationError
from vedette.rules.thresholds import all_thresholds, deciding, of_group, setting_names, values
from vedette.settings import load
from vedette.sql.threshold import Threshold, in_words, meanings

PORTSCAN = "Recon:EC2/Portscan"
NETWORK = all_detections()["Recon:IAMUser/NetworkPermissions"]


@pytest.mark.parametrize(
    ("number", "text"), [(1, "one"), (5, "five"), (5.0, "five"), (20, "twenty"), (14, "14"), (0.6, "0.6"), (0, "0")]
)
def test_small_whole_numbers_are_written_as_words(number: float, text: str) -> None:
    assert in_words(number) == text


def test_a_meaning_takes_numbers_from_other_thresholds() -> None:
    one, other = Threshold("b1", 2, "B1: {b1_apis} first calls."), Threshold("b1_apis", 5, "First calls.")
    assert meanings([one, other], {"b1": 2, "b1_apis": 7})["b1"] == "B1: seven first calls."


def test_what_the_user_gave_comes_before_the_profile_and_the_default() -> None:
    assert values("balanced", {}) == {name: item.default for name, item in all_thresholds().items()}
    assert values("quiet", {})["needed"] == 7
    assert values("quiet", {"discovery.needed": 4})["needed"] == 4
    assert values("balanced", {f"{PORTSCAN}.hosts": 31})["hosts"] == 31


def test_names_that_no_detection_has_are_refused_together() -> None:
    with pytest.raises(ConfigurationError, match=r"^thresholds: no detection has 'discovery\.hosts'") as refused:
        values("balanced", {"discovery.hosts": 1, "x.y": 2, "discovery.n1": 3})
    assert "'x.y'" in str(refused.value)


def test_types_of_a_group_are_set_at_once() -> None:
    assert len({item.name for item in of_group("discovery")}) == len(of_group("discovery")) == len(numbers("balanced", {}))
    assert {name.rpartition(".")[0] for name in setting_names()} == {
        "discovery",
        PORTSCAN,
        "Recon:EC2/PortProbeUnprotectedPort",
    }
    for name, detection in all_detections().items():
        if detection.group:
            settings = load(None, {"thresholds": {"discovery.b1_apis": 6}})
            assert {item.value for item in deciding(detection, settings) if item.name == "b1_apis"} == {6}, name


@pytest.mark.parametrize(
    ("code", "changed", "usual", "other"),
    [
        ("p1", {"p1_one_in": 50}, "fewer than one in twenty of its peers", "fewer than one in 50 of its peers"),
        ("b2", {"b2_subjects": 6}, "four or more services or regions", "six or more services or regions"),
        ("k1", {"k1_days": 60}, "had been unused for 30 days", "had been unused for 60 days"),
    ],
)
def test_reasons_take_their_numbers_from_the_thresholds(code: str, changed: dict[str, int], usual: str, other: str) -> None:
    raw = some_finding(finding_type=NETWORK.finding_type, facts={f"code:{code}": 1.0, "needed": 5.0})

    def reasons(chosen: dict[str, int]) -> str:
        return "\n".join(replace(raw, summary=NETWORK.summarise(raw, NETWORK.values(chosen))).summary.reasons)

    assert usual in reasons({})
    assert other in reasons(changed)
