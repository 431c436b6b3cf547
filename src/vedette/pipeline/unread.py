"""Decide what of the blobs of a run is still to be read: all of a new one, the end of one that has grown, nothing of one known.

A blob is known by its name and version without a look at it. A file of this machine is also known by its bytes, whatever its
name: it may have been touched, moved or copied, or be given under another path. Nothing is downloaded for that.
"""

import os
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, fields, replace
from itertools import islice

from vedette.errors import SourceError
from vedette.logs.blob import Blob, KeyFacts, key_facts
from vedette.logs.content import HEAD_BYTES, digests, heads
from vedette.logs.flow.events import interface_in
from vedette.logs.inflate import read_up_to
from vedette.logs.receipt import ALWAYS, Receipt, Span, Taken, covers, joined
from vedette.readers import all_readers
from vedette.sources.files import FileOpener
from vedette.store import Store

_TOGETHER = 200  # blobs that are looked up at a time


@dataclass(slots=True, kw_only=True)
class Sorted:
    """What is to be read, and what need not be.

    ``known`` counts the blobs that need not be read; ``receipts`` are those of blobs that were known by their bytes alone.
    ``grown`` counts the files of which only the end is to be read; ``changed`` are the names of those that hold something else
    than what was read there. ``copies`` are blobs with the same bytes as one that is to be read, by its name.
    """

    unread: list[Blob] = field(default_factory=list)
    known: int = 0
    receipts: list[Receipt] = field(default_factory=list)
    grown: int = 0
    changed: list[str] = field(default_factory=list)
    copies: defaultdict[str, list[Blob]] = field(default_factory=lambda: defaultdict(list))

    def receipts_of(self, read: Iterable[Receipt]) -> Iterator[Receipt]:
        """Yield the receipts of what was read, each followed by those of its copies."""
        for receipt in read:
            yield receipt
            for copy in self.copies[receipt.name]:
                yield replace(receipt, name=copy.name, version=copy.version, place=copy.place)


def sort_out(blobs: Iterable[Blob], store: Store, span: Span) -> Sorted:
    """Sort the blobs of a run that is to take the records of a span.

    Raises:
        StoreError: the store cannot be read.
    """
    found = list(blobs)
    known = store.known((blob.name, blob.version) for blob in found)
    result = Sorted(known=len(known))
    rest = (blob for blob in found if (blob.name, blob.version) not in known)
    new = store.generation() is None
    while some := [_placed(blob) for blob in islice(rest, _TOGETHER)]:
        if new:
            result.unread += some
        else:
            _look_up(some, store, span, result)
    result.unread = list(_without_copies(result))
    return result


def _look_up(blobs: Sequence[Blob], store: Store, span: Span, result: Sorted) -> None:
    """Sort some blobs by what the store has of them."""
    starts = {blob.name: heads(_start(blob)) for blob in blobs if _is_file(blob)}
    places, begun = store.present(
        (blob.place for blob in blobs if _is_file(blob)), (item for names in starts.values() for item in names)
    )
    partly = {(item.name, item.version): item for item in store.receipts((blob.name, blob.version) for blob in blobs)}
    for blob in blobs:
        own = partly.get((blob.name, blob.version))
        read: list[Receipt] = []
        if blob.place in places or not begun.isdisjoint(starts.get(blob.name, ())):
            read = _beginnings(blob, starts[blob.name], store)
            if blob.place in places and starts[blob.name] and not read and own is None:
                result.changed.append(blob.name)
        elif own is not None and own.content is not None:
            read = store.receipts(contents=[own.content.digest])
        _sort(blob, own, read, span, result)


def _beginnings(blob: Blob, starts: Iterable[str], store: Store) -> list[Receipt]:
    """Return the receipts of blobs that a file is, or that it begins with."""
    size = blob.size or 0
    whole = _digests(blob, (size,)).get(size, "") if size <= HEAD_BYTES else ""
    alike = [(item, item.content) for item in store.alike(blob.place, starts, whole, size) if _agree(item.name, blob.name)]
    found = _digests(blob, (content.size for _, content in alike if content is not None))
    return [item for item, content in alike if content is not None and found.get(content.size) == content.digest]


