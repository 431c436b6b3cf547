"""Settings from defaults, a file, variables and options."""

import os
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from patience import HUNG
from pydantic import ValidationError

from vedette.errors import ConfigurationError
from vedette.list_kinds import LIST_KINDS
from vedette.logs.read_counts import Limits
from vedette.pipeline.knowledge import named_file
from vedette.settings import Settings, load, origins, reference, variable


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder without settings, and an environment without them."""
    for name in [name for name in os.environ if name.upper().startswith("VEDETTE_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "home"))
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def write(text: str, path: str = "vedette.toml") -> Path:
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(text, encoding="utf-8")
    return Path(path)


def faults(config: Path | None = None, **options: object) -> str:
    with pytest.raises(ConfigurationError) as raised:
        load(config, options)
    return str(raised.value)


def test_without_anything_the_defaults_hold() -> None:
    settings = load(None, {})
    assert (settings.store, settings.workers, settings.memory_limit) == ("", 0, "1GB")
    assert settings.learn_own_egress
    assert not settings.include_write_calls
    assert {origin for _, origin in origins(None, {}).values()} == {"default"}


def test_the_limits_of_reading_are_those_of_the_readers() -> None:
    settings, limits = load(None, {}), Limits()
    assert (settings.max_blob_bytes, settings.max_ratio, settings.max_record_bytes) == (
        limits.max_bytes,
        limits.max_ratio,
        limits.max_record_bytes,
    )


def test_option_beats_variable_beats_file_beats_default(monkeypatch: pytest.MonkeyPatch) -> None:
    write("workers = 1\nslice_events = 10\nepisode_gap_days = 7\n")
    monkeypatch.setenv("VEDETTE_WORKERS", "2")
    monkeypatch.setenv("VEDETTE_SLICE_EVENTS", "20")
    found = origins(None, {"workers": 3, "slice_events": None})
    assert found["workers"] == (3, "option")
    assert found["slice_events"] == (20, "environment VEDETTE_SLICE_EVENTS")
    assert found["episode_gap_days"] == (7, "file vedette.toml")
    assert found["kept_contacts"] == (100_000, "default")
    assert list(found) == list(Settings.model_fields)


def test_the_file_is_the_named_one_then_the_folders_then_the_users(folder: Path) -> None:
    write("workers = 3", str(folder / "home/vedette/vedette.toml"))
    assert load(None, {}).workers == 3
    write("workers = 2")
    assert load(None, {}).workers == 2
    assert load(write("workers = 1", "other.toml"), {}).workers == 1
    assert faults(Path("none.toml")) == "settings file 'none.toml' cannot be read: No such file or directory"


def test_tables_are_beginnings_of_names_and_paths_begin_at_the_file(folder: Path) -> None:
    paths = 'tor_lists = ["a.txt", "/b.txt"]\nstate_folder = "state"\nstore = "v.db"\n'
    text = f"{paths}[own_egress]\nprincipals = 3\n[lateness.flows]\nminutes = 1\n"
    settings = load(write(text, "etc/v.toml"), {"custom_lists": ("c.txt",)})
    assert settings.own_egress_principals == 3
    assert settings.lateness_flows_minutes == 1
    assert settings.tor_lists == (Path("etc/a.txt"), Path("/b.txt"))
    assert (settings.state_folder, settings.store) == ("etc/state", "etc/v.db")
    assert load(write('store = "sqlite:///v.db"', "etc/u.toml"), {}).store == "sqlite:///v.db"
    assert settings.custom_lists == (Path("c.txt"),)


def test_variables_are_text_and_become_lists_networks_and_switches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_TOR_LISTS", "a.txt, b.txt")
    monkeypatch.setenv("VEDETTE_GEOIP", '["with, comma.mmdb"]')
    monkeypatch.setenv("VEDETTE_OWN_ADDRESSES", "198.51.100.0/24,2001:db8::/32,192.0.2.1")
    monkeypatch.setenv("VEDETTE_LEARN_OWN_EGRESS", "false")
    monkeypatch.setenv("VEDETTE_WORKERS", "")
    settings = load(None, {})
    assert settings.tor_lists == (Path("a.txt"), Path("b.txt"))
    assert settings.geoip == (Path("with, comma.mmdb"),)
    assert settings.own_addresses == tuple(map(ip_network, ("198.51.100.0/24", "2001:db8::/32", "192.0.2.1/32")))
    assert not settings.learn_own_egress
    assert settings.workers == 0


def test_thresholds_are_put_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    write('[thresholds]\n"a.one" = 1\n"a.two" = 2\n[thresholds."Recon:EC2/Portscan"]\nmin_ports = 40\n')
    monkeypatch.setenv("VEDETTE_THRESHOLDS", '{"a.two": 2.5}')
    options = {"thresholds": {"a.three": 3}}
    assert load(None, options).thresholds == {"a.one": 1, "a.two": 2.5, "Recon:EC2/Portscan.min_ports": 40, "a.three": 3}
    assert origins(None, options)["thresholds"][1] == "file vedette.toml, environment VEDETTE_THRESHOLDS, option"


def test_every_fault_is_told_at_once_with_its_place(monkeypatch: pytest.MonkeyPatch) -> None:
    write('wokers = 2\nmemory_limit = "much"\nown_addresses = ["198.51.100.0/24", "198.51.100.1/24"]\n[own_egress]\ndayz = 1\n')
    monkeypatch.setenv("VEDETTE_WORKER", "2")
    monkeypatch.setenv("VEDETTE_EPISODE_GAP_DAYS", "many")
    message = faults(slice_events=-1, quite_unlike=1)
    assert message.splitlines() == [
        "8 settings are wrong:",
        "  file vedette.toml: there is no setting 'wokers'; did you mean 'workers'?",
        "  file vedette.toml: there is no setting 'own_egress_dayz'; did you mean 'own_egress_days'?",
        "  environment: there is no setting 'VEDETTE_WORKER'; did you mean 'VEDETTE_WORKERS'?",
        "  option: there is no setting 'quite_unlike'",
        "  option: slice_events must be a whole number from 0 to 1,000,000,000, not -1",
        "  file vedette.toml: memory_limit must be a size such as \"1GB\", from 16MB to 1000TB, not 'much'",
        "  environment VEDETTE_EPISODE_GAP_DAYS: episode_gap_days must be a whole number from 1 to 36,525, not 'many'",
        "  file vedette.toml: own_addresses must be a list of networks, not '198.51.100.1/24'",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("workers = 1.5", "file vedette.toml: workers must be a whole number from 0 to 1,000, not 1.5"),
        ("workers = -1", "file vedette.toml: workers must be a whole number from 0 to 1,000, not -1"),
        ('tor_lists = "["', "file vedette.toml: tor_lists must be a list of paths, not '['"),
        ("tor_lists = [1]", "file vedette.toml: tor_lists must be a list of paths, not 1"),
        ('bundled_lists = "perhaps"', "file vedette.toml: bundled_lists must be true or false, not 'perhaps'"),
        ("thresholds = 3", "file vedette.toml: thresholds must be numbers by name, not 3"),
        ('thresholds = {"a.b" = "x"}', "file vedette.toml: threshold 'a.b' must be a number, not 'x'"),
        ('thresholds = {"a.b" = true}', "file vedette.toml: threshold 'a.b' must be a number, not True"),
        ("workers = ", "settings file 'vedette.toml' is not valid TOML: Invalid value (at end of document)"),
    ],
)
def test_a_value_of_the_wrong_kind_is_one_sentence(text: str, message: str) -> None:
    write(text)
    assert faults() == message


def test_a_file_that_is_not_utf8_is_no_toml() -> None:
    Path("vedette.toml").write_bytes(b"store = '\xff'")
    assert faults().startswith("settings file 'vedette.toml' is not valid TOML: ")


def test_a_bad_variable_of_thresholds_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_THRESHOLDS", "{")
    assert faults() == "environment VEDETTE_THRESHOLDS: thresholds must be numbers by name, not '{'"


def test_variables_of_the_projects_checks_are_no_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VEDETTE_CORPUS", "somewhere")
    monkeypatch.setenv("VEDETTE_TEST_REQUIRE", "all")
    assert load(None, {}) == Settings()


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        load(None, {}).workers = 5  # type: ignore[misc]  # the point of the test


def test_a_password_is_not_shown() -> None:
    url = "postgresql://vedette:s3cret@127.0.0.1:5432/findings?sslmode=require"
    assert load(None, {"store": url}).store == url
    assert origins(None, {"store": url})["store"] == (
        "postgresql://vedette:***@127.0.0.1:5432/findings?sslmode=require",
        "option",
    )
    assert origins(None, {"store": "sqlite:///a.db"})["store"] == ("sqlite:///a.db", "option")


def test_every_setting_says_what_it_is_for() -> None:
    for name, field in Settings.model_fields.items():
        assert field.title, name
        assert field.description, name
        assert field.description.endswith("."), name
        assert variable(name) == f"VEDETTE_{name.upper()}"
    assert reference().count("\n") == len(Settings.model_fields) + 1


def test_the_reference_page_is_up_to_date() -> None:
    page = Path(__file__).parents[2] / "docs" / "reference" / "settings.md"
    result = subprocess.run(
        [sys.executable, "-m", "cogapp", "--check", str(page)], check=False, capture_output=True, text=True, timeout=HUNG
    )
    assert result.returncode == 0, f"settings.md is out of date; run make fix\n{result.stdout}{result.stderr}"


def test_a_list_with_a_name_is_found_beside_a_settings_file_in_another_folder(tmp_path: Path) -> None:
    folder = tmp_path / "conf=1"  # a sign of equality in a path is no name
    folder.mkdir()
    for name in ("bad.txt", "a=b.txt"):
        (folder / name).write_text("198.51.100.7\n")
    config = folder / "vedette.toml"
    for item in LIST_KINDS:
        given = ["mine=bad.txt", "bad.txt", "a=b.txt", f"x={tmp_path}/y.txt", "sub/c=d.txt", "no=such.txt"]
        config.write_text(f"{item.setting} = {given}\n")
        found = [named_file(path) for path in getattr(load(config, {}), item.setting)]
        assert found == [
            ("mine", folder / "bad.txt"),
            ("bad", folder / "bad.txt"),
            ("a=b", folder / "a=b.txt"),
            ("x", tmp_path / "y.txt"),
            ("c=d", folder / "sub" / "c=d.txt"),
            ("no", folder / "such.txt"),
        ]
