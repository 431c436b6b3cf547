"""Damages bytes as an attacker or a broken disk would: flips, cuts, splices, repeats, extreme numbers, nesting, odd text."""

import random
import re

MOST_BYTES = 20_000  # of a damaged input: faults of size have tests of their own
_NUMBER = re.compile(rb"-?\d+(?:\.\d+)?")
_NUMBERS = (
    *b"0 -1 -0 1e999 NaN Infinity 255 256 65535 65536 70000 2147483647 2147483648 4294967295 4294967296 0x7f 1_000 +1".split(),
    *b".5 1e400 3.4e38 253402300800 -62135596801 9223372036854775807 9223372036854775808 18446744073709551616".split(),
    *(b"1" * 400, b"9" * 5_000, b"0" * 300 + b"7"),
)
_TEXTS = (
    *b'\\u0000 \\ud800 \\ " \' # , ; // null true [] {} "" &lt; %00 ../ [ ] { } * - 0000-00-00 999.1.1.1 :: 203.0.113.07'.split(),
    *b"203.0.113.07 fe80::1%eth0 0.0.0.0/0 1.1.1.1/99999999999 2024-02-30T25:61:61Z 9999-12-31T23:59:59.999999999Z".split(),
    *(b"2024-05-06T07:10:00+99:99", b"<!DOCTYPE a [<!ENTITY b 'c'>]>", b" ", b"\0", b"\r", b"\n", b"\r\n", b"\t", b"\x1b[2J"),
    *(b"\xff", b"\xfe\xff", b"\xef\xbb\xbf", b"\xc3", b"\xed\xa0\x80", b"\xf4\x90\x80\x80"),
    *(text.encode() for text in "\u2028\u202e\u0663\U0001f4a5"),
)
_NESTS = ((b"[", b"]"), (b"{", b"}"), (b'{"a":', b"}"), (b"(", b")"), (b"<a>", b"</a>"), (b'[{"Records":', b"}]"), (b"a.", b""))
_LENGTHS = (0, 1, *(value for bits in (7, 8, 15, 16, 31, 32, 63, 64) for value in (2**bits - 1, 2**bits)))


def mutated(data: bytes, other: bytes, chance: random.Random) -> bytes:
    """Return the data with one to four kinds of damage; ``other`` is what may be spliced in."""
    for _ in range(chance.choice((1, 1, 2, 3, 4))):
        data = chance.choice(_KINDS)(data, other, chance)
    return data[:MOST_BYTES]


def _bits(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    changed = bytearray(data or b"\0")
    for _ in range(chance.choice((1, 1, 2, 8))):
        changed[chance.randrange(len(changed))] ^= 1 << chance.randrange(8)
    return bytes(changed)


def _byte(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + bytes([chance.randrange(256)]) + data[at + 1 :]


def _cut(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    return data[: chance.randrange(len(data) + 1)]


def _hole(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + data[at + chance.choice((1, 2, 4, 30, 300)) :]


def _repeat(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    start = chance.randrange(len(data) + 1)
    chunk = data[start : start + chance.choice((1, 2, 8, 40, 400))]
    return data[:start] + chunk * chance.choice((1, 2, 3, 100)) + data[start:]


def _splice(data: bytes, other: bytes, chance: random.Random) -> bytes:
    at, start = chance.randrange(len(data) + 1), chance.randrange(len(other) + 1)
    return data[:at] + other[start : start + chance.choice((4, 40, 4_000))] + (data[at:] if chance.random() < 0.5 else b"")


def _number(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    found = list(_NUMBER.finditer(data))
    if not found:
        return _text(data, b"", chance)
    place = chance.choice(found)
    return data[: place.start()] + chance.choice(_NUMBERS) + data[place.end() :]


def _length(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Write the largest and smallest lengths where a binary format may have one."""
    width, order = chance.choice((1, 2, 3, 4, 8)), chance.choice(("little", "big"))
    number = chance.choice(_LENGTHS) & (1 << 8 * width) - 1
    at = chance.randrange(len(data) + 1)
    return data[:at] + number.to_bytes(width, "little" if order == "little" else "big") + data[at + width :]


def _text(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    at = chance.randrange(len(data) + 1)
    return data[:at] + chance.choice(_TEXTS) + data[at + chance.choice((0, 0, 1, 4)) :]


def _nest(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    opening, closing = chance.choice(_NESTS)
    depth = chance.choice((1, 3, 100, 1_500))
    at = chance.randrange(len(data) + 1)
    return data[:at] + opening * depth + (closing * depth if chance.random() < 0.5 else b"") + data[at:]


def _exchange(data: bytes, _other: bytes, chance: random.Random) -> bytes:
    """Exchange two lines, or two fields of a text."""
    mark = chance.choice((b"\n", b",", b" ", b'"', b":"))
    parts = data.split(mark)
    one, two = chance.randrange(len(parts)), chance.randrange(len(parts))
    parts[one], parts[two] = parts[two], parts[one]
    return mark.join(parts)


_KINDS = (_bits, _byte, _cut, _hole, _repeat, _splice, _number, _number, _length, _text, _text, _nest, _exchange)
