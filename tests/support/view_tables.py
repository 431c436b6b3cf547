"""Views of the SQL graph alone, rows in and rows out: the text tables of ``tests/views`` and how they are run.

A case becomes one query: a ``with`` clause holds its tables, the view's own SQL reads them. Names and types of columns are those
of the real graph, built on no rows. ``tests/views/README.md`` explains the notation.
"""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from difflib import get_close_matches
from functools import cache
from typing import Any

import duckdb
import pyarrow as pa
from text_tables import NOTHING, NotationError, Row, is_moment, moment, parse

from vedette.engine import fact_tables
from vedette.engine.dialect import spark_sql
from vedette.engine.functions import FUNCTIONS
from vedette.inventory import INTERFACES
from vedette.rules.choice import rules
from vedette.schema import TABLES
from vedette.settings import load
from vedette.sql.graph import fill, parameters
from vedette.state import all_states
from vedette.views import View, all_views, episodes, needed

ANY_NUMBER = "*"
STEP = 7  # the number of the step that runs the view, unless a case says otherwise
_MARKS = ("marks", "all_marks")  # columns that hold a bit for each mark: its cells name them
_SHOWN = 10  # columns of rows where none are expected, and rows of a difference
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FACTS = {
    "address_facts": fact_tables.ADDRESS_FACTS,
    "address_matches": fact_tables.ADDRESS_MATCHES,
    "agent_facts": fact_tables.AGENT_FACTS,
    "api_facts": fact_tables.API_FACTS,
    "error_facts": fact_tables.ERROR_FACTS,
    "expected_ports": fact_tables.EXPECTED_PORTS,
    "inventory": INTERFACES,
}

# Numbers and columns of the real graph


@cache
def numbers() -> Mapping[str, int | float]:
    """Return what every ``$name`` of a view stands for by default: settings, thresholds of detections and of views, the step."""
    return {**rules(load(None, {})).numbers, "step": STEP, "watermark_us": 0}


@cache
def columns() -> Mapping[str, pa.Schema]:
    """Return the columns of every table, state and view of the graph as DuckDB has them, built on no rows."""
    states = {name: state.schema for name, state in all_states().items()}
    tables = {**TABLES, **_FACTS, **states, **{f"{name}_before": schema for name, schema in states.items()}}
    found = {name: _plain(schema) for name, schema in tables.items()}
    with connect() as connection:
        for name, schema in found.items():
            connection.execute(f"create table {name} as {_select(schema, [], 'duckdb')}")
        for view in needed(all_views()):
            connection.execute(f"create table {view.name} as {fill(view.sql, numbers())} limit 0")
            found[view.name] = _plain(connection.sql(f"select * from {view.name}").to_arrow_table().schema)
    return found


def connect() -> duckdb.DuckDBPyConnection:
    """Return a DuckDB in memory with the functions of ours, as the engine has it."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute("set timezone = 'UTC'")
    for function in FUNCTIONS:
        connection.execute(f"create macro {function.name}({function.parameter}) as {function.duckdb}")
    return connection


def _plain(schema: pa.Schema) -> pa.Schema:
    """Return a schema in types that both engines have: no dictionaries, and whole numbers of at most 64 bits."""
    return pa.schema([pa.field(field.name, _plain_type(field.type)) for field in schema])


def _plain_type(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_dictionary(kind):
        return kind.value_type
    if pa.types.is_decimal(kind):
        return pa.int64() if kind.scale == 0 else pa.float64()
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(field.name, _plain_type(field.type)) for field in kind])
    return kind


# Cases


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One case: a view, its tables, the numbers that differ, and the rows that are expected in the columns that are shown.

    ``apart`` names the columns that keep rows apart: those of different values there have nothing to do with one another.
    """

    view: View
    name: str
    given: Mapping[str, Sequence[Row]]
    numbers: Mapping[str, int | float]
    shown: Sequence[str]
    expected: Sequence[Row]
    apart: Sequence[str]


def read_case(name: str, document: Mapping[str, Any], item: Mapping[str, Any]) -> Case:
    """Read one case of the document of a view.

    Raises:
        NotationError: a table, column, number or cell that the view or the notation does not know.
    """
    try:
        _known(document, ("apart", "usual", "given", "cases"), "member")
        _known([name], all_views(), "view")
        view = all_views()[name]
        usual = document.get("usual", {})
        _known(usual, view.reads, "table")
        return _case(view, item, usual, document)
    except NotationError as error:
        raise NotationError(f"{name}: {item.get('name', 'a case without a name')}: {error}") from error


