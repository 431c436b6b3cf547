"""MISP: a warning list as JSON (``name``, ``type``, ``version``, ``list``); its version is a date in the published lists."""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.text import Finder, category

_OBJECT = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\{")
_LIST = re.compile(rb"\"list\"\s*:\s*\[")
_BUNDLE = re.compile(rb"\"bundle(?:--|\")|\"objects\"\s*:\s*\[")
_MOST_VALUES = 2_000_000


class _WarningList(msgspec.Struct, gc=False):
    list: list[str]
    name: str = ""
    version: int | str = 0


class _Version(msgspec.Struct, gc=False):
    version: int | str = 0


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file is a JSON object with a ``list`` and not a STIX bundle."""
    return _OBJECT.match(head) is not None and _LIST.search(head) is not None and _BUNDLE.search(head) is None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield each value of the list, with the list's name as the category."""
    if data.count(b",") > _MOST_VALUES:
        yield Refusal(1, "", f"unreadable: more than {_MOST_VALUES:,} values")
        return
    try:
        warning = msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_WarningList)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError) as error:
        yield Refusal(1, "", f"unreadable: not a MISP warning list ({error})")
        return
    finder, word = Finder(data), category(warning.name)
    for value in warning.list:
        yield Item(finder.line(value), value.strip(), word)


def as_of(data: bytes) -> datetime | None:
    """Return the date if the version is one, such as 20260811; else None."""
    try:
        version = str(msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Version).version)
        return datetime.strptime(version, "%Y%m%d").replace(tzinfo=UTC) if len(version) == len("20260811") else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None


LIST_FORMAT = ListFormat(name="MISP", sniff=sniff, parse=parse, as_of=as_of, example='{"name": "…", "list": ["203.0.113.0/24"]}')
