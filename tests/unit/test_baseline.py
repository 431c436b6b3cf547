"""What was learned of principals: shown, carried from store to store, refused where it is no baseline, and forgotten."""

import io
import json
import zipfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Vedette, run
from hypothesis import given
from hypothesis import settings as lawful
from hypothesis import strategies as st
from moto.server import ThreadedMotoServer
from notation import blob, calls
from scanning import Outcome, scan

from vedette import aws
from vedette.baseline import export, forgotten, imported, learning, page, principals
from vedette.baseline.numbers import numbers
from vedette.baseline.tables import API_DAYS, DAYS, FOLDS, MARKS, TRAITS, folded, load, schema_of
from vedette.cli.baseline import known, read_state, start_from
from vedette.errors import ConfigurationError, EngineError, NotFoundError
from vedette.pipeline import composition
from vedette.pipeline.knowledge import gather
from vedette.settings import load as load_settings
from vedette.state_files.generation import Generation, Part
from vedette.state_files.location import Bucket, Folder
from vedette.state_files.tables import write_table
from vedette.store import Store

ALICE = "arn:aws:iam::123456789012:user/alice"
BOB = "arn:aws:iam::123456789012:user/bob"
NUMBERS = numbers("balanced", {})
NETWORK_CALLS = ("DescribeSecurityGroups", "DescribeNetworkAcls", "DescribeRouteTables", "DescribeVpcs", "DescribeSubnets")
FIRST = (date(2026, 3, 1) - date(1970, 1, 1)).days


def usual(days: Iterable[int]) -> Iterator[str]:
    """Everyday calls of two users from the office."""
    for day in days:
        for who in ("alice", "bob"):
            for hour in range(9, 15):
                yield f"2026-03-{day:02}T{hour:02}:00:00Z {who} 192.0.2.10 ec2:DescribeInstances"


def attack(day: int, who: str, address: str) -> Iterator[str]:
    """Calls that are new for somebody, from elsewhere."""
    for minute, name in enumerate(NETWORK_CALLS):
        yield f"2026-03-{day:02}T03:{minute:02}:00Z {who} {address} ec2:{name} denied"


BEFORE = [*usual(range(1, 21)), *attack(18, "bob", "203.0.113.7")]
AFTER = [*usual(range(22, 27)), *attack(24, "bob", "203.0.113.7"), *attack(25, "alice", "198.51.100.7")]


