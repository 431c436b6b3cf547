"""A folder that no store may have stays as it is, whatever is in it, and no advice would lose the state of a living store."""

import re
from pathlib import Path

import pytest
from baselines import learn, learned
from commands import run


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def everything(folder: Path) -> dict[str, bytes | None]:
    return {path.name: path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.mark.parametrize("has_lock", [True, False])
@pytest.mark.parametrize("other", ["spool/of-somebody.parquet", "states/1/a.arrow", "owner.json"])
def test_a_folder_that_is_refused_stays_as_it_is(tmp_path: Path, other: str, *, has_lock: bool) -> None:
    mine = tmp_path / "mine"
    (mine / other).parent.mkdir(parents=True)
    (mine / other).write_text("of a user")
    if has_lock:
        (mine / "lock").write_text("the combination is 1234")
    (tmp_path / "vedette.toml").write_text("state_folder = 'mine'\n")
    before = everything(mine)
    ended = learn("case.db", "alice", tmp_path)
    assert (ended.status, ended.err.count("\n")) == (6, 1)
    assert everything(mine) == before


def test_what_a_file_called_as_the_lock_holds_stays(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lock").write_text("the combination is 1234")
    (tmp_path / "vedette.toml").write_text("state_folder = 'mine'\n")
    assert learn("case.db", "alice", tmp_path).status == 0
    assert (tmp_path / "mine" / "lock").read_text() == "the combination is 1234"


@pytest.mark.parametrize("target", ["elsewhere", "/dev/null/nothing"])
def test_no_lock_is_made_where_a_link_leads(tmp_path: Path, target: str) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "lock").symlink_to(target)
    (tmp_path / "vedette.toml").write_text("state_folder = 'mine'\n")
    ended = learn("case.db", "alice", tmp_path)
    assert (ended.status, ended.err.count("\n")) == (6, 1)
    assert not (tmp_path / "mine" / "elsewhere").exists()


def exchange(one: Path, other: Path) -> None:
    aside = one.with_name("aside")
    one.rename(aside)
    other.rename(one)
    aside.rename(other)


def test_stores_that_were_exchanged_are_never_told_to_remove_the_state_of_the_other(tmp_path: Path) -> None:
    for name, who in (("d.db", "alice"), ("e.db", "bob")):
        learn(name, who, tmp_path)
    exchange(tmp_path / "d.db", tmp_path / "e.db")
    for name in ("d.db", "e.db"):
        for ended in (learn(name, "carol", tmp_path), run("baseline", "show", "--store", name)):
            assert ended.status == 6
            assert f"{name}.state" in ended.err
            assert not re.search("remove|delete", ended.err)
            assert "move their state folders likewise" in ended.err
    exchange(tmp_path / "d.db.state", tmp_path / "e.db.state")  # as advised
    assert (learned("d.db"), learned("e.db")) == (["bob"], ["alice"])


@pytest.mark.parametrize("gone", [False, True])
def test_the_state_of_a_store_elsewhere_is_never_advised_to_be_removed(tmp_path: Path, *, gone: bool) -> None:
    (tmp_path / "vedette.toml").write_text("state_folder = 'shared'\n")
    learn("one.db", "alice", tmp_path)
    if gone:
        (tmp_path / "one.db").rename(tmp_path / "moved.db")
    ended = learn("two.db", "bob", tmp_path)
    assert ended.status == 6
    assert "one.db" in ended.err
    assert not re.search("remove|delete", ended.err)
