"""PROOF_POINT: columns ip (or domain), category, score, first_seen, last_seen, ports.

``first_seen`` begins the validity of an entry. ``last_seen``, its last observation before the list was made, does not end it.
A score of 0 says that nothing is held against the address: it is refused.
"""

import re
from collections.abc import Iterator

from vedette.intel import Refusal
from vedette.intel.formats import Item, ListFormat
from vedette.intel.text import category, date, rows, shortened

_HEADER = re.compile(
    rb"^(?:\xef\xbb\xbf)?\s*\"?(?:ip|domain)\"?\s*,\s*\"?category\"?\s*,\s*\"?score\"?\s*(?:,|\r?\n|$)", re.IGNORECASE
)
_SCORE, _FIRST_SEEN = 2, 3
_ZERO = re.compile(r"-\d{1,9}(?:\.\d{1,9})?|[+-]?0{1,9}(?:\.0{0,9})?")  # or less


def sniff(_name: str, head: bytes) -> bool:
    """Tell whether the file begins with the header row."""
    return _HEADER.match(head) is not None


def parse(data: bytes) -> Iterator[Item | Refusal]:
    """Yield the address, category and first_seen of each row with a score."""
    for number, fields in rows(data):
        if fields[0].lower() in {"ip", "domain"}:
            continue
        if len(fields) <= _SCORE:
            yield Refusal(number, shortened(fields[0]), "not an address: the row has fewer than three columns")
            continue
        if _ZERO.fullmatch(fields[_SCORE]):
            yield Refusal(number, shortened(fields[0]), "not applicable: the list gives it a score of 0")
            continue
        first_seen = date(fields[_FIRST_SEEN]) if len(fields) > _FIRST_SEEN else None
        yield Item(number, fields[0], category(fields[1]), first_seen)


LIST_FORMAT = ListFormat(
    name="PROOF_POINT", sniff=sniff, parse=parse, example="203.0.113.7, 1, 90, 2020-01-01, 2020-02-01, 22|80"
)