def _sort(blob: Blob, own: Receipt | None, read: Sequence[Receipt], span: Span, result: Sorted) -> None:
    """Sort one blob by its ``own`` receipt, and those of blobs that it is or begins with (``read``)."""
    size = own.content.size if own is not None and own.content is not None else blob.size
    same = [item for item in read if item.content is not None and item.content.size == size]
    shorter = [item for item in read if item not in same and item.records]
    spans = joined(part for item in (*same, *filter(None, [own])) for part in item.spans)
    if spans and covers(spans, span):
        result.known += 1
        if own is None:
            of = same[0]
            result.receipts.append(
                replace(of, name=blob.name, version=blob.version, place=blob.place, spans=spans),
            )
        return
    taken = [Taken(records=item.records, last=item.last, spans=item.spans) for item in _telling(shorter)]
    if spans:
        taken.append(Taken(spans=spans))
    else:
        result.grown += bool(taken)
    result.unread.append(replace(blob, taken=tuple(taken)))


def _telling(shorter: Iterable[Receipt]) -> Iterator[Receipt]:
    """Yield the receipts that say more than the others: the longest of which nothing was left out, and longer ones."""
    for item in sorted(shorter, key=lambda item: item.records or 0, reverse=True):
        yield item
        if item.spans == ALWAYS:
            return


def _without_copies(result: Sorted) -> Iterator[Blob]:
    """Yield what is to be read; of files with the same bytes, only the first."""
    sizes: defaultdict[int | None, list[Blob]] = defaultdict(list)
    for blob in filter(_is_file, result.unread):
        sizes[blob.size].append(blob)
    contents: dict[str, str] = {}
    for size, blobs in sizes.items():
        starts: defaultdict[bytes, list[Blob]] = defaultdict(list)
        for blob in blobs if size and len(blobs) > 1 else ():
            starts[_start(blob)].append(blob)
        for some in starts.values():
            if len(some) > 1:
                contents.update((blob.name, _digests(blob, (size or 0,)).get(size or 0, "")) for blob in some)
    first: defaultdict[str, list[str]] = defaultdict(list)
    for blob in result.unread:
        content = contents.get(blob.name, "")
        same = next((name for name in first[content] if _agree(blob.name, name)), None) if content else None
        if same is None:
            first[content].append(blob.name)
            yield blob
        else:
            result.copies[same].append(blob)


def _is_file(blob: Blob) -> bool:
    return isinstance(blob.opener, FileOpener)


def _placed(blob: Blob) -> Blob:
    return replace(blob, place=os.path.realpath(blob.opener.path)) if isinstance(blob.opener, FileOpener) else blob


def _start(blob: Blob) -> bytes:
    try:
        with blob.open() as stored:
            return read_up_to(stored, HEAD_BYTES)
    except SourceError:  # who reads it will report that
        return b""


def _digests(blob: Blob, sizes: Iterable[int]) -> dict[int, str]:
    """Return the SHA-256 of a file's first bytes, by how many these are; of none if the file cannot be read."""
    try:
        with blob.open() as stored:
            return digests(stored, sizes)
    except SourceError:
        return {}


def _agree(name: str, other: str) -> bool:
    """Tell whether the same bytes mean the same under both names: what a record lacks is taken from it, and what is no log."""
    one, two = _facts(name), _facts(other)
    if _claims(name) != _claims(other):
        return False
    return all(left is None or right is None or left == right for left, right in zip(one, two, strict=True))


def _claims(name: str) -> list[str]:
    """Return the readers that claim a blob by its name alone."""
    return [reader.name for reader in all_readers().values() if reader.sniff(name, b"")]


def _facts(name: str) -> tuple[object, ...]:
    facts = key_facts(name)
    return (*(getattr(facts, item.name) for item in fields(KeyFacts)), interface_in(name))
