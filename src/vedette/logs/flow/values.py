"""Convert columns of whatever type the writer of a Parquet file chose into the types that ``logs.flow.batch`` takes.

Each distinct text is examined once. Placeholders (``-``, an empty text, the None of a careless writer) become null; impossible
values become null and are counted.
"""

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pyarrow as pa

from vedette.logs.flow.batch import TEXT, TIME, Column, pc
from vedette.schema import FLOWS

_NOTHING = ("", "-", "None")
_MISSING_NUMBER = (*_NOTHING, "none", "null", "NULL", "nan", "NaN")
_TEXTS = frozenset((pa.string(), pa.large_string(), pa.string_view(), pa.binary(), pa.large_binary(), pa.binary_view()))
_ACCOUNT_DIGITS = 12
_INTEGER = re.compile(r"\s*([+-]?\d{1,30})(?:\.0*)?\s*", re.ASCII)
_LARGEST = 2**63 - 1
_LARGEST_EXACT = float(2**53)


@dataclass(slots=True)
class Converter:
    """Converts the columns of one blob; counts impossible values in ``nulled``, per column."""

    nulled: Counter[str]

    def columns(self, given: Mapping[str, Column]) -> dict[str, Column]:
        """Return the columns that can be used, converted to the types that ``FlowBatches`` takes.

        Raises:
            pyarrow.ArrowInvalid: the data are damaged.
        """
        made: dict[str, Column] = {}
        for name, array in given.items():
            is_text = FLOWS.field(name).type == TEXT
            converted = self._text(name, array) if is_text else self._number(name, array)
            if converted is not None:
                made[name] = converted
        return made

    def _text(self, name: str, array: Column) -> Column | None:
        if pa.types.is_integer(array.type):
            array = array.cast(pa.string())
            if name == "account_id":  # as a number it has lost its leading zeros
                array = pc.utf8_lpad(array, _ACCOUNT_DIGITS, "0")
        encoded = self._encoded(name, array)
        if encoded is None:
            return None
        texts = encoded.dictionary
        nothing = pc.is_in(texts, pa.array(_NOTHING, pa.string()))
        broken = pc.match_substring(texts, "\0")
        indices = encoded.indices
        if nothing.true_count:
            indices = _without(indices, nothing)
        if broken.true_count:
            indices = self._counted(name, indices, _without(indices, broken))
        return pa.DictionaryArray.from_arrays(indices, texts)

    def _number(self, name: str, array: Column) -> Column | None:
        kind = array.type
        if pa.types.is_integer(kind):
            return array
        if pa.types.is_floating(kind):
            wide = array.cast(pa.float64())
            usable = pc.and_(pc.is_finite(wide), pc.less_equal(pc.abs(wide), _LARGEST_EXACT))
            whole = pc.if_else(usable, wide, pa.scalar(None, pa.float64())).cast(pa.int64(), safe=False)
            nothing = pc.is_nan(wide).true_count
            self._count(name, whole.null_count - array.null_count - nothing)
            return whole
        if pa.types.is_timestamp(kind):
            return array.cast(TIME, safe=False) if FLOWS.field(name).type == TIME else None
        encoded = self._encoded(name, array)
        if encoded is None:
            return None
        texts = encoded.dictionary.to_pylist()
        numbers = pa.array([_integer(text) for text in texts], pa.int64())
        nothing = pc.is_in(encoded.dictionary, pa.array(_MISSING_NUMBER, pa.string()))
        present = _without(encoded.indices, nothing)
        made = numbers.take(encoded.indices)
        self._count(name, made.null_count - present.null_count)
        return made

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


def _integer(text: str) -> int | None:
    match = _INTEGER.fullmatch(text)
    number = int(match.group(1)) if match else None
    return number if number is not None and -_LARGEST <= number <= _LARGEST else None


def _decoded(value: bytes | None) -> str | None:
    try:
        return None if value is None else value.decode("utf-8")
    except UnicodeDecodeError:
        return None
