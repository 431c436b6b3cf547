"""Where the state of a store is, and that no store ever reads or changes the state of another."""

import os
import shutil
from pathlib import Path
from urllib.parse import quote_from_bytes

import pytest
from baselines import as_of_an_earlier_build, baseline_of, content, learn, learned
from commands import Ended, run
from notation import blob, calls
from scanning import lists_of, scan

from vedette.state import all_states
from vedette.state_files.location import Folder
from vedette.state_files.tables import read_table
from vedette.store import Store, state_folder

pytest_plugins = ["databases"]

TOR = lists_of({"tor": ["198.51.100.7"]})


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def refused(ended: Ended, *words: str) -> None:
    """Check that a command was refused in one sentence of the store."""
    assert (ended.status, ended.out) == (6, "")
    assert ended.err.count("\n") == 1, ended.err
    for word in words:
        assert word in ended.err


NAMESAKES = ["case.db", "case.sqlite", "case", "case.db.state.db", "Case.db"]


def test_stores_of_like_names_keep_apart(tmp_path: Path) -> None:
    for turn in ("first", "second"):
        for name in NAMESAKES:
            assert learn(name, f"{turn}-{name}", tmp_path).status == 0
    for name in NAMESAKES:
        assert learned(name) == [f"first-{name}", f"second-{name}"]
        assert (tmp_path / f"{name}.state" / "owner.json").is_file()


ODD_NAMES = [
    *("a?b.db", "a%20b.db", "a+b.db", "a#b", "a&b=c", "--store", "q'uote\".db", "new\nline.db", "at@sign", "u:p@h"),
    *("sqlite:x", ":x:", "~root", "$HOME", "[a]*", "back\\slash.db", "\u202e.db", "b\udcff.db", " ", "x" * 247),
]


def test_names_of_stores_are_names_of_files(tmp_path: Path) -> None:
    for number, name in enumerate(ODD_NAMES):
        ended = run("baseline", "import", baseline_of(f"p{number}", tmp_path / "b.zip"), "--store", name)
        assert ended.status == 0, (name, ended.err)
        assert (tmp_path / name).is_file(), name
        assert (tmp_path / f"{name}.state").is_dir(), name
    for number, name in enumerate(ODD_NAMES):
        assert learned(name) == [f"p{number}"], name
    made = {*ODD_NAMES, *(f"{name}.state" for name in ODD_NAMES), "b.zip", "b.zip.made"}
    assert set(os.listdir(tmp_path)) == made  # noqa: PTH208 - names that are not UTF-8 included


