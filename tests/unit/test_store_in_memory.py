"""A user cannot name a store in memory, where everything would be lost in silence; a name is that of a file, whatever it is."""

from pathlib import Path

import pytest
from baselines import baseline_of, learn, learned
from commands import run

from vedette.store import Store
from vedette.urls import file_of, file_url

IN_MEMORY = [
    "sqlite://",
    "sqlite:///",
    "sqlite:///:memory:",
    "sqlite://?timeout=5",
    "sqlite:///?timeout=5",
    "sqlite:///:memory:?a=b",
]


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("given", ["option", "variable", "file"])
@pytest.mark.parametrize("url", IN_MEMORY)
def test_a_store_in_memory_is_refused_wherever_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, given: str
) -> None:
    (tmp_path / "log.json").write_text('{"Records": []}')
    if given == "variable":
        monkeypatch.setenv("VEDETTE_STORE", url)
    if given == "file":
        (tmp_path / "vedette.toml").write_text(f"store = '{url}'\n")
    option = ["--store", url] if given == "option" else []
    baseline = baseline_of("alice", tmp_path / "b.zip")
    for words in (["scan", "log.json"], ["baseline", "import", baseline], ["findings", "list"], ["lists", "show", "x"]):
        ended = run(*words, *option)
        assert (ended.status, ended.out, ended.err.count("\n")) == (2, "", 1), (words, ended.err)
        assert repr(url.replace("=b", "=***")) in ended.err
        assert "lost" in ended.err


@pytest.mark.parametrize("given", ["option", "variable", "file"])
def test_memory_is_the_name_of_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str) -> None:
    if given == "variable":
        monkeypatch.setenv("VEDETTE_STORE", ":memory:")
    if given == "file":
        (tmp_path / "vedette.toml").write_text("store = ':memory:'\n")
    option = ["--store", ":memory:"] if given == "option" else []
    assert run("baseline", "import", baseline_of("alice", tmp_path / "b.zip"), *option).status == 0
    assert (tmp_path / ":memory:").is_file()
    assert (tmp_path / ":memory:.state" / "owner.json").is_file()
    assert "alice" in run("baseline", "show", *option).out
    with Store.open(file_url(":memory:"), create=False) as store:
        assert not store.in_memory
        assert store.generation() is not None


def test_the_url_of_a_file_called_memory_is_one_of_a_file(tmp_path: Path) -> None:
    assert file_of(file_url(":memory:")) == ":memory:"
    assert learn(":memory:", "alice", tmp_path).status == 0
    assert learned("sqlite:///%3Amemory%3A") == learned("./:memory:") == ["alice"]


def test_the_program_itself_still_has_stores_in_memory() -> None:
    with Store.ephemeral() as store:
        assert store.in_memory