@pytest.fixture(scope="module")
def learned(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store that has scanned what came before; nobody writes to it."""
    store = tmp_path_factory.mktemp("learned") / "case.db"
    scan([blob(calls(BEFORE), "before.json.gz")], store=f"sqlite:///{store}")
    return store


def state(store: Path) -> tuple[Generation, Folder]:
    with Store.open(f"sqlite:///{store}", create=False) as opened:
        generation = opened.generation()
    assert generation is not None
    return generation, Folder(store.with_name(f"{store.name}.state"))


def rows(generation: Generation, place: Folder, name: str) -> list[dict[str, object]]:
    tables = [load(place, name, part) for part in generation.states.get(name, ())]
    return folded(name, pa.concat_tables([schema_of(name).empty_table(), *tables])).to_pylist()


def scanned_from(file: Path, lines: Iterable[str], name: str) -> Outcome:
    """Scan with a store of this run only that starts from a baseline."""
    chosen = load_settings(None, {"workers": 1, "bundled_lists": False})
    with Store.ephemeral() as store:
        with composition.pipeline(chosen, store, gather(chosen, store)) as running:
            start_from(file, store, running.plan.place)
            report = running.bulk([blob(calls(lines), name)])
        return Outcome(findings=tuple(store.findings_of(sorted(running.findings))), report=report)


def test_a_scan_from_a_baseline_finds_what_one_store_would_have_found(learned: Path, tmp_path: Path) -> None:
    export(*state(learned), tmp_path / "baseline.zip")
    whole = tmp_path / "whole.db"
    scan([blob(calls(BEFORE), "before.json.gz")], store=f"sqlite:///{whole}")
    together = scan([blob(calls(AFTER), "after.json.gz")], store=f"sqlite:///{whole}")
    apart = scanned_from(tmp_path / "baseline.zip", AFTER, "after.json.gz")
    assert apart.text == together.text
    assert {finding.seen.target for finding in apart.findings} == {ALICE, BOB}
    # without it, an archive of days is learned from, not judged
    alone = scan([blob(calls(AFTER), "after.json.gz")])
    assert alone.text != together.text


def test_the_same_state_is_the_same_file_and_comes_back_from_it(learned: Path, tmp_path: Path) -> None:
    generation, place = state(learned)
    carried = export(generation, place, tmp_path / "one.zip")
    assert carried.days == (FIRST, FIRST + 19)
    other = Folder(tmp_path / "other")
    again = imported(tmp_path / "one.zip", Generation(number=4), other)
    assert again.number == 5
    for name in FOLDS:
        assert rows(again, other, name) == rows(generation, place, name) != []
    export(again, other, tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.zip", "other", "two.zip"]


def test_days_that_are_there_already_are_refused_and_merged_where_it_is_asked_for(learned: Path, tmp_path: Path) -> None:
    generation, place = state(learned)
    export(generation, place, tmp_path / "one.zip")
    before = {path: path.read_bytes() for path in place.path.rglob("*") if path.is_file()}
    with pytest.raises(ConfigurationError, match=r"20 of its days from 2026-03-01 to 2026-03-20 .*--merge"):
        imported(tmp_path / "one.zip", generation, place)
    assert {path: path.read_bytes() for path in place.path.rglob("*") if path.is_file()} == before
    here = Folder(tmp_path / "here")
    first = imported(tmp_path / "one.zip", Generation(number=0), here)
    twice = imported(tmp_path / "one.zip", first, here, merge=True)
    for name, sums in FOLDS.items():
        added = {column for column, how in sums if how == "sum"}
        expected = [
            {key: int(str(value)) * 2 if key in added else value for key, value in row.items()}
            for row in rows(generation, place, name)
        ]
        assert rows(twice, here, name) == expected


days_rows = st.lists(
    st.fixed_dictionaries(
        {
            "day": st.integers(20_000, 20_003),
            "account_id": st.sampled_from(["123456789012", None]),
            "principal": st.sampled_from([ALICE, BOB]),
            "kind": st.sampled_from(["user", "role", None]),
            "session": st.sampled_from(["", "x"]),
            "calls": st.integers(0, 9),
            "reads": st.integers(0, 9),
            "denied": st.integers(0, 9),
        }
    ),
    max_size=20,
)


@lawful(max_examples=20, deadline=None)
@given(left=days_rows, right=days_rows)
def test_merging_adds_up_whatever_comes_first(
    left: list[dict[str, object]], right: list[dict[str, object]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("law")
    for number, some in enumerate((left, right)):
        place = Folder(folder / str(number))
        parts = [
            write_table(place, 1, DAYS, day, pa.Table.from_pylist([row for row in some if row["day"] == day], schema_of(DAYS)))
            for day in sorted({int(str(row["day"])) for row in some})
        ]
        export(Generation(number=1, states={DAYS: tuple(parts)}), place, folder / f"{number}.zip")
    outcomes = []
    for order in ((0, 1), (1, 0)):
        place, generation = Folder(folder / f"order{order[0]}"), Generation(number=0)
        for number in order:
            generation = imported(folder / f"{number}.zip", generation, place, merge=True)
        outcomes.append(rows(generation, place, DAYS))
    assert outcomes[0] == outcomes[1] == folded(DAYS, pa.Table.from_pylist(left + right, schema_of(DAYS))).to_pylist()


ROW = {
    "day": 20_000,
    "account_id": "123456789012",
    "principal": ALICE,
    "kind": "user",
    "session": "",
    "calls": 1,
    "reads": 1,
    "denied": 0,
}


def parquet(rows_of: list[dict[str, object]], schema: pa.Schema | None = None) -> bytes:
    sink = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(rows_of, schema or schema_of(DAYS)), sink)
    return sink.getvalue()


def archive(path: Path, members: Mapping[str, bytes], *, compression: int = zipfile.ZIP_STORED) -> Path:
    with zipfile.ZipFile(path, "w", compression) as file:
        for name, data in members.items():
            file.writestr(name, data)
    return path


ABOUT = {"baseline.json": b'{"format": "vedette-baseline", "version": 1}'}
ENTRY = f"{DAYS}/20000.parquet"
WRONG_SCHEMA = pa.schema([pa.field("day", pa.int64()), pa.field("principal", pa.string())])


@pytest.mark.parametrize(
    ("members", "said"),
    [
        ({}, "does not say so"),
        ({"baseline.json": b"[" * 50_000}, "does not say so"),
        ({"baseline.json": b'{"format": "vedette-baseline", "version": 2}'}, "version '2'"),
        (ABOUT | {"../escape.parquet": b""}, "does not belong in one"),
        (ABOUT | {f"{DAYS}/all.parquet": b""}, "does not belong in one"),
        (ABOUT | {f"{MARKS}/20000.parquet": b""}, "does not belong in one"),
        (ABOUT | {f"{DAYS}/020000.parquet": b""}, "does not belong in one"),
        (ABOUT | {ENTRY: b"PAR1" + bytes(100)}, "20000.parquet: is not a Parquet table"),
        (ABOUT | {ENTRY: parquet([{"day": 20_000, "principal": ALICE}], WRONG_SCHEMA)}, "other columns"),
        (ABOUT | {ENTRY: parquet([ROW | {"day": 20_001}])}, "holds days from 20001"),
        (ABOUT | {ENTRY: parquet([ROW | {"calls": -1}])}, "calls is not between"),
        (ABOUT | {ENTRY: parquet([ROW | {"calls": 2**62}])}, "calls is not between"),
        (ABOUT | {ENTRY: parquet([ROW | {"reads": None}])}, "reads is not between"),
        (ABOUT | {ENTRY: parquet([ROW | {"principal": None}])}, "principal holds"),
        (ABOUT | {ENTRY: parquet([ROW | {"session": "x" * 9_000}])}, "session holds a text of 9,000 bytes"),
        (ABOUT | {f"{DAYS}/{number}.parquet": b"" for number in range(401)}, "403 files in it"),
    ],
)
def test_what_is_no_baseline_is_refused_and_leaves_nothing(tmp_path: Path, members: dict[str, bytes], said: str) -> None:
    good = f"{DAYS}/19999.parquet"
    file = archive(tmp_path / "bad.zip", {good: parquet([ROW | {"day": 19_999}]), **members})
    place = Folder(tmp_path / "state")
    with pytest.raises(ConfigurationError, match=r"bad\.zip") as raised:
        imported(file, Generation(number=0), place)
    assert said in str(raised.value)
    assert [path for path in place.path.rglob("*") if path.is_file()] == []


def test_a_compressed_member_is_refused_unread(tmp_path: Path) -> None:
    file = archive(tmp_path / "bomb.zip", ABOUT | {ENTRY: bytes(1 << 20)}, compression=zipfile.ZIP_DEFLATED)
    with pytest.raises(ConfigurationError, match="is compressed"):
        imported(file, Generation(number=0), Folder(tmp_path))


@lawful(max_examples=60, deadline=None)
@given(place=st.integers(0, 10_000), byte=st.integers(0, 255), end=st.integers(0, 10_000))
def test_a_damaged_file_is_a_clear_error_or_as_good(
    learned: Path, tmp_path_factory: pytest.TempPathFactory, place: int, byte: int, end: int
) -> None:
    folder = tmp_path_factory.mktemp("damaged")
    export(*state(learned), folder / "good.zip")
    data = bytearray((folder / "good.zip").read_bytes())
    data[place % len(data)] = byte
    (folder / "bad.zip").write_bytes(data[: len(data) - (end % len(data) if end % 3 == 0 else 0)])
    try:
        made = imported(folder / "bad.zip", Generation(number=0), Folder(folder))
    except ConfigurationError as error:
        assert "bad.zip" in str(error)  # noqa: PT017  # both ways are lawful
    else:
        assert rows(made, Folder(folder), DAYS)


@pytest.mark.parametrize("content", [None, b"", b"no zip", b"PK\x03\x04 but not really"])
def test_no_archive_is_a_clear_error(tmp_path: Path, content: bytes | None) -> None:
    if content is not None:
        (tmp_path / "x.zip").write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"x\.zip: (cannot be read|is not an exported baseline)"):
        imported(tmp_path / "x.zip", Generation(number=0), Folder(tmp_path))


def test_an_export_that_cannot_be_written_is_a_clear_error(learned: Path, tmp_path: Path) -> None:
    with pytest.raises(ConfigurationError, match="cannot be written"):
        export(*state(learned), tmp_path / "no folder" / "baseline.zip")


def test_forgetting_takes_one_principal_out_of_every_table(learned: Path, tmp_path: Path) -> None:
    export(*state(learned), tmp_path / "one.zip")
    place = Folder(tmp_path / "here")
    before = imported(tmp_path / "one.zip", Generation(number=0), place)
    after, gone = forgotten(before, place, BOB)
    for name in FOLDS:
        assert rows(after, place, name) == [row for row in rows(before, place, name) if row["principal"] != BOB]
    assert gone == sum(row["principal"] == BOB for name in FOLDS for row in rows(before, place, name)) > 0
    assert after.number == 2
    assert forgotten(after, place, BOB) == (after, 0)


def test_a_page_says_what_is_usual_since_when(learned: Path) -> None:
    shown = page(*state(learned), "alice", NUMBERS)
    history = shown.history
    assert (history.principal, history.kind, history.accounts) == (ALICE, "user", ("123456789012",))
    assert (history.first_day, history.last_day, history.days) == (FIRST, FIRST + 19, 20)
    assert (history.calls, history.reads, history.denied, history.enough) == (120, 120, 0, True)
    assert [(item.value, item.calls, item.days) for item in shown.usual["api"]] == [("ec2:DescribeInstances", 120, 20)]
    assert [(item.value, item.first_day, item.found) for item in shown.usual["network"]] == [("192.0.0.0/16", FIRST, False)]
    assert {item.value for item in shown.usual["region"]} == {"us-east-1"}


def test_a_page_says_what_was_only_seen_in_findings(learned: Path) -> None:
    shown = page(*state(learned), BOB, NUMBERS)
    assert {item.value: item.found for item in shown.usual["network"]} == {"192.0.0.0/16": False, "203.0.0.0/16": True}
    apis = {item.value: item.found for item in shown.usual["api"]}
    assert apis == {"ec2:DescribeInstances": False} | {f"ec2:{name}": True for name in NETWORK_CALLS}


def test_learning_is_told_of_each_account(learned: Path) -> None:
    (account,) = learning(principals(*state(learned), NUMBERS), NUMBERS)
    assert (account.account_id, account.principals, account.enough, account.done) == ("123456789012", 2, 2, True)
    assert account.judged_from == FIRST + 14
    longer = numbers("balanced", {"discovery.learning_days": 30, "discovery.history_reads": 500})
    (account,) = learning(principals(*state(learned), longer), longer)
    assert (account.enough, account.done) == (0, False)


@pytest.mark.parametrize(
    ("name", "said"), [("carol", "no principal 'carol'"), ("user/", "matches 2 principals"), ("", "no principal")]
)
def test_a_principal_that_is_not_known_is_a_clear_error(learned: Path, name: str, said: str) -> None:
    with pytest.raises(NotFoundError, match=said):
        page(*state(learned), name, NUMBERS)


@pytest.mark.parametrize("spoil", ["gone", "junk", "other columns"])
def test_a_broken_state_is_one_clear_error(tmp_path: Path, spoil: str) -> None:
    place = Folder(tmp_path)
    part = write_table(place, 1, TRAITS, 20_000, schema_of(TRAITS).empty_table())
    file = tmp_path / part.path
    if spoil == "gone":
        file.unlink()
    elif spoil == "junk":
        file.write_bytes(b"PAR1" + bytes(50))
    else:
        pq.write_table(pa.table({"day": [1]}), file)
    generation = Generation(number=1, states={TRAITS: (part,)})
    with pytest.raises(EngineError, match=TRAITS):
        export(generation, place, tmp_path / "out.zip")
    assert not (tmp_path / "out.zip").exists()


@pytest.fixture
def vedette(learned: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Vedette:
    """Run a command in a folder that holds case.db, a store like the one that has learned."""
    monkeypatch.chdir(tmp_path)
    export(*state(learned), tmp_path / "baseline.zip")

    assert run("baseline", "import", "baseline.zip", "--store", "case.db").status == 0
    return run


def test_the_commands_show_carry_and_forget(vedette: Vedette, tmp_path: Path) -> None:
    ended = vedette("baseline", "show", "--store", "case.db")
    assert (ended.status, "123456789012  2026-03-01  2026-03-20" in ended.out, ALICE in ended.out) == (0, True, True)
    assert max(map(len, ended.out.splitlines())) <= 80
    ended = vedette("baseline", "show", "bob", "--store", "case.db")
    assert "not learned: seen only in findings" in ended.out
    assert "  working days  02:00-04:59, 08:00-15:59\n  weekends      08:00-15:59\n" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80
    ended = vedette("baseline", "show", "bob", "--store", "case.db", "--format", "json")
    assert json.loads(ended.out)["network"][0] == {
        "value": "192.0.0.0/16",
        "firstDay": "2026-03-01",
        "lastDay": "2026-03-20",
        "days": 20,
        "onlyInFindings": False,
    }
    assert vedette("baseline", "export", "again.zip", "--store", "case.db").status == 0
    assert (tmp_path / "again.zip").read_bytes() == (tmp_path / "baseline.zip").read_bytes()
    assert vedette("baseline", "import", "again.zip", "--store", "case.db").status == 2
    assert vedette("baseline", "import", "again.zip", "--merge", "--store", "case.db").status == 0
    ended = vedette("baseline", "forget", "bob", "--store", "case.db")
    assert (ended.status, BOB in ended.err) == (8, True)
    assert vedette("baseline", "forget", BOB, "--store", "case.db").status == 0
    assert vedette("baseline", "show", "bob", "--store", "case.db").status == 8
    # what was replaced is gone
    generation, place = state(tmp_path / "case.db")
    assert {name for name in place.names() if name.endswith(".parquet")} == generation.files()


def test_a_state_that_a_scan_replaces_meanwhile_is_read_once_more(vedette: Vedette) -> None:
    chosen = load_settings(None, {"store": "sqlite:///case.db"})
    with Store.open("sqlite:///case.db") as store:
        before = known(store, chosen)

        def replaced(generation: Generation) -> int:
            if generation.number == before.number:
                store.commit(findings=(), receipts=(), generation=replace(before, number=before.number + 1))
                raise EngineError("gone")
            return generation.number

        assert read_state(store, chosen, replaced) == before.number + 1

        def broken(_generation: Generation) -> int:
            raise EngineError("broken")

        with pytest.raises(EngineError, match="broken"):
            read_state(store, chosen, broken)


def test_a_state_in_a_bucket_is_carried_too(learned: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "testing")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "testing")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    try:
        host, port = server.get_host_and_port()
        connection = aws.Connection(region="us-east-1", s3_endpoint=f"http://{host}:{port}")
        aws.s3(connection).create_bucket(Bucket="state")
        bucket = Bucket("s3://state/vedette", connection)
        export(*state(learned), tmp_path / "one.zip")
        there = imported(tmp_path / "one.zip", Generation(number=0), bucket)
        export(there, bucket, tmp_path / "two.zip")
        assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    finally:
        server.stop()
        aws._client.cache_clear()


def test_a_store_that_has_learned_nothing_says_so(vedette: Vedette) -> None:
    with Store.open("sqlite:///empty.db"):
        pass
    for arguments in (("show",), ("export", "x.zip"), ("forget", ALICE)):
        ended = vedette("baseline", *arguments, "--store", "empty.db")
        assert (ended.status, ended.out) == (8, "")
        assert "has learned nothing" in ended.err


def test_names_of_the_log_cannot_reach_the_terminal(vedette: Vedette, tmp_path: Path) -> None:
    hostile = "arn:aws:iam::123456789012:user/\x1b[31m\u202ex\x07"
    file = archive(tmp_path / "hostile.zip", ABOUT | {ENTRY: parquet([ROW | {"principal": hostile, "account_id": hostile}])})
    assert vedette("baseline", "import", str(file), "--store", "hostile.db").status == 0
    for arguments in ((), ("user",)):
        ended = vedette("baseline", "show", *arguments, "--store", "hostile.db")
        assert ended.status == 0
        assert not set(ended.out) & set("\x1b\u202e\x07")


def test_days_beyond_the_calendar_are_shown_as_numbers(tmp_path: Path) -> None:
    rows_of = [{**ROW, "day": 200_000}]
    part = write_table(Folder(tmp_path), 1, DAYS, 200_000, pa.Table.from_pylist(rows_of, schema_of(DAYS)))
    shown = page(Generation(number=1, states={DAYS: (part,)}), Folder(tmp_path), ALICE, NUMBERS)
    assert shown.history.last_day == 200_000


def test_parts_of_a_table_that_is_kept_whole_are_one_in_an_export(learned: Path, tmp_path: Path) -> None:
    generation, place = state(learned)
    marks = rows(generation, place, MARKS)
    halves = [pa.Table.from_pylist(some, schema_of(MARKS)) for some in (marks[:3], marks[3:])]
    parts: list[Part] = []
    for number, half in enumerate(halves, 1):
        parts.append(write_table(Folder(tmp_path), number, MARKS, None, half))
    split = Generation(number=2, states={MARKS: tuple(parts)})
    assert export(split, Folder(tmp_path), tmp_path / "x.zip").rows == {DAYS: 0, API_DAYS: 0, TRAITS: 0, MARKS: len(marks)}
    assert rows(imported(tmp_path / "x.zip", split, Folder(tmp_path)), Folder(tmp_path), MARKS) == marks
