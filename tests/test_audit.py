"""The audit of the locks names what is vulnerable, unpinned or not allowed, and says what it could not check."""

import json
import zipfile
from datetime import UTC, datetime
from importlib.metadata import Distribution, PathDistribution
from pathlib import Path

import pytest
from requirements.advisories import SAFETY, UnreadableError, read
from requirements.audit import Result, audit, disagreements, is_allowed, main, pins_of, stated_licence
from requirements.lock import FOLDER, locks

NOW = datetime(2024, 3, 1, tzinfo=UTC)
HASH = f"--hash=sha256:{'0' * 64}"
LOCKS = {lock.name: (FOLDER / lock.name).read_text(encoding="utf-8") for lock in locks()}


def safety(folder: Path) -> Path:
    """Write a few advisories as safety-db does."""
    data = {
        "$meta": {"timestamp": datetime(2024, 2, 27, tzinfo=UTC).timestamp()},
        "urllib3": [
            {"id": "pyup.io-1", "cve": "CVE-2021-33503", "specs": ["<1.26.5"], "v": "<1.26.5", "advisory": "A slow\nmatch."}
        ],
        "Jinja2": [
            {"id": "pyup.io-2", "cve": None, "specs": [">=2.0,<2.11.3", "<1.9"], "advisory": "Escapes."},
            {"id": "pyup.io-3", "cve": None, "specs": ["whatever"], "advisory": "Unclear."},
        ],
    }
    (folder / "safety_db").mkdir()
    path = folder / "safety_db" / SAFETY
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def osv(folder: Path, **more: object) -> Path:
    """Write an advisory as OSV does."""
    events = [{"introduced": "0"}, {"fixed": "1.25.9"}, {"introduced": "1.26.0"}, {"last_affected": "1.26.4"}]
    record = {
        "id": "PYSEC-2021-108",
        "aliases": ["CVE-2021-33503"],
        "modified": "2024-02-27T00:00:00Z",
        "summary": "A slow match.",
        "affected": [
            {
                "package": {"ecosystem": "PyPI", "name": "urllib3"},
                "ranges": [{"type": "ECOSYSTEM", "events": events}],
                "versions": ["9.9"],
            },
            {
                "package": {"ecosystem": "npm", "name": "jinja2"},
                "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}],
            },
        ],
    }
    path = folder / "PYSEC-2021-108.json"
    path.write_text(json.dumps(record | more), encoding="utf-8")
    return path


def faults(text: str, data: Path | None = None) -> list[str]:
    return audit({"a.txt": text}, None if data is None else read(data), {}, NOW).faults


def older(name: str, version: str) -> dict[str, str]:
    """Return the locks with one distribution at another version, whose hashes stay."""
    lines = LOCKS["runtime.txt"].splitlines()
    (place,) = [number for number, line in enumerate(lines) if line.startswith(f"{name}==")]
    lines[place] = f"{name}=={version} \\"
    return {"runtime.txt": "\n".join(lines)}


# Advisories


def test_a_copy_of_a_lock_with_an_old_version_is_named(tmp_path: Path) -> None:
    for data in (safety(tmp_path), osv(tmp_path)):
        (fault,) = audit(older("urllib3", "1.26.4"), read(data), {}, NOW).faults
        assert fault.startswith("runtime.txt: urllib3 1.26.4: ")
        assert "CVE-2021-33503" in fault
        assert "1.26" in fault.partition("affects ")[2]
        assert fault.endswith(": A slow match.")
        assert audit({"runtime.txt": LOCKS["runtime.txt"]}, read(data), {}, NOW).faults == []


@pytest.mark.parametrize(
    ("version", "by_safety", "by_osv"),
    [
        ("1.25.8", True, True),
        ("1.25.9", True, False),
        ("1.26.0", True, True),
        ("1.26.4", True, True),
        ("1.26.4.post1", True, False),
        ("1.26.5", False, False),
        ("9.9", False, True),
        ("9.9.1", False, False),
    ],
)
def test_a_version_is_concerned_within_the_span(tmp_path: Path, version: str, by_safety: bool, by_osv: bool) -> None:
    found = faults(f"urllib3=={version} {HASH}", safety(tmp_path)), faults(f"urllib3=={version} {HASH}", osv(tmp_path))
    assert (bool(found[0]), bool(found[1])) == (by_safety, by_osv)


