"""Load a threat list: find its format, parse it, and apply the rules for all lists.

Only what passes ``rules`` becomes an entry; every other line is refused with its number and a reason. A list without a valid
entry gets status ERROR and is not matched.
"""

import gzip
import hashlib
import zlib
from collections import Counter
from collections.abc import Iterable, Sized
from dataclasses import dataclass, field
from datetime import UTC, datetime
from difflib import get_close_matches
from io import BytesIO
from pathlib import Path

from vedette.errors import ListError
from vedette.intel import Kind, Refusal, ThreatList
from vedette.intel.entries import OPEN, Entries, Numbers, Validity
from vedette.intel.exclusions import without
from vedette.intel.formats import SNIFF_BYTES, Exclusion, Item, ListFormat, all_list_formats
from vedette.intel.rules import networks_of, reason_class
from vedette.intel.text import shortened
from vedette.list_kinds import kind_of
from vedette.network.address import IPV4

MAX_BYTES = 35_000_000  # GuardDuty's limit on a list's file
MOST_ENTRIES = 2_000_000
MOST_VALIDITIES = 100  # of one network; each is one more match of its addresses
KEPT_REFUSALS = 1_000
SUSPICIOUS_CHANGE = 0.2
_V6_KEY = 1 << 140
_GZIP = b"\x1f\x8b"


def load_list(
    source: Path | str | bytes,
    *,
    name: str,
    kind: Kind,
    format: str | None = None,  # noqa: A002  # the public name of the option
    as_of: datetime | None = None,
    max_age_days: float | None = None,
    grace_days: float | None = None,
    licence: str = "",
    location: str = "",
    verdict: str = "unknown",
    max_bytes: int = MAX_BYTES,
    most_entries: int = MOST_ENTRIES,
) -> ThreatList:
    """Load a list from a path or from its bytes, plain or gzip.

    If ``format`` is None, it is recognised from the content. ``as_of`` of the list is the first of: the given date, the date that
    the file states for itself, the file's modification time, None (age unknown: never stale). ``max_age_days`` and
    ``grace_days`` default by kind. ``max_bytes`` limits both the file and its decompressed content; entries beyond
    ``most_entries`` are left out.

    Raises:
        ListError: the file cannot be read, is too large, or has no known format.
    """
    stored, shown, modified = _stored(source, location, max_bytes)
    data = _inflated(stored, shown, max_bytes)
    list_format = find_format(shown, data, format)
    collected = _Collector(most_entries)
    collected.take(list_format.parse(data))
    return ThreatList(
        name=name,
        kind=kind,
        format=list_format.name,
        entries=collected.entries,
        refusals=tuple(collected.refusals),
        refused=dict(collected.refused),
        digest=hashlib.sha256(stored).hexdigest(),
        as_of=as_of or list_format.as_of(data) or modified,
        max_age_days=kind_of(kind).max_age_days if max_age_days is None else max_age_days,
        grace_days=kind_of(kind).grace_days if grace_days is None else grace_days,
        licence=licence,
        location=location or ("" if isinstance(source, bytes) else str(source)),
        verdict=verdict,
        status="ACTIVE" if collected.entries else "ERROR",
    )


def find_format(name: str, data: bytes, wanted: str | None = None) -> ListFormat:
    """Return the format of a list: the one named ``wanted``, or if that is None the only one that claims the content.

    Raises:
        ListError: there is no format of that name, or none or several claim the content.
    """
    formats = all_list_formats()
    if wanted is not None:
        if found := formats.get(wanted.upper()):
            return found
        nearest = get_close_matches(wanted.upper(), formats, n=1, cutoff=0.4)
        hint = f"; did you mean {nearest[0]}?" if nearest else ""
        raise ListError(f"{wanted!r} is not a list format (known formats: {', '.join(formats)}){hint}")
    head = data[:SNIFF_BYTES]
    if not head.strip():
        return formats["TXT"]  # an empty list can be loaded, with status ERROR
    claims = [item for item in formats.values() if item.sniff(name, head)]
    if len(claims) == 1:
        return claims[0]
    if claims:
        raise ListError(f"{name}: the format may be {' or '.join(item.name for item in claims)}; name it")
    raise ListError(f"{name}: not in a known list format ({', '.join(formats)})")


def compare(previous: Sized, new: Sized) -> str:
    """Return a warning if a list grew or shrank by more than 20 % since the previous import, else ""."""
    before, after = len(previous), len(new)
    if not before or abs(after - before) / before <= SUSPICIOUS_CHANGE:
        return ""
    return f"{'grew' if after > before else 'shrank'} from {before:,} to {after:,} entries ({(after - before) / before:+.0%})"


