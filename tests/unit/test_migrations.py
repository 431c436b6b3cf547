"""Migrations lead from every revision to the tables that the code knows, and keep what is stored."""

import sqlite3
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect, text
from stores import finding

from vedette.errors import StoreError
from vedette.findings import identity
from vedette.state_files.generation import Generation
from vedette.store import Store
from vedette.store.database import HEAD, VERSION_TABLE, connect, migration_config, revision_of, writing
from vedette.store.documents import finding_text, identity_digest
from vedette.store.tables import METADATA

pytest_plugins = ["databases"]

TIME = 1_709_269_200_000_000  # 2024-03-01 05:00 UTC


def upgrade(url: str, revision: str) -> None:
    engine = connect(url, create=True)
    with writing(engine) as connection:
        command.upgrade(migration_config(connection), revision)
    engine.dispose()


def test_the_migrated_tables_are_those_of_the_code(store_url: str) -> None:
    Store.open(store_url).close()
    engine = create_engine(store_url)
    with engine.connect() as connection:
        options = {"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": True}
        assert compare_metadata(MigrationContext.configure(connection, opts=options), METADATA) == []
        migrated = {name: inspect(connection).get_indexes(name) for name in METADATA.tables}
    engine.dispose()
    for name, table in METADATA.tables.items():
        assert {(index["name"], tuple(index["column_names"])) for index in migrated[name]} == {
            (index.name, tuple(index.columns.keys())) for index in table.indexes
        }


def test_the_migrated_tables_are_those_of_a_store_in_memory(tmp_path: Path) -> None:
    """Memory stores are made without migrations: both ways must lead to the same columns."""
    place = tmp_path / "vedette.db"
    Store.open(f"sqlite:///{place}").close()
    with Store.ephemeral() as store, sqlite3.connect(place) as migrated:
        query = (
            "select m.name, c.name, c.type, c.[notnull], c.pk"
            " from sqlite_master m, pragma_table_info(m.name) c where m.type = 'table'"
        )
        with store._engine.connect() as connection:
            made = {tuple(row) for row in connection.exec_driver_sql(query)}
        assert made == {row for row in migrated.execute(query) if row[0] != VERSION_TABLE}
    migrated.close()


def test_the_newest_revision_is_that_of_the_code(store_url: str) -> None:
    Store.open(store_url).close()
    engine = create_engine(store_url)
    with engine.connect() as connection:
        script = ScriptDirectory.from_config(migration_config(connection))
        assert script.get_current_head() == HEAD == revision_of(connection)
        assert script.get_bases() == ["0001"]
    engine.dispose()


def test_what_the_first_revision_holds_is_kept(store_url: str) -> None:
    """Rows are written as the first release did, with SQL of their own: a later change of the tables must carry them over."""
    upgrade(store_url, "0001")
    old, generation = finding(3), Generation(number=5, counts={"records": 3})
    rows = [
        (
            "insert into findings values (:id, :identity, :type, '123456789012', 'eu-west-1', 5.0, false, 4, :us, :us, :us, :us)",
            {
                "id": old.id,
                "identity": identity_digest(identity(old.seen)),
                "type": old.seen.finding_type,
                "us": 1709269200000000,
            },
        ),
        ("insert into finding_documents values (:id, :text)", {"id": old.id, "text": finding_text(old)}),
        ("insert into receipts values ('356a192b7913b04c54574d18c28d46e6', 'a.gz', 'v1', 5)", {}),
        ("insert into generations values (5, 1709269200000000, :text)", {"text": generation.to_json()}),
        ("insert into run_reports values (5, 1709269200000000, :text)", {"text": '{"read":3}'}),
    ]
    engine = connect(store_url, create=False)
    with writing(engine) as connection:
        for statement, values in rows:
            connection.execute(text(statement), values)
    engine.dispose()
    with Store.open(store_url) as store:
        assert store.findings(since=old.updated_at) == [old]
        assert store.open_findings([identity(old.seen)]) == [old]
        assert store.generation() == generation
        assert store.reports()[0].content == {"read": 3}
        store.commit(findings=[finding(4)], receipts=[("b", "1")], generation=Generation(number=6))
        assert store.count() == 2


def test_opening_again_migrates_nothing(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Store.open(store_url).close()

    def fail(*_: object) -> None:
        raise AssertionError("Alembic was asked")

    monkeypatch.setattr(command, "upgrade", fail)
    Store.open(store_url).close()


def test_a_store_of_a_newer_version_is_left_alone(store_url: str) -> None:
    Store.open(store_url).close()
    engine = create_engine(store_url)
    with engine.begin() as connection:
        connection.execute(text(f"update {VERSION_TABLE} set version_num = '9999'"))
        connection.execute(text("update meta set value = '7.1'"))
    with pytest.raises(StoreError, match=r"was written by a newer vedette \(7\.1\): this one is .* not 9999"):
        Store.open(store_url)
    with engine.begin() as connection:
        connection.execute(text("delete from meta"))
    with pytest.raises(StoreError, match=r"was written by a newer vedette \(of unknown version\)"):
        Store.open(store_url)
    engine.dispose()


def test_a_migration_that_fails_leaves_nothing_behind(store_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    upgraded = command.upgrade

    def fail(*arguments: object) -> None:
        upgraded(*arguments)  # type: ignore[arg-type]
        raise OSError("disk full")

    monkeypatch.setattr(command, "upgrade", fail)
    with pytest.raises(StoreError, match="disk full"):
        Store.open(store_url)
    engine = create_engine(store_url)
    with engine.connect() as connection:
        assert inspect(connection).get_table_names() == []
    engine.dispose()
    monkeypatch.undo()
    with Store.open(store_url) as store:
        assert store.count() == 0
