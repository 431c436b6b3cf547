"""Represent CIDR blocks as ranges of numbers, and unions of blocks so that they can be searched quickly.

Pure. Host bits in a CIDR are ignored, as EC2 ignores them.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network

from vedette.network.address import IPV4, IPV6, Address

_CACHED_BLOCKS = 100_000


@dataclass(frozen=True, slots=True)
class Block:
    """A network: its IP version, first and last address as numbers, and its text."""

    version: int
    first: int
    last: int
    text: str

    def contains(self, address: Address) -> bool:
        """Tell whether the address is in the block."""
        return self.version == address.version and self.first <= address.integer <= self.last

    def covers(self, other: "Block") -> bool:
        """Tell whether every address of the other block is in this one."""
        return self.version == other.version and self.first <= other.first and other.last <= self.last


ANYWHERE = {IPV4: Block(IPV4, 0, (1 << 32) - 1, "0.0.0.0/0"), IPV6: Block(IPV6, 0, (1 << 128) - 1, "::/0")}


@lru_cache(maxsize=_CACHED_BLOCKS)
def block(text: str) -> Block:
    """Return the block that a CIDR describes.

    Raises:
        ValueError: the text is not a network.
    """
    if "%" in text:
        raise ValueError(f"{text!r} is not a network")
    network = ip_network(text, strict=False)
    return Block(network.version, int(network.network_address), int(network.broadcast_address), str(network))


class Ranges:
    """The union of blocks, as disjoint ranges in ascending order."""

    __slots__ = ("_first", "_last")

    def __init__(self, blocks: Iterable[Block]) -> None:
        self._first: dict[int, list[int]] = {IPV4: [], IPV6: []}
        self._last: dict[int, list[int]] = {IPV4: [], IPV6: []}
        for item in sorted(blocks, key=lambda item: (item.version, item.first)):
            last = self._last[item.version]
            if last and item.first <= last[-1] + 1:
                last[-1] = max(last[-1], item.last)
            else:
                self._first[item.version].append(item.first)
                last.append(item.last)

    def contain(self, address: Address) -> bool:
        """Tell whether the address is in one of the blocks."""
        position = bisect_right(self._first[address.version], address.integer) - 1
        return position >= 0 and address.integer <= self._last[address.version][position]
