"""Convert findings to JSON text and back without loss, including types that JSON lacks.

Equality matters: a finding gets a new ``updated_at`` if it differs from the stored one.
"""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from hashlib import sha256
from typing import Any, TypeVar, cast

import msgspec

from vedette.errors import StoreError
from vedette.findings.identity import Identity
from vedette.findings.model import Evidence, Finding
from vedette.findings.ordering import canonical, ordered_evidence

_TAG = "$vedette"
_HEX_DIGITS = 32
_Value = TypeVar("_Value")


def finding_text(finding: Finding) -> str:
    """Return a finding as JSON text.

    Raises:
        StoreError: it holds a value that cannot be written (neither JSON nor tuple, set or time).
    """
    seen, summary = finding.seen, finding.summary
    # sorted, so that equal findings have equal texts
    evidence = cast("frozenset[Evidence]", ordered_evidence(seen.evidence))
    seen = replace(
        seen,
        resource=_tagged_mapping(seen.resource),
        action=_tagged_mapping(seen.action),
        evidence=evidence,
        facts=_numbers(seen.facts),
    )
    summary = replace(
        summary,
        additional=_tagged_mapping(summary.additional),
        action=_tagged_mapping(summary.action),
        thresholds=_numbers(summary.thresholds),
        observed=_numbers(summary.observed),
    )
    return json_text(replace(finding, seen=seen, summary=summary, additional=_tagged_mapping(finding.additional)))


def finding_of(text: str, *, archived: bool) -> Finding:
    """Return the finding of a text written by ``finding_text``; ``archived`` is stored separately from it.

    Raises:
        StoreError: the text is not a finding.
    """
    finding = replace(read_json(text, Finding), archived=archived)
    if _TAG not in text:
        return finding
    try:
        return _restored(finding)
    except (LookupError, TypeError, ValueError, AttributeError, RecursionError) as error:
        raise StoreError(f"the store holds a damaged Finding: {text[:60]!r} ({error!r})") from error


def _restored(finding: Finding) -> Finding:
    """Return a finding with the values of types that JSON lacks."""
    seen = replace(finding.seen, resource=_untagged_mapping(finding.seen.resource), action=_untagged_mapping(finding.seen.action))
    summary = replace(
        finding.summary,
        additional=_untagged_mapping(finding.summary.additional),
        action=_untagged_mapping(finding.summary.action),
    )
    return replace(finding, seen=seen, summary=summary, additional=_untagged_mapping(finding.additional))


def json_text(value: object) -> str:
    """Return plain values and dataclasses as JSON; half a surrogate pair is escaped.

    Raises:
        StoreError: a value has a type that JSON lacks.
    """
    try:
        return msgspec.json.encode(value).decode()
    except UnicodeEncodeError:
        return json.dumps(msgspec.to_builtins(value), separators=(",", ":"))
    except (TypeError, ValueError) as error:
        raise StoreError(f"a value cannot be written to the store ({error})") from error


def read_json(text: str, wanted: type[_Value]) -> _Value:
    """Return JSON text decoded as the type ``wanted``.

    Raises:
        StoreError: the text is not JSON, or not of that type.
    """
    try:
        try:
            # not strict, because numbers that are not finite are stored as text
            return msgspec.json.decode(text, type=wanted, strict=False)
        except msgspec.ValidationError:
            raise
        except msgspec.DecodeError:  # an escaped half of a surrogate pair, which only the standard library reads
            return msgspec.convert(json.loads(text), wanted, strict=False)
    except (msgspec.MsgspecError, ValueError, RecursionError) as error:
        raise StoreError(f"the store holds a damaged {wanted.__name__}: {text[:60]!r} ({error})") from error


def digest(*parts: str) -> str:
    """Return a digest of some texts as 32 hex digits; the texts may contain any characters."""
    return sha256(canonical(parts).encode()).hexdigest()[:_HEX_DIGITS]


def identity_digest(identity: Identity) -> str:
    """Return the key under which findings of one identity are stored."""
    return digest(*identity)


def clean(text: str) -> str:
    """Return text that every database accepts: half a surrogate pair is replaced by ``?``, NUL by U+FFFD."""
    return text.encode("utf-8", "replace").decode().replace("\x00", "\ufffd")


def _numbers(numbers: Mapping[str, float]) -> Mapping[str, float]:
    if all(math.isfinite(number) for number in numbers.values()):
        return numbers
    return {name: number if math.isfinite(number) else cast("float", str(number)) for name, number in numbers.items()}


def _tagged_mapping(values: Mapping[str, object]) -> dict[str, object]:
    return {key: _tagged(value) for key, value in values.items()}


def _untagged_mapping(values: Mapping[str, object]) -> dict[str, object]:
    return {key: _untagged(value) for key, value in values.items()}


def _tagged(value: object) -> object:
    """Return a value in JSON's types; a value of another type becomes a mapping with a tag that names the type."""
    if value is None or isinstance(value, str | int) or (isinstance(value, float) and math.isfinite(value)):
        return value
    if isinstance(value, list):
        return [_tagged(item) for item in value]
    if isinstance(value, Mapping):
        values = _tagged_mapping(value)
        return {_TAG: "mapping", "value": values} if _TAG in values else values
    return _tag(value)


def _tag(value: object) -> dict[str, object]:
    if isinstance(value, tuple):
        return {_TAG: "tuple", "value": [_tagged(item) for item in value]}
    if isinstance(value, set | frozenset):
        return {_TAG: type(value).__name__, "value": sorted((_tagged(item) for item in value), key=canonical)}
    if isinstance(value, datetime):
        return {_TAG: "time", "value": value.isoformat()}
    if isinstance(value, float):
        return {_TAG: "float", "value": str(value)}
    raise StoreError(f"{value!r} of type {type(value).__name__} cannot be written to the store")


def _untagged(value: object) -> object:
    if isinstance(value, list):
        return [_untagged(item) for item in value]
    if not isinstance(value, dict):
        return value
    if _TAG not in value:
        return _untagged_mapping(value)
    return _UNTAG[value[_TAG]](value["value"])


# how to restore values of types that JSON lacks, by tag
_UNTAG: Mapping[str, Callable[[Any], object]] = {
    "mapping": _untagged_mapping,
    "tuple": lambda items: tuple(_untagged(item) for item in items),
    "set": lambda items: {_untagged(item) for item in items},
    "frozenset": lambda items: frozenset(_untagged(item) for item in items),
    "time": datetime.fromisoformat,
    "float": float,
}
