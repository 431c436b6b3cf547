"""Blocks of addresses: CIDR text as numbers, and unions of blocks that are searched quickly.

Pure. Host bits in a CIDR are ignored, as EC2 ignores them.
"""

from bisect import bisect_right
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import ip_network

from vedette.network.address import IPV4, IPV6, Address

_MEMO = 100_000


@dataclass(frozen=True, slots=True)
class Block:
    """A network: its IP version, first and last address as numbers, and its text."""

    version: int
    first: int
    last: int
    text: str

    def holds(self, address: Address) -> bool:
        """Say whether the address lies in it."""
        return self.version == address.version and self.first <= address.integer <= self.last

    def covers(self, other: "Block") -> bool:
        """Say whether every address of the other block lies in it."""
        return self.version == other.version and self.first <= other.first and other.last <= self.last


ANYWHERE = {IPV4: Block(IPV4, 0, (1 << 32) - 1, "0.0.0.0/0"), IPV6: Block(IPV6, 0, (1 << 128) - 1, "::/0")}


@lru_cache(maxsize=_MEMO)
def block(text: str) -> Block:
    """Return the block of a CIDR.

    Raises:
        ValueError: the text is no network.
    """
    if "%" in text:
        raise ValueError(f"{text!r} is no network")
    network = ip_network(text, strict=False)
    return Block(network.version, int(network.network_address), int(network.broadcast_address), str(network))


class Ranges:
    """The union of blocks, as disjoint ranges in order."""

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

    def hold(self, address: Address) -> bool:
        """Say whether the address lies in one of the blocks."""
        position = bisect_right(self._first[address.version], address.integer) - 1
        return position >= 0 and address.integer <= self._last[address.version][position]