def _stored(source: Path | str | bytes, location: str, max_bytes: int) -> tuple[bytes, str, datetime | None]:
    """Return a list's stored bytes, the name to show in messages, and its modification time."""
    if isinstance(source, bytes):
        stored, shown, modified = source, location or "list", None
    else:
        shown = location or str(source)
        try:
            with Path(source).open("rb") as file:
                stored = file.read(max_bytes + 1)
            modified = datetime.fromtimestamp(Path(source).stat().st_mtime, UTC)
        except (OSError, ValueError) as error:
            raise ListError(f"{shown}: cannot be read ({getattr(error, 'strerror', None) or error})") from error
    if len(stored) > max_bytes:
        raise ListError(f"{shown}: larger than {max_bytes:,} bytes")
    return stored, shown, modified


def _inflated(stored: bytes, shown: str, max_bytes: int) -> bytes:
    if not stored.startswith(_GZIP):
        return stored
    try:
        data = gzip.GzipFile(fileobj=BytesIO(stored)).read(max_bytes + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ListError(f"{shown}: cannot be decompressed ({error})") from error
    if len(data) > max_bytes:
        raise ListError(f"{shown}: decompresses to more than {max_bytes:,} bytes")
    return data


@dataclass(slots=True)
class _Collector:
    """Collects entries and refusals by applying the rules to what a format yields."""

    most_entries: int
    entries: Entries = field(default_factory=Entries)
    refusals: list[Refusal] = field(default_factory=list)
    refused: Counter[str] = field(default_factory=Counter)
    _excluded: list[Numbers] = field(default_factory=list)
    _undated: dict[int, int] = field(default_factory=dict)
    _dated: dict[int, dict[Validity, int]] = field(default_factory=dict)

    def take(self, items: Iterable[Item | Exclusion | Refusal]) -> None:
        """Add or refuse each item, in order, and then take out what is excluded; leave out what follows ``most_entries``."""
        lengths, full = self.entries.lengths, False
        for item in items:
            if isinstance(item, Refusal):
                self.reject(item)
                continue
            if full and isinstance(item, Item):
                continue
            networks = networks_of(item.text)
            if isinstance(networks, str):
                self.reject(Refusal(item.line, shortened(item.text), networks))
            elif isinstance(item, Exclusion):
                self._excluded += networks
                self.reject(Refusal(item.line, shortened(item.text), "not applicable: the list excludes it"))
            elif item.valid_from and item.valid_to and item.valid_from > item.valid_to:
                reason = "not applicable: its validity ends before it begins"
                self.reject(Refusal(item.line, shortened(item.text), reason))
            else:
                self.add(item, networks)
            if len(lengths) >= self.most_entries and not full:
                full = True
                self.reject(self.too_many(item.line))
        if self._excluded:
            self.entries, cut = without(self.entries, self._excluded, self.most_entries)
            if cut:
                self.reject(self.too_many(self.entries.lines[-1]))

    def too_many(self, line: int) -> Refusal:
        """Return the refusal of all that follows a line."""
        return Refusal(line, "", f"unreadable: more than {self.most_entries:,} entries; the rest is left out")

    def add(self, item: Item, networks: tuple[Numbers, ...]) -> None:
        """Add those networks of one item that are new; refuse the others as duplicates."""
        line, text, category, valid_from, valid_to = item
        entries, dated = self.entries, valid_from is not None or valid_to is not None
        for network in networks:
            version, first, length = network
            key = first << 7 | length if version == IPV4 else _V6_KEY | first << 8 | length
            if dated:
                duplicate = self.dated_duplicate(key, line, (valid_from, valid_to))
            else:
                position = len(entries.lengths)
                before = self._undated.setdefault(key, position)
                duplicate = "" if before == position else f"duplicate: the same network as in line {entries.lines[before]}"
            if duplicate:
                self.reject(Refusal(line, shortened(text), duplicate))
            else:
                entries.append(network, line, category, (valid_from, valid_to) if dated else OPEN)

    def dated_duplicate(self, key: int, line: int, validity: Validity) -> str:
        """Return why a network with a validity is a duplicate; if it is new, remember it and return ""."""
        known = self._dated.setdefault(key, {})
        if validity in known:
            return f"duplicate: the same network and validity as in line {known[validity]}"
        if len(known) >= MOST_VALIDITIES:
            return f"duplicate: the network has more than {MOST_VALIDITIES} validities"
        known[validity] = line
        return ""

    def reject(self, refusal: Refusal) -> None:
        self.refused[reason_class(refusal.reason)] += 1
        if len(self.refusals) < KEPT_REFUSALS:
            self.refusals.append(refusal)