def test_names_are_compared_as_the_registry_does(tmp_path: Path) -> None:
    data = safety(tmp_path)
    assert len(faults(f"jinja2==2.11.2 {HASH}", data)) == 1
    assert len(faults(f"JINJA2==1.8 {HASH}", data)) == 1
    assert faults(f"jinja2==2.11.3 {HASH}", data) == []
    assert faults(f"jinja==2.11.2 {HASH}", data) == []


def test_what_is_withdrawn_or_of_another_ecosystem_concerns_nobody(tmp_path: Path) -> None:
    assert faults(f"jinja2==1.0 {HASH}", osv(tmp_path)) == []
    with pytest.raises(UnreadableError, match="holds no advisory of a Python distribution"):
        read(osv(tmp_path, withdrawn="2024-01-01T00:00:00Z"))


def test_advisories_are_read_from_a_folder_and_an_archive(tmp_path: Path) -> None:
    path = osv(tmp_path)
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        archive.write(path, "PYSEC-2021-108.json")
    assert [read(place).found for place in (tmp_path, tmp_path / "all.zip")] == [read(path).found] * 2
    assert read(path).date == datetime(2024, 2, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"id": 1}', '{"id": "a", "modified": "soon"}', '{"id": "a", "modified": null}']
)
def test_damaged_advisories_are_named_and_end_with_status_2(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("record.json", SAFETY):
        path = tmp_path / name
        path.write_text(text, encoding="utf-8")
        assert main(["--advisories", str(path)]) == 2
        told = capsys.readouterr()
        assert (told.out, told.err.startswith(f"audit: {name} ")) == ("", True)
    assert main(["--advisories", str(tmp_path / "missing")]) == 2


# What is said of what is not known


def test_the_age_of_the_data_and_what_is_newer_are_said(tmp_path: Path) -> None:
    text = f"urllib3==2.0 {HASH}\njinja2==2.11.3 {HASH}\nother==1 {HASH}\n"
    result = audit({"a.txt": text}, read(safety(tmp_path)), {}, NOW)
    assert "3 locked releases against 3 advisories of safety-db" in result.text()
    assert "the newest of 2024-02-27; they concern 2 of the locked distributions" in result.text()
    assert "releases newer than any that the data mention: urllib3" in result.unchecked
    assert "advisories whose versions cannot be read: jinja2 (pyup.io-3)" in result.unchecked
    assert not any("no advisory since then" in line for line in result.unchecked)
    old = audit({"a.txt": text}, read(tmp_path / "safety_db" / SAFETY), {}, datetime(2026, 2, 27, tzinfo=UTC))
    assert "what became known after 2024-02-27, 731 days ago: no advisory since then is in the data" in old.unchecked
    assert any("yanked" in line for line in old.unchecked)


def test_without_data_the_audit_says_so_and_is_no_failure(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--safety-db", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert "Faults:\n  - none\n" in told
    assert "advisories: no data were given, and none could be installed" in told
    data = safety(tmp_path)
    assert main(["--safety-db", str(tmp_path)]) == 0
    assert "3 advisories of safety-db" in capsys.readouterr().out
    copy = tmp_path / "copy.txt"
    copy.write_text(older("urllib3", "1.26.4")["runtime.txt"], encoding="utf-8")
    assert main(["--advisories", str(data), str(copy)]) == 1
    assert "copy.txt: urllib3 1.26.4: pyup.io-1, CVE-2021-33503, affects <1.26.5" in capsys.readouterr().out


# The locks themselves


def test_the_locks_are_without_fault_and_wholly_read() -> None:
    result = Result()
    pins = [pin for name, text in LOCKS.items() for pin in pins_of(name, text, result)]
    assert result.faults == []
    assert list(disagreements(pins)) == []
    for lock in locks():
        own = {pin.name: pin.version for pin in pins if pin.file in {lock.name, *lock.below}}
        assert own == lock.versions()
    assert all(pin.hashes for pin in pins)


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        (f"a==1 {HASH}", ""),
        (f"a==1 \\\n    {HASH} \\\n    --hash=sha256:{'1' * 64}", ""),
        (f"a==1.post1 {HASH}  # remark", ""),
        (f'a==1 ; python_version < "3.12" {HASH}', ""),
        ("# a remark", ""),
        ("a==1", "has no hash"),
        (f"a==1 --hash=md5:{'0' * 32}", "has no hash"),
        (f"a==1 {HASH} --hash=sha256:00", "has no hash, or one that is no SHA-256"),
        (f"a>=1 {HASH}", "not a pin"),
        (f"a==1,<2 {HASH}", "is not a version"),
        (f"a {HASH}", "not a pin"),
        ("-e .", "not a pin"),
        ("--index-url x", "not a pin"),
        (f"a @ https://example.com/a.whl {HASH}", "not a pin"),
        (f"a==1rc1 {HASH}", "pre-release"),
        (f"a==1.dev3 {HASH}", "pre-release"),
        (f"a==1+local {HASH}", "local build"),
        (f"a==one {HASH}", "is not a version"),
        (f"a==1 {HASH}\nA==1 {HASH}", "a is locked twice"),
        (f"a==1 {HASH}\na==2 {HASH}", "a is locked differently"),
    ],
)
def test_what_is_no_pin_of_a_final_release_with_hashes_is_a_fault(line: str, fault: str) -> None:
    found = faults(f"{line}\nb==2 {HASH}\n")
    assert (fault in "\n".join(found), bool(found)) == (True, bool(fault))


