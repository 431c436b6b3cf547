"""Convert columns of whatever type the writer of a Parquet file chose into the types that ``logs.flow.batch`` takes.

Each distinct text is examined once. Placeholders (``-``, an empty text, the None of a careless writer) become null; impossible
values become null and are counted.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from vedette.logs.flow.batch import TEXT, TIME, Column, between, pc
from vedette.schema import FLOWS

_NOTHING = ("", "-", "None")
_MISSING_NUMBER = (*_NOTHING, "none", "null", "NULL", "nan", "NaN")
_TEXTS = frozenset((pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()))
_ACCOUNT_DIGITS = 12
_INTEGER = re.compile(r"\s*(?P<whole>[+-]?\d{1,30})(?:\.(?P<fraction>\d{0,30}))?\s*", re.ASCII)
_LARGEST = 2**63 - 1
_FLOATS_END = float(2**63)
_CALENDAR_END = 253_402_300_800  # the first second of the year 10000
_PER_SECOND = {"s": 1, "ms": 1_000, "us": 1_000_000, "ns": 1_000_000_000}


@dataclass(slots=True)
class Converter:
    """Converts the columns of one blob; counts impossible values in ``nulled``, per column."""

    nulled: Counter[str]

    def columns(self, given: Mapping[str, Column]) -> dict[str, Column]:
        """Return the columns, converted to the types that ``FlowBatches`` takes; what cannot be used is null.

        Raises:
            pyarrow.ArrowInvalid: the data are damaged.
        """
        return {
            name: self._text(name, array) if FLOWS.field(name).type == TEXT else self._number(name, array)
            for name, array in given.items()
        }

    def _text(self, name: str, array: Column) -> Column:
        if _is_number(array.type):
            array = self._identifiers(name, array)
        encoded = self._encoded(name, array)
        if encoded is None:
            return self._unusable(name, array, TEXT)
        texts = encoded.dictionary
        nothing = pc.is_in(texts, pa.array(_NOTHING, pa.string()))
        broken = pc.match_substring(texts, "\0")
        indices = encoded.indices
        if nothing.true_count:
            indices = _without(indices, nothing)
        if broken.true_count:
            indices = self._counted(name, indices, _without(indices, broken))
        return pa.DictionaryArray.from_arrays(indices, texts)

    def _identifiers(self, name: str, array: Column) -> Column:
        """Return numbers that stand where a text is expected, such as an account, as texts."""
        numbers = self._number(name, array)
        if name != "account_id":
            return numbers.cast(pa.string())
        kept = self._counted(name, numbers, between(numbers, 0, 10**_ACCOUNT_DIGITS - 1))
        return pc.utf8_lpad(kept.cast(pa.string()), _ACCOUNT_DIGITS, "0")  # as a number it has lost its leading zeros

    def _number(self, name: str, array: Column) -> Column:
        """Return a column as integers or times; whether these are possible is decided where batches are made."""
        kind, is_time = array.type, FLOWS.field(name).type == TIME
        if pa.types.is_dictionary(kind) and kind.value_type not in _TEXTS:
            return self._number(name, array.dictionary_decode())
        if pa.types.is_integer(kind):
            return array
        if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
            return self._whole(name, array.cast(pa.float64()), is_time=is_time)
        if pa.types.is_timestamp(kind) and is_time:
            return self._moments(name, array)
        encoded = self._encoded(name, array)
        if encoded is None:
            return self._unusable(name, array, pa.int64())
        numbers = pa.array([_integer(text, is_time=is_time) for text in encoded.dictionary.to_pylist()], pa.int64())
        nothing = pc.is_in(encoded.dictionary, pa.array(_MISSING_NUMBER, pa.string()))
        return self._counted(name, _without(encoded.indices, nothing), numbers.take(encoded.indices))

    def _whole(self, name: str, array: Column, *, is_time: bool) -> Column:
        """Return floats as integers, those of times cut off, others only if they are whole; NaN says that there is none."""
        usable = pc.and_(pc.less(pc.abs(array), _FLOATS_END), pc.or_(is_time, pc.equal(pc.floor(array), array)))
        whole = pc.if_else(usable, array, pa.scalar(None, pa.float64()))
        self._count(name, whole.null_count - array.null_count - pc.is_nan(array).true_count)
        return pc.floor(whole).cast(pa.int64())

    def _moments(self, name: str, array: Column) -> Column:
        """Return timestamps of any unit in microseconds, with null in place of those before 1970 or after the year 9999."""
        last = min(_CALENDAR_END * _PER_SECOND[array.type.unit] - 1, _LARGEST)
        kept = between(array.cast(pa.int64()), 0, last)
        return self._counted(name, array, kept).cast(array.type).cast(TIME, safe=False)

    def _unusable(self, name: str, array: Column, kind: pa.DataType) -> Column:
        """Count the values of a column of a type that says nothing; return nulls in their place."""
        self._count(name, len(array) - array.null_count)
        nulls: Any = pa.nulls  # the stubs want a type that is known before it runs
        return nulls(len(array), kind)

    def _encoded(self, name: str, array: Column) -> Column | None:
        """Return a text column dictionary-encoded, text that is not UTF-8 as null; None for a column of another type."""
        encoded = pa.types.is_dictionary(array.type)
        if (array.type.value_type if encoded else array.type) not in _TEXTS:
            return None
        if not encoded:
            array = array.dictionary_encode()
        array.validate()
        indices = array.indices.cast(pa.int32())
        raw = array.dictionary.cast(pa.binary())
        try:
            texts = raw.cast(pa.string())
        except pa.ArrowInvalid:
            texts = pa.array([_decoded(value) for value in raw.to_pylist()], pa.string())
        if texts.null_count:
            kept = self._counted(name, indices, _without(indices, texts.is_null()))
            return pa.DictionaryArray.from_arrays(kept, texts.fill_null(""))
        return pa.DictionaryArray.from_arrays(indices, texts)

    def _counted(self, name: str, before: Column, after: Column) -> Column:
        self._count(name, after.null_count - before.null_count)
        return after

    def _count(self, name: str, times: int) -> None:
        if times > 0:
            self.nulled[name] += times


def _without(indices: Column, left_out: Column) -> Column:
    """Return the indices with null in place of those that point to a value in ``left_out`` (a mask of the dictionary)."""
    hidden = left_out.take(indices)
    return pc.if_else(hidden.fill_null(pa.scalar(value=True)), pa.scalar(None, pa.int32()), indices)


def _is_number(kind: pa.DataType) -> bool:
    kind = kind.value_type if pa.types.is_dictionary(kind) else kind
    return pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_decimal(kind)


def _integer(text: str, *, is_time: bool) -> int | None:
    match = _INTEGER.fullmatch(text)
    if match is None or ((match["fraction"] or "").strip("0") and not is_time):
        return None
    number = int(match["whole"])
    return number if abs(number) <= _LARGEST else None


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None