def _case(view: View, item: Mapping[str, Any], usual: Mapping[str, Row], document: Mapping[str, Any]) -> Case:
    _known(item, ("name", "why", "given", "numbers", "expect"), "member")
    if missing := {"name", "why", "given", "expect"} - set(item):
        raise NotationError(f"lacks {', '.join(sorted(missing))}")
    texts = {**document.get("given", {}), **item["given"]}
    _known(texts, view.reads, "table")
    differing = item.get("numbers", {})
    _known(differing, parameters(view.sql), "number")
    given = {table: _with_usual(columns()[table], usual.get(table, {}), texts.get(table, NOTHING)) for table in view.reads}
    names, expected = parse(item["expect"])
    output = columns()[view.name]
    rows = _in_units(output, expected)
    shown = names or [field.name for field in output if not pa.types.is_nested(field.type)][:_SHOWN]
    apart = document.get("apart", ())
    return Case(view=view, name=item["name"], given=given, numbers=differing, shown=shown, expected=rows, apart=apart)


def _known(names: Iterable[str], allowed: Iterable[str], what: str) -> None:
    """Refuse a name that is not allowed, with the nearest that is.

    Raises:
        NotationError: there is one.
    """
    known = sorted(allowed)
    for name in names:
        if name not in known:
            near = get_close_matches(name, known, n=1)
            raise NotationError(f"{what} {name!r} is not known" + (f" (did you mean {near[0]!r}?)" if near else ""))


# Many cases in one query


def together(cases: Sequence[Case]) -> Case:
    """Return the cases of a view as one, each with values of its own in the columns that keep rows apart."""
    first = cases[0]
    given = {
        table: [{**row, **_moved(row, number, first.apart)} for number, case in enumerate(cases) for row in case.given[table]]
        for table in first.view.reads
    }
    (key,) = (name for name in first.apart if name in columns()[first.view.name].names)
    shown = dict.fromkeys([key, *(name for case in cases for name in case.shown)])
    return replace(first, given=given, shown=tuple(shown), expected=())


def _moved(row: Row, number: int, apart: Iterable[str]) -> Row:
    return {name: f"{number}/{row[name]}" for name in apart if name in row}


def divided(cases: Sequence[Case], whole: Case, rows: Iterable[Sequence[str | None]]) -> list[list[Sequence[str | None]]]:
    """Return the rows of ``together(cases)`` by case, as each case alone would have given them."""
    found: list[list[Sequence[str | None]]] = [[] for _ in cases]
    for cells in rows:
        number, _, value = str(cells[0]).partition("/")
        row = {**dict(zip(whole.shown, cells, strict=True)), whole.shown[0]: value}
        found[int(number)].append([row[name] for name in cases[int(number)].shown])
    return found


# Cells and types


def _type_of(schema: pa.Schema, name: str) -> pa.DataType:
    """Return the type of a column, or of a field of it (``first.us``)."""
    column, _, field = name.partition(".")
    _known([column], schema.names, "column")
    kind = schema.field(column).type
    if field:
        _known([field], [item.name for item in kind] if pa.types.is_struct(kind) else [], f"field of {column}")
        kind = kind.field(field).type
    return kind


def _with_usual(schema: pa.Schema, usual: Mapping[str, Any], text: str) -> list[Row]:
    """Return the rows of a given table: each with its cells, and the usual values of the columns that it does not name."""
    names, rows = parse(text)
    filled: Row = {}
    if ANY_NUMBER in usual:
        filled = {field.name: str(usual[ANY_NUMBER]) for field in schema if _is_number(field.type)}
    for name, value in usual.items():
        if name != ANY_NUMBER:
            filled[name] = None if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    for name in {**filled, **dict.fromkeys(names)}:
        _type_of(schema, name)
    return _in_units(schema, [{**filled, **row} for row in rows])


def _in_units(schema: pa.Schema, rows: Iterable[Row]) -> list[Row]:
    """Return rows with times and marks as the numbers and timestamps that they mean, and everything else checked."""
    found = []
    for row in rows:
        cells: Row = {}
        for name, text in row.items():
            kind = _type_of(schema, name)
            cells[name] = str(canonical(_as_number(name, text, kind), kind)) if text is not None else None
        found.append(cells)
    return found


def _as_number(name: str, text: str, kind: pa.DataType) -> str:
    """Return the text of a cell that names a time or marks as that of the value that its column holds."""
    if name in _MARKS and not text.isdecimal():
        words = text.split() if text != "none" else []
        _known(words, episodes.MARKS, "mark")
        return str(sum(1 << list(episodes.MARKS).index(word) for word in words))
    if is_moment(name, text) and pa.types.is_timestamp(kind):
        return str(_EPOCH + timedelta(microseconds=moment(name, text)))
    return str(moment(name, text)) if is_moment(name, text) and _is_number(kind) else text


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def canonical(text: str | None, kind: pa.DataType) -> object:
    """Return the value that a cell or an engine's text of it means, so that equal values are equal.

    Raises:
        NotationError: it is not a value of the type.
    """
    if text is None or pa.types.is_string(kind):
        return text
    try:
        if pa.types.is_boolean(kind):
            return {"true": "true", "false": "false"}[text]
        if pa.types.is_timestamp(kind):
            return datetime.fromisoformat(text).replace(tzinfo=UTC)
        return int(text) if pa.types.is_integer(kind) and "." not in text else float(text)
    except (ValueError, KeyError):
        raise NotationError(f"{text!r} is not a value of type {kind}") from None


