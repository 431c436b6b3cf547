"""Every case of permission discovery: exactly the findings that it states, with exactly these codes, points and severities."""

from pathlib import Path
from typing import Any

import pytest
from discovery_cases import load, people, played, told, wanted

STEMS = ("cold_start", "network_permissions", "resource_permissions", "user_permissions")


@pytest.mark.parametrize("stem", STEMS)
def test_the_balanced_profile_finds_what_is_expected_and_nothing_else(stem: str, tmp_path: Path) -> None:
    cases = load(stem)
    assert told(played(cases, tmp_path).findings) == wanted(cases, "expect")


@pytest.mark.parametrize("stem", STEMS)
def test_near_misses_score_what_they_say(stem: str, tmp_path: Path) -> None:
    """With a threshold of one point, every episode is a finding, and shows its codes."""
    cases = load(stem)
    keen: list[dict[str, Any]] = [{**case, "expect": case["keen"], "quiet": ()} if "keen" in case else case for case in cases]
    found = played(cases, tmp_path, thresholds={"discovery.needed": 1}).findings
    assert told(found) == wanted(keen, "expect", "quiet")


def test_nobody_is_in_two_cases() -> None:
    for stem in STEMS:
        everybody = [who for case in load(stem) for who in people(case)]
        assert len(everybody) == len(set(everybody))