def test_a_settings_file_names_stores_likewise(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    for number, name in enumerate(["a?b.db", "a%20b.db", "a#b", "x@y", "plain.db"]):
        config = tmp_path / "conf" / "vedette.toml"
        config.write_text(f"store = '{name}'\n")
        made = baseline_of(f"p{number}", tmp_path / "b.zip")
        assert run("baseline", "import", made, "--config", str(config)).status == 0
        assert (tmp_path / "conf" / name).is_file()
        assert (tmp_path / "conf" / f"{name}.state").is_dir()
        assert learned(str(tmp_path / "conf" / name)) == [f"p{number}"]


def test_links_to_a_store_lead_to_one_state(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    for link, target in (("link.db", "case.db"), ("elsewhere/link.db", "../link.db"), ("early.db", "late.db")):
        (tmp_path / link).symlink_to(target)
    learn("early.db", "early", tmp_path)  # through a link to what is not there yet
    assert learned("late.db") == ["early"]
    learn("case.db", "alice", tmp_path)
    learn("link.db", "bob", tmp_path)
    learn("elsewhere/link.db", "carol", tmp_path)
    assert learned("case.db") == learned("elsewhere/link.db") == ["alice", "bob", "carol"]
    assert sorted(path.name for path in tmp_path.rglob("*.state")) == ["case.db.state", "late.db.state"]


def test_a_store_and_its_state_can_be_moved_and_copied_together(tmp_path: Path) -> None:
    learn("case.db", "alice", tmp_path)
    (tmp_path / "case.db").rename(tmp_path / "new.db")
    (tmp_path / "case.db.state").rename(tmp_path / "new.db.state")
    assert learn("new.db", "bob", tmp_path).status == 0
    (tmp_path / "backup").mkdir()
    shutil.copy("new.db", "backup/new.db")
    shutil.copytree("new.db.state", "backup/new.db.state")
    for name, who in (("new.db", "carol"), ("backup/new.db", "dora")):
        assert learn(name, who, tmp_path).status == 0
        assert learned(name) == ["alice", "bob", who]


def test_a_store_without_its_state_says_what_is_missing(tmp_path: Path) -> None:
    learn("case.db", "alice", tmp_path)
    (tmp_path / "case.db").rename(tmp_path / "new.db")
    refused(learn("new.db", "bob", tmp_path), "new.db.state", "missing", "put the state folder there")
    (tmp_path / "case.db.state").rename(tmp_path / "new.db.state")
    assert learn("new.db", "bob", tmp_path).status == 0
    assert learned("new.db") == ["alice", "bob"]


@pytest.mark.parametrize("command", ["import", "show", "forget", "export", "what-if", "scan"])
def test_the_state_of_another_store_is_refused_by_every_command(tmp_path: Path, command: str) -> None:
    shared = tmp_path / "shared"
    (tmp_path / "vedette.toml").write_text(f"state_folder = '{shared}'\n")
    learn("one.db", "alice", tmp_path)
    (tmp_path / "vedette.toml").unlink()
    learn("two.db", "bob", tmp_path)
    (tmp_path / "vedette.toml").write_text(f"state_folder = '{shared}'\n")
    (tmp_path / "log.json").write_text('{"Records": []}')
    before = content(shared)
    rest = ["--store", "two.db"]
    words = {
        "import": ["baseline", "import", baseline_of("carol", tmp_path / "carol.zip")],
        "show": ["baseline", "show"],
        "forget": ["baseline", "forget", "bob"],
        "export": ["baseline", "export", "out.zip"],
        "what-if": ["what-if", "threshold=3"],
        "scan": ["scan", "log.json", "--workers", "1"],
    }[command]
    ended = run(*words, *rest)
    refused(ended, "shared", "state folder of another store", "one.db")
    assert content(shared) == before
    assert learned("one.db") == ["alice"]


def test_a_copy_beside_the_state_of_the_original_is_refused(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text("state_folder = 'shared'\n")
    learn("one.db", "alice", tmp_path)
    shutil.copy("one.db", "copy.db")
    before = content(tmp_path / "shared")
    refused(learn("copy.db", "bob", tmp_path), "shared", "copy", "one.db")
    assert content(tmp_path / "shared") == before
    assert learn("one.db", "carol", tmp_path).status == 0
    (tmp_path / "one.db").rename(tmp_path / "moved.db")  # the only one now
    assert learned("moved.db") == ["alice", "carol"]
    assert learn("moved.db", "dora", tmp_path).status == 0


def test_a_new_store_of_an_old_name_leaves_the_old_state_alone(tmp_path: Path) -> None:
    learn("case.db", "alice", tmp_path)
    shutil.copy("case.db", "kept.db")
    (tmp_path / "case.db").unlink()
    before = content(tmp_path / "case.db.state")
    refused(learn("case.db", "bob", tmp_path), "another store that was called", "put that store back, or rename")
    assert content(tmp_path / "case.db.state") == before
    (tmp_path / "kept.db").replace(tmp_path / "case.db")
    assert learned("case.db") == ["alice"]
    (tmp_path / "case.db").unlink()
    shutil.rmtree("case.db.state")
    assert learn("case.db", "bob", tmp_path).status == 0


def test_a_folder_in_which_nothing_can_be_lost_is_taken(tmp_path: Path) -> None:
    log = tmp_path / "log.json"
    log.write_text('{"Records": []}')
    assert run("baseline", "import", baseline_of("nobody", tmp_path / "b.zip", days=0), "--store", "case.db").status == 0
    (tmp_path / "case.db").unlink()
    assert learn("case.db", "alice", tmp_path).status == 0
    assert learned("case.db") == ["alice"]


# What earlier builds left


def test_the_folder_of_an_earlier_build_is_read_and_renamed(tmp_path: Path) -> None:
    learn("case.db", "alice", tmp_path)
    as_of_an_earlier_build(tmp_path / "case.db", tmp_path / "case.state")
    before = content(tmp_path / "case.state")
    assert learned("case.db") == ["alice"]
    assert content(tmp_path / "case.state") == before  # who only reads changes nothing
    assert learn("case.db", "bob", tmp_path).status == 0
    assert learned("case.db") == ["alice", "bob"]
    assert not (tmp_path / "case.state").exists()


def test_what_an_earlier_build_left_to_two_stores_is_given_to_neither(tmp_path: Path) -> None:
    learn("case.db", "alice", tmp_path)
    as_of_an_earlier_build(tmp_path / "case.db", tmp_path / "case.state")
    shutil.copy("case.db", "case.sqlite")
    before = content(tmp_path / "case.state")
    refused(learn("case.db", "bob", tmp_path), "case.state may be the state of case.db or of case.sqlite", "rename it to")
    refused(learn("case.sqlite", "bob", tmp_path), "case.state may be the state of case.sqlite or of case.db")
    assert content(tmp_path / "case.state") == before
    (tmp_path / "case.state").rename(tmp_path / "case.db.state")  # as the sentence says
    assert learn("case.db", "bob", tmp_path).status == 0
    assert learned("case.db") == ["alice", "bob"]


def test_the_last_of_two_stores_that_shared_a_folder_keeps_it(tmp_path: Path) -> None:
    learn("case.sqlite", "alice", tmp_path)
    as_of_an_earlier_build(tmp_path / "case.sqlite", tmp_path / "case.state")
    (tmp_path / "case.state").rename(tmp_path / "case.sqlite.state")
    learn("case.db", "bob", tmp_path)
    learn("case.db", "carol", tmp_path)
    as_of_an_earlier_build(tmp_path / "case.db", tmp_path / "case.state")
    shutil.rmtree("case.sqlite.state")  # the other had swept it away
    before = content(tmp_path / "case.state")
    refused(learn("case.sqlite", "dora", tmp_path), "case.sqlite.state", "missing")
    assert content(tmp_path / "case.state") == before
    assert learn("case.db", "dora", tmp_path).status == 0
    assert learned("case.db") == ["bob", "carol", "dora"]


def test_a_new_store_does_not_touch_what_an_earlier_build_left_to_another(tmp_path: Path) -> None:
    learn("case.sqlite", "alice", tmp_path)
    as_of_an_earlier_build(tmp_path / "case.sqlite", tmp_path / "case.state")
    assert learn("case.db", "bob", tmp_path).status == 0
    refused(learn("case", "carol", tmp_path), "case.state", "nothing says of which store")
    assert learn("case.sqlite", "dora", tmp_path).status == 0
    assert learned("case.sqlite") == ["alice", "dora"]
    assert learned("case.db") == ["bob"]


def test_a_chosen_folder_of_an_earlier_build_goes_on_for_its_store_only(tmp_path: Path) -> None:
    learn("one.db", "alice", tmp_path)
    learn("one.db", "bob", tmp_path)
    as_of_an_earlier_build(tmp_path / "one.db", tmp_path / "shared")
    learn("two.db", "carol", tmp_path)
    as_of_an_earlier_build(tmp_path / "two.db", tmp_path / "lost")
    (tmp_path / "vedette.toml").write_text("state_folder = 'shared'\n")
    before = content(tmp_path / "shared")
    refused(learn("two.db", "dora", tmp_path), "shared")
    refused(learn("new.db", "dora", tmp_path), "shared", "nothing says of which store")
    assert content(tmp_path / "shared") == before
    assert learn("one.db", "dora", tmp_path).status == 0
    assert learned("one.db") == ["alice", "bob", "dora"]


# Folders that are chosen


def test_two_databases_of_a_server_do_not_share_a_folder(tmp_path: Path, postgresql_url: str, postgresql_server: str) -> None:
    from sqlalchemy import create_engine, text  # noqa: PLC0415 - where there is a server

    (tmp_path / "vedette.toml").write_text("state_folder = 'shared'\n")
    assert learn(postgresql_url, "alice", tmp_path).status == 0
    name = postgresql_url.partition("?")[0].rpartition("/")[2]
    engine = create_engine(postgresql_server.format("postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.execute(text(f"create database {name}_new"))
        connection.execute(text(f"create database {name}_copy template {name}"))
        try:
            before = content(tmp_path / "shared")
            for other in (f"{name}_new", f"{name}_copy"):
                refused(learn(postgresql_server.format(other), "bob", tmp_path), "shared", "another store", name)
            assert content(tmp_path / "shared") == before
            assert learn(postgresql_url, "carol", tmp_path).status == 0
            assert learned(postgresql_url) == ["alice", "carol"]
        finally:
            for other in (f"{name}_new", f"{name}_copy"):
                connection.execute(text(f"drop database {other} with (force)"))
    engine.dispose()


def test_a_run_without_a_store_leaves_the_state_in_a_chosen_folder_alone(tmp_path: Path) -> None:
    (tmp_path / "vedette.toml").write_text("state_folder = 'shared'\n")
    learn("one.db", "alice", tmp_path)
    (tmp_path / "shared" / "mine.parquet").write_bytes(b"not a state file")
    (tmp_path / "log.json").write_text('{"Records": []}')
    before = content(tmp_path / "shared")
    for _ in range(2):
        assert run("scan", "log.json", "--workers", "1", "-q").status == 0
    assert content(tmp_path / "shared") == before
    assert run("scan", "log.json", "--workers", "1", "-q", "--store", "one.db").status == 0
    assert (tmp_path / "shared" / "mine.parquet").is_file()  # of which no store knows
    assert learned("one.db") == ["alice"]


@pytest.mark.parametrize("folder", ["gs://bucket/prefix", "http://u:hunter22@host/x", "s3://", "s3:///prefix"])
def test_a_state_folder_that_is_none_is_refused(tmp_path: Path, folder: str) -> None:
    (tmp_path / "vedette.toml").write_text(f"state_folder = '{folder}'\n")
    ended = learn("one.db", "alice", tmp_path)
    assert ended.status == 2
    assert ended.err.count("\n") == 1
    assert "hunter22" not in ended.err


def remembered(url: str) -> list[dict[str, object]]:
    """Return the rows of the table of callers in the state of a store."""
    folder, schema = state_folder(url), all_states()["caller_activity"].schema
    assert folder is not None
    with Store.open(url) as store:
        generation = store.generation()
    assert generation is not None
    tables = [read_table(Folder(folder), part, schema) for part in generation.states["caller_activity"]]
    rows = [row for table in tables for row in table.to_pylist()]
    assert sum(row["calls"] for row in rows) == 2
    return sorted(rows, key=str)


@pytest.mark.parametrize("folder", ["day=5/calls=1000", "principal=x", "[a]*?", "b\udcff", "back\\slash"])
def test_the_engine_reads_its_own_state_whatever_the_folder_is_called(tmp_path: Path, folder: str) -> None:
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "aa").mkdir()  # which [a]*? would find
    stores = {name: f"sqlite:///{quote_from_bytes(os.fsencode(tmp_path / name))}/s.db" for name in (folder, "aa")}
    for day, line in enumerate(["12:00 alice 198.51.100.7 ec2:DescribeVpcs", "13:00 alice 198.51.100.7 iam:ListUsers"]):
        texts = {}
        for name, store in stores.items():
            found = scan([blob(calls([line]), f"{day}.json.gz")], TOR, store=store)
            texts[name] = [found.text, [finding.seen.count for finding in found.findings]]
        assert texts[folder] == texts["aa"]
        assert texts[folder][1] == [day + 1]
    assert remembered(stores[folder]) == remembered(stores["aa"])
