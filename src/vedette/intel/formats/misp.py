"""MISP: a warning list as JSON (``name``, ``type``, ``version``, ``list``); its version is a date in the published lists.

Events of MISP are not read, so that no attribute counts whose ``to_ids`` says that it shall not be matched.
"""

import re
from collections.abc import Iterator
from datetime import UTC, datetime

import msgspec

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.text import SHOWN_TEXT, Finder, category, shortened

_OBJECT = re.compile(rb"^(?:\xef\xbb\xbf)?\s*\{")
_LIST = re.compile(rb"\"list\"\s*:\s*\[")
_BUNDLE = re.compile(rb"\"bundle(?:--|\")|\"objects\"\s*:\s*\[")
_MOST_VALUES = 2_000_000


class _WarningList(msgspec.Struct, gc=False):
    list: list[object]
    name: object = ""


class _Version(msgspec.Struct, gc=False):
    version: object = 0


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
    finder, word = Finder(data), category(warning.name) if isinstance(warning.name, str) else ""
    for value in warning.list:
        if isinstance(value, str):
            yield Item(finder.line(value), value.strip(), word)
        else:
            yield Refusal(finder.last, shortened(str(value)[:SHOWN_TEXT]), "not an address: a value that is not text")


def as_of(data: bytes) -> datetime | None:
    """Return the date if the version is one, such as 20260811; else None."""
    try:
        version = str(msgspec.json.decode(data.removeprefix(b"\xef\xbb\xbf"), type=_Version).version)
        return datetime.strptime(version, "%Y%m%d").replace(tzinfo=UTC) if len(version) == len("20260811") else None
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError, ValueError):
        return None


LIST_FORMAT = ListFormat(name="MISP", sniff=sniff, parse=parse, as_of=as_of, example='{"name": "…", "list": ["203.0.113.0/24"]}')
