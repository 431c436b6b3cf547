"""Take out of a list's networks what the list itself excepts (``nomatch``, ``!``), as the programs that read such lists do.

The longest prefix decides: an excepted network is taken out of the networks that contain it, wherever either stands in the file;
a network inside the excepted one still counts. Of a network and the same network excepted, the exception counts.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence

from vedette.intel.entries import Entries, Numbers
from vedette.intel.rules import summarised
from vedette.network.address import IPV4, IPV6

_BITS = {IPV4: 32, IPV6: 128}
_Span = tuple[int, int]


def without(entries: Entries, excluded: Iterable[Numbers], most: int) -> tuple[Entries, bool]:
    """Return the entries without the excluded networks, and whether ``most`` entries were too few for all that remains."""
    spans: dict[int, list[_Span]] = {IPV4: [], IPV6: []}
    for version, first, length in excluded:
        spans[version].append((first, _last(version, first, length)))
    for some in spans.values():
        some.sort(key=lambda span: (span[0], -span[1]))  # of two that begin together, the larger one is first
    kept = Entries()
    for position in range(len(entries)):
        validity = entries.validity_values[entries.validities[position]]
        category = entries.category_values[entries.categories[position]]
        version, first, length = entries.network(position)
        for network in _rest(version, first, length, spans[version]):
            if len(kept) >= most:
                return kept, True
            kept.append(network, entries.lines[position], category, validity)
    return kept, False


def _last(version: int, first: int, length: int) -> int:
    return first + (1 << (_BITS[version] - length)) - 1


def _rest(version: int, first: int, length: int, excluded: Sequence[_Span]) -> Iterator[Numbers]:
    """Yield what remains of a network without those excluded spans that lie inside it; the network itself if none does."""
    last = _last(version, first, length)
    begin = first
    for place in range(bisect_left(excluded, (first, first)), len(excluded)):
        left, right = excluded[place]
        if left > last:
            break
        if right > last or left < begin:  # larger than the network, or inside another excluded one
            continue
        if left > begin:
            yield from summarised(version, begin, left - 1)
        begin = right + 1
    if begin == first:
        yield version, first, length
    elif begin <= last:
        yield from summarised(version, begin, last)