# Queries


_TYPE_NAMES = {
    "duckdb": {pa.string(): "varchar", pa.bool_(): "boolean", pa.float64(): "double", pa.int8(): "tinyint"},
    "spark": {pa.string(): "string", pa.bool_(): "boolean", pa.float64(): "double", pa.int8(): "tinyint"},
}
_QUOTE = {"duckdb": '"', "spark": "`"}


def _type_name(kind: pa.DataType, engine: str) -> str:
    if pa.types.is_timestamp(kind):
        return "timestamptz" if engine == "duckdb" else "timestamp"
    if pa.types.is_struct(kind):
        fields = [(_quoted(field.name, engine), _type_name(field.type, engine)) for field in kind]
        if engine == "duckdb":
            return f"struct({', '.join(f'{name} {of}' for name, of in fields)})"
        return f"struct<{', '.join(f'{name}: {of}' for name, of in fields)}>"
    if pa.types.is_list(kind):
        of = _type_name(kind.value_type, engine)
        return f"{of}[]" if engine == "duckdb" else f"array<{of}>"
    return _TYPE_NAMES[engine].get(kind) or ("integer" if kind.bit_width <= 32 else "bigint")


def _quoted(name: str, engine: str) -> str:
    return _QUOTE[engine] + name + _QUOTE[engine]


def _select(schema: pa.Schema, rows: Sequence[Row], engine: str) -> str:
    """Return the query for a given table: its rows in the types of the real one."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    places = {name: f"cell{number}" for number, name in enumerate(names)}

    def cell(name: str, kind: pa.DataType) -> str:
        if pa.types.is_struct(kind) and any(other.startswith(f"{name}.") for other in names):
            parts = [(field.name, cell(f"{name}.{field.name}", field.type)) for field in kind]
            if engine == "duckdb":
                return f"struct_pack({', '.join(f'{_quoted(part, engine)} := {value}' for part, value in parts)})"
            return "named_struct(" + ", ".join(f"'{part}', {value}" for part, value in parts) + ")"
        return f"cast({places.get(name, 'null')} as {_type_name(kind, engine)})"

    head = ", ".join(f"{cell(field.name, field.type)} as {_quoted(field.name, engine)}" for field in schema)
    if not rows:
        return f"select {head} where false"
    values = ", ".join("(" + ", ".join(_literal(row.get(name)) for name in names) + ")" for row in rows)
    return f"select {head} from (values {values}) as given({', '.join(places.values())})"


def _literal(text: str | None) -> str:
    return "null" if text is None else "'" + text.replace("'", "''") + "'"


def query(case: Case, engine: str) -> str:
    """Return the query of a case: a list of texts per row, those of the columns that are shown."""
    sql = fill(case.view.sql, {**numbers(), **case.numbers})
    tables = [f"{name} as ({_select(columns()[name], case.given[name], engine)})" for name in case.view.reads]
    text, listed, body = ("varchar", "list_value", sql) if engine == "duckdb" else ("string", "array", spark_sql(sql))
    paths = [".".join(_quoted(part, engine) for part in name.split(".")) for name in case.shown]
    wanted = ", ".join(f"cast(tested.{path} as {text})" for path in paths)
    return f"with {', '.join(tables)} select {listed}({wanted}) as cells from ({body}) tested"


def difference(case: Case, cells: Iterable[Sequence[str | None]]) -> str:
    """Say which rows are missing and which are too many, the empty text where a view gave what was expected."""
    kinds = [_type_of(columns()[case.view.name], name) for name in case.shown]
    wanted = Counter(_values_of((row[name] for name in case.shown), kinds) for row in case.expected)
    got = Counter(_values_of(row, kinds) for row in cells)
    wrong = [("-", row) for row in (wanted - got).elements()][:_SHOWN] + [("+", row) for row in (got - wanted).elements()][
        :_SHOWN
    ]
    return (
        "\n".join([f"  {' | '.join(case.shown)}", *(f"{sign} {_line(case.shown, row)}" for sign, row in wrong)]) if wrong else ""
    )


def _values_of(row: Iterable[str | None], kinds: Sequence[pa.DataType]) -> tuple[object, ...]:
    return tuple(canonical(text, kind) for text, kind in zip(row, kinds, strict=True))


def _line(names: Iterable[str], row: Iterable[object]) -> str:
    return " | ".join(_shown(name, value) for name, value in zip(names, row, strict=True))


def _shown(name: str, value: object) -> str:
    if name in _MARKS and isinstance(value, int):
        return " ".join(mark for place, mark in enumerate(episodes.MARKS) if value >> place & 1) or "none"
    return "" if value is None else str(value) or "''"