def test_locks_that_disagree_are_named() -> None:
    texts = {"a.txt": f"x==1 {HASH}\ny==1 {HASH}", "b.txt": f"x==2 {HASH}\ny==1 {HASH}"}
    assert audit(texts, None, {}, NOW).faults == ["x is locked differently: 1 in a.txt, 2 in b.txt"]
    texts["b.txt"] = f"x==1 --hash=sha256:{'1' * 64}\ny==1 {HASH}"
    assert audit(texts, None, {}, NOW).faults == ["x is locked differently: 1 in a.txt, 1 in b.txt"]


# Licences


def distribution(folder: Path, *lines: str) -> Distribution:
    place = folder / "x-1.dist-info"
    place.mkdir(exist_ok=True)
    (place / "METADATA").write_text("\n".join(("Metadata-Version: 2.4", "Name: x", "Version: 1", *lines, "")), encoding="utf-8")
    return PathDistribution(place)


@pytest.mark.parametrize(
    ("lines", "stated", "allowed"),
    [
        (["License-Expression: MIT"], "MIT", True),
        (["License-Expression: Apache-2.0 OR BSD-3-Clause"], "Apache-2.0 OR BSD-3-Clause", True),
        (["License-Expression: GPL-3.0-only OR MIT"], "GPL-3.0-only OR MIT", True),
        (["License-Expression: MIT AND (Zlib OR GPL-2.0-only)"], "MIT AND (Zlib OR GPL-2.0-only)", True),
        (["License-Expression: GPL-3.0-only AND MIT"], "GPL-3.0-only AND MIT", False),
        (["License-Expression: GPL-3.0-only AND (MIT OR Zlib)"], "GPL", False),
        (["License-Expression: (MIT"], "(MIT", False),
        (["License-Expression: AND"], "AND", False),
        (["License-Expression: AGPL-3.0-only"], "AGPL-3.0-only", False),
        (["License: MIT License"], "MIT License", True),
        (["License: Commercial"], "Commercial", False),
        (["Classifier: License :: OSI Approved :: BSD License"], "BSD", True),
        (["Classifier: License :: OSI Approved", "License: MIT"], "MIT", True),
        (
            [
                "Classifier: License :: OSI Approved :: BSD License",
                "Classifier: License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)",
            ],
            "BSD AND MPL-2.0",
            True,
        ),
        (["Classifier: License :: OSI Approved :: GNU General Public License v3 (GPLv3)", "License: MIT"], "GNU", False),
        (
            ["Classifier: License :: OSI Approved :: MIT License", "Classifier: License :: Other/Proprietary License"],
            "MIT",
            False,
        ),
    ],
)
def test_a_licence_is_allowed_or_a_fault(tmp_path: Path, lines: list[str], stated: str, allowed: bool) -> None:
    found = distribution(tmp_path, *lines)
    assert stated_licence(found).startswith(stated)
    assert is_allowed(stated_licence(found)) is allowed
    result = audit({"a.txt": f"x==1 {HASH}"}, None, {"x": found}, NOW)
    assert bool(result.faults) is not allowed


def test_licences_that_are_not_known_are_said_to_be_unchecked(tmp_path: Path) -> None:
    result = audit({"a.txt": f"x==1 {HASH}\ny==1 {HASH}"}, None, {"x": distribution(tmp_path)}, NOW)
    assert result.faults == []
    assert "licences of distributions that state none: x" in result.unchecked
    assert "licences of distributions that are not installed here: y" in result.unchecked
