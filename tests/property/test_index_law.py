"""Law: the index finds what going through all entries one by one finds, at any time, in both families."""

from datetime import UTC, datetime, timedelta
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.intel import Entry, Kind, ThreatList
from vedette.intel.address_facts import address_facts, address_matches
from vedette.intel.history import diff
from vedette.intel.index import Index
from vedette.intel.lists import load_list

Address = IPv4Address | IPv6Address
DAY = datetime(2024, 5, 6, tzinfo=UTC)

# Few bits, so that networks nest, touch and begin at one address: 203.0.112.0/20 and 2001:db8::/32 around both halves.
v4 = st.builds(
    lambda low, length: IPv4Network((203 << 24 | 112 << 8 | low, length), strict=False),
    st.integers(0, 4_095),
    st.integers(18, 32),
)
v6 = st.builds(
    lambda high, low, length: IPv6Network((0x2001_0DB8 << 96 | high << 62 | low, length), strict=False),
    st.integers(0, 15),
    st.integers(0, 63),
    st.one_of(st.integers(58, 68), st.integers(120, 128), st.just(32)),
)
anywhere = st.one_of(
    st.builds(
        lambda number, length: IPv4Network((number, length), strict=False), st.integers(12 << 24, 99 << 24), st.integers(8, 32)
    ),
    st.builds(
        lambda number, length: IPv6Network((0x2A << 120 | number, length), strict=False),
        st.integers(0, 2**120 - 1),
        st.integers(19, 128),
    ),
)
networks = st.one_of(v4, v6, anywhere)
days = st.one_of(st.none(), st.integers(-40, 40).map(lambda number: DAY + timedelta(days=number)))


@st.composite
def entries(draw: st.DrawFn) -> Entry:
    start, end = draw(days), draw(days)
    if start and end and start > end:
        start, end = end, start
    return Entry(network=draw(networks), line=draw(st.integers(1, 99)), valid_from=start, valid_to=end)


lists = st.lists(
    st.builds(
        lambda number, kind, some, grace, status: ThreatList(
            name=f"list {number}", kind=kind, format="TXT", entries=some, grace_days=grace, status=status
        ),
        st.integers(),
        st.sampled_from(Kind),
        st.lists(entries(), max_size=25),
        st.sampled_from([0, 1, 14]),
        st.sampled_from(["ACTIVE", "ACTIVE", "ACTIVE", "ERROR"]),
    ),
    max_size=4,
)


def edges(some: list[ThreatList]) -> list[Address]:
    """Return the addresses where an answer may change, and those beside them."""
    found: set[Address] = {ip_address("203.0.113.9"), ip_address("2001:db8::1")}
    for network in (entry.network for one in some for entry in one.entries):
        for number in (int(network.network_address), int(network.broadcast_address)):
            found.update(type(network.network_address)(number + step) for step in (-1, 0, 1))
    return sorted(found, key=lambda address: (address.version, int(address)))


def by_hand(some: list[ThreatList], address: Address, time: datetime | None = None) -> list[tuple[str, Entry]]:
    return [
        (one.name, entry)
        for one in some
        if one.status == "ACTIVE"
        for entry in one.entries
        if address in entry.network
        and (time is None or entry.valid_from is None or entry.valid_from - timedelta(hours=24) <= time)
        and (time is None or entry.valid_to is None or time <= entry.valid_to + timedelta(days=one.grace_days))
    ]


@given(lists, st.integers(-60, 60))
@settings(max_examples=150, deadline=None)
def test_the_index_is_brute_force(some: list[ThreatList], day: int) -> None:
    index, time = Index.build(some), DAY + timedelta(days=day)
    for address in edges(some):
        expected = by_hand(some, address)
        assert [(match.source.name, match.entry) for match in index.lookup(str(address))] == expected
        assert [(match.source.name, match.entry) for match in index.match_at(str(address), time)] == by_hand(some, address, time)
        assert index.covers(str(address)) == bool(expected)


@given(lists, st.integers(-60, 60))
@settings(max_examples=60, deadline=None)
def test_the_tables_say_what_the_index_says(some: list[ThreatList], day: int) -> None:
    index, time = Index.build(some), DAY + timedelta(days=day)
    texts = [str(address) for address in edges(some)]
    listed = {row["address"]: row["is_listed"] for row in address_facts(texts, index).to_pylist()}
    rows = address_matches(texts, index).to_pylist()
    for text in texts:
        assert listed[text] == index.covers(text)
        mine = [row for row in rows if row["address"] == text]
        assert [(row["list_name"], row["network"], row["line"]) for row in mine] == [
            (match.source.name, str(match.entry.network), match.entry.line) for match in index.lookup(text)
        ]
        assert len([row for row in mine if row["valid_from"] <= time <= row["valid_to"]]) == len(index.match_at(text, time))


@given(st.lists(networks, min_size=1, max_size=60))
@settings(max_examples=80, deadline=None)
def test_a_file_of_networks_is_read_back(some: list[IPv4Network | IPv6Network]) -> None:
    text = "".join(f"{network}\n" for network in some)
    loaded = load_list(text.encode(), name="list", kind=Kind.CUSTOM, format="TXT")
    assert [entry.network for entry in loaded.entries] == list(dict.fromkeys(some))
    assert loaded.refused.get("duplicate", 0) == len(some) - len(set(some))


hosts = st.sets(st.integers(1, 12))


@given(st.sets(st.integers(1, 12), min_size=1), st.lists(hosts, max_size=7))
@settings(max_examples=100, deadline=None)
def test_imports_one_after_the_other_match_as_the_list_was_then(first: set[int], later: list[set[int]]) -> None:
    stored: tuple[Entry, ...] = ()
    imports = [first, *later]
    for number, present in enumerate(imports):
        new = [Entry(network=ip_network(f"203.0.113.{host}/32"), line=line) for line, host in enumerate(sorted(present), 1)]
        stored = diff(stored, new, DAY + timedelta(days=10 * number)).entries
    index = Index.build([ThreatList(name="list", kind=Kind.CUSTOM, format="TXT", entries=stored)])
    for number, present in enumerate(imports):
        time = DAY + timedelta(days=10 * number + 5)  # between imports: beyond the slack of either
        for host in range(1, 13):
            assert bool(index.match_at(f"203.0.113.{host}", time)) == (host in present)
