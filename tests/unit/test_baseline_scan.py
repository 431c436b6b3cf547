"""``scan --baseline`` and accepted behaviour, as a user meets them."""

import gzip
import json
import shlex
from pathlib import Path

import pytest
from commands import Ended, Vedette, run
from notation import calls

ALICE = "arn:aws:iam::123456789012:user/alice"
NAMES = ("DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeRouteTables", "DescribeVpcs", "DescribeSubnets")
LEARNED = [
    f"2026-03-{day:02}T{hour:02}:00:00Z alice 192.0.2.10 ec2:DescribeInstances" for day in range(1, 21) for hour in range(9, 15)
]
ATTACK = [f"2026-03-23T10:{minute:02}:00Z alice 198.51.100.7 ec2:{name}" for minute, name in enumerate(NAMES)]


@pytest.fixture
def vedette(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vedette:
    """Run a command in a folder with what was learned and an attack, each in a folder of its own, and a baseline."""
    monkeypatch.chdir(tmp_path)
    for name, lines in (("learned", LEARNED), ("attack", ATTACK)):
        (tmp_path / name).mkdir()
        data = json.dumps({"Records": calls(lines)}).encode()
        (tmp_path / name / "one.json.gz").write_bytes(gzip.compress(data))

    assert run("scan", "learned", "--store", "learned.db", "--quiet").status == 0
    assert run("baseline", "export", "baseline.zip", "--store", "learned.db").status == 0
    return run


def test_a_scan_starts_from_a_baseline(vedette: Vedette) -> None:
    assert vedette("scan", "attack", "--format", "guardduty", "--quiet") == Ended(0, "", "")
    ended = vedette("scan", "attack", "--baseline", "baseline.zip", "--format", "guardduty", "--quiet")
    assert (ended.status, json.loads(ended.out)["type"]) == (0, "Recon:IAMUser/NetworkPermissions")
    assert vedette("scan", "attack", "--baseline", "baseline.zip", "--store", "kept.db", "--quiet").out != ""
    assert ALICE in vedette("baseline", "show", "--store", "kept.db", "--format", "json").out
    # the days are there now
    assert vedette("scan", "attack", "--baseline", "baseline.zip", "--store", "kept.db", "--quiet").status == 2
    assert vedette("scan", "attack", "--baseline", "attack/one.json.gz", "--quiet").status == 2


def test_the_entry_that_a_finding_offers_archives_it(vedette: Vedette, monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = ("scan", "attack", "--baseline", "baseline.zip", "--format", "guardduty", "--quiet")
    found = json.loads(vedette(*arguments).out)
    assert not found["service"]["archived"]
    last = json.loads(found["service"]["additionalInfo"]["value"])["vedette"]["reasons"][-1]
    (word,) = shlex.split(last.removeprefix("To accept it: "))
    monkeypatch.setenv(*word.split("=", 1))
    accepted = json.loads(vedette(*arguments).out)
    assert accepted["service"]["archived"]
    assert "Accepted behaviour" in json.dumps(accepted)
    monkeypatch.setenv("VEDETTE_ACCEPTED_BEHAVIOUR", "*")
    assert vedette(*arguments).status == 2
