"""Law: a geolocation database that is damaged, in whatever way, raises GeoError when it is opened, or knows less; nothing else.

Where it is not damaged, it says the same as MaxMind's own library.
"""

import random
from pathlib import Path
from tempfile import TemporaryDirectory

import maxminddb
import pytest
from geo_database import ARRAY, MAP, assembled, control, database, encoded
from hypothesis import given, settings
from hypothesis import strategies as st
from interrupting import given_up_after
from notation import blob, call
from scanning import scan

from vedette.errors import GeoError
from vedette.network.geo import NOWHERE, Geo, Location, _location, _merged
from vedette.network.maxmind import MAX_TEXT, MAX_VALUES

ADDRESSES = ("203.0.113.9", "198.51.100.5", "8.8.8.8", "2001:db8::7", "192.0.2.1", "1.0.0.1")
CITY = {
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "city": {"names": {"en": "Munich"}},
    "location": {"latitude": 48.137, "longitude": 11.575, "accuracy_radius": 20},
    "subdivisions": [{"iso_code": "BY", "names": {"en": "Bavaria"}}],
}
ASN = {"autonomous_system_number": 64_500, "autonomous_system_organization": "Example Networks"}
WHOLE = {
    kind: database(kind, {"203.0.113.0/24": record, "198.51.100.0/25": record, "2001:db8::/32": record})
    for kind, record in {"GeoIP2-City": CITY, "GeoLite2-ASN": ASN, "somebody-s": {"country_code": "DE", "asn": "AS64500"}}.items()
}
HANGS_SECONDS = 20.0  # what is done in milliseconds
MUTANTS = 600
names = st.sampled_from(
    ["country", "city", "location", "names", "en", "iso_code", "latitude", "longitude", "country_code", "asn", "isp", "other"]
)
values = st.recursive(
    st.one_of(
        st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
        st.just("x" * 300),
        st.integers(0, (1 << 32) - 1),
        st.floats(),
        st.booleans(),
    ),
    lambda inner: st.one_of(st.dictionaries(names, inner, max_size=4), st.lists(inner, max_size=3)),
    max_leaves=12,
)


def known(data: bytes) -> list[Location]:
    """Return what a database knows about some addresses."""
    with TemporaryDirectory() as folder, given_up_after(HANGS_SECONDS):
        path = Path(folder, "some.mmdb")
        path.write_bytes(data)
        geo = Geo.open([path])
        return [geo.lookup(address) for address in ADDRESSES]


def known_to_the_library(data: bytes) -> list[Location]:
    with TemporaryDirectory() as folder:
        path = Path(folder, "some.mmdb")
        path.write_bytes(data)
        with maxminddb.open_database(path, maxminddb.MODE_MEMORY) as reader:
            records = [reader.get(address) for address in ADDRESSES]
    return [_merged([_location(record)]) if isinstance(record, dict) else NOWHERE for record in records]


@given(st.lists(st.dictionaries(names, values, max_size=6), min_size=3, max_size=3))
@settings(max_examples=150)
def test_it_says_the_same_as_the_library_of_maxmind(records: list[dict[str, object]]) -> None:
    places = dict(zip(("203.0.113.0/24", "198.51.100.0/25", "2001:db8::/32"), records, strict=True))
    data = database("GeoIP2-City", places)
    assert known(data) == known_to_the_library(data)


def mutant(whole: bytes, chance: random.Random) -> bytes:
    """Return a database with a few bytes changed, taken out or put in, half of them in what it says of itself."""
    data = bytearray(whole)
    about = whole.rindex(b"MaxMind.com")
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(about, len(data)) if chance.random() < 0.5 else chance.randrange(len(data))
        match chance.randrange(5):
            case 0:
                data[at] ^= 1 << chance.randrange(8)
            case 1 | 2:
                data[at] = chance.choice([0, 1, 2, 6, 9, 0x1D, 0x1E, 0x1F, 0x20, 0x28, 0x3F, 0x7F, 0x80, 0xE0, 0xE1, 0xFF])
            case 3:
                del data[at : at + chance.randint(1, 8)]
            case 4:
                data[at:at] = data[chance.randrange(len(data)) :][: chance.randint(1, 12)]
    return bytes(data)


@pytest.mark.parametrize("kind", list(WHOLE))
def test_a_damaged_database_raises_or_knows_less_and_nothing_else(kind: str) -> None:
    chance = random.Random(kind)
    raised = 0
    for number in range(MUTANTS):
        try:
            found = known(mutant(WHOLE[kind], chance))
        except GeoError:
            raised += 1
        except BaseException as error:
            raise AssertionError(f"mutant {number}: {error!r}") from error
        else:
            assert all(map(is_sound, found))
    assert 0.1 * MUTANTS < raised < 0.9 * MUTANTS, "the mutants are too alike"


def is_sound(place: Location) -> bool:
    """Tell whether a location holds nothing that no address can have, whatever the bytes were."""
    texts = (place.country_code, place.country_name, place.city_name, place.asn_org, place.isp, place.org)
    degrees = (place.lat is None or abs(place.lat) <= 90) and (place.lon is None or abs(place.lon) <= 180)
    return degrees and all(len(text) <= MAX_TEXT for text in texts) and (not place.asn or int(place.asn) < 1 << 32)


def pointer(place: int) -> bytes:
    return b"\x38" + place.to_bytes(4, "big")


def in_a_map(value: bytes, name: str = "country") -> bytes:
    return control(MAP, 1) + encoded(name) + value


DEEP = 100_000
HOSTILE_RECORDS = {
    "a pointer to itself": pointer(0),
    "two pointers to each other": pointer(5) + pointer(0),
    "a map that holds itself": in_a_map(pointer(0)),
    "a name that is its own map": control(MAP, 1) + pointer(0) + encoded("x"),
    "a pointer beyond the end": in_a_map(pointer(1 << 31)),
    "nested maps": in_a_map(b"", "names") * DEEP,
    "nested countries": in_a_map(b"", "country") * DEEP,
    "nested arrays": control(ARRAY, 1) * DEEP,
    "nested unknown maps": in_a_map(control(MAP, 1) + encoded("x") * 2, "other") * DEEP,
    "a map of millions": control(MAP, 16_000_000) + encoded("country") * 2,
    "an array of millions": in_a_map(control(ARRAY, 16_000_000) + encoded("x") * DEEP),
    "an array of millions of maps": in_a_map(control(ARRAY, 16_000_000) + control(MAP, 0) * DEEP, "other"),
    "a text of millions": in_a_map(bytes([0x5F, 0xFF, 0xFF, 0xFF]) + b"x" * DEEP),
    "a long number": in_a_map(bytes([0xDF, 0xFF, 0xFF, 0xFF]) + b"9" * DEEP, "asn"),
    "an unknown type": in_a_map(bytes([0, 0xFF])),
}


@pytest.mark.parametrize("record", HOSTILE_RECORDS.values(), ids=HOSTILE_RECORDS)
def test_a_record_without_end_is_refused_or_no_record(record: bytes) -> None:
    """As the only record it makes the database useless; beside a good one, only its own addresses are nowhere."""
    with pytest.raises(GeoError, match=r"damaged|holds nothing"):
        known(assembled([(1 + 16, None)], record, "somebody-s", version=4))
    good = encoded(CITY)
    both = assembled([(1 + 16 + len(record), 1 + 16)], record + good, "GeoIP2-City", version=4)
    assert known(both)[2].city_name == "Munich"
    assert known(both)[0] == NOWHERE


TREES = {
    "a node that is its own child": [(0, 0)],
    "two nodes that are each other's": [(1, 1), (0, 0)],
    "a node with itself on one side": [(0, 1 + 16)],
    "a binary tree of 2 ** 200 leaves": [(n + 1, n + 1) for n in range(200)],
    "a leaf in the middle of the tree's end": [(1 + 3, 1 + 15)],
    "a leaf beyond the file": [(0xFFFFFF, 0xFFFFFF)],
}


@pytest.mark.parametrize("version", [4, 6])
@pytest.mark.parametrize("kind", ["GeoIP2-City", "somebody-s"])
@pytest.mark.parametrize("nodes", TREES.values(), ids=TREES)
def test_a_tree_without_end_is_refused_or_leads_nowhere(nodes: list[tuple[int, int]], kind: str, version: int) -> None:
    try:
        found = known(assembled(nodes, encoded({}), kind, version=version))
    except GeoError:
        return
    assert found == [NOWHERE] * len(ADDRESSES)


@pytest.mark.parametrize(
    "said",
    [
        {"node_count": 1 << 31},
        {"node_count": "many"},
        {"node_count": True},
        {"record_size": 0},
        {"record_size": 16},
        {"record_size": 1.5},
        {"ip_version": 5},
        {"ip_version": {}},
        {"binary_format_major_version": 3},
        {"database_type": ["City"]},
        {"database_type": "x" * 100_000},
    ],
    ids=str,
)
def test_a_database_that_says_what_cannot_be_is_refused(said: dict[str, object]) -> None:
    with pytest.raises(GeoError, match=r"some\.mmdb: ") as error:
        known(assembled([(1 + 16, 1 + 16)], encoded(CITY if "database_type" not in said else {}), "GeoIP2-City", **said))
    assert len(str(error.value)) < 300


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path, Path("/dev/zero"), Path("a\0b"), tmp_path / ("x" * 300)):
        with pytest.raises(GeoError), given_up_after(HANGS_SECONDS):
            Geo.open([path])


@pytest.mark.parametrize(
    "record",
    [
        {"location": {"latitude": float("nan"), "longitude": 11.5}},
        {"location": {"latitude": float("inf"), "longitude": 11.5}},
        {"location": {"latitude": 91.0, "longitude": 181}},
        {"autonomous_system_number": 1 << 40},
        {"asn": "AS" + "9" * 5_000},
        {"asn": "٣"},
        {"country_code": "x" * 2_000},
        {"a": [0] * MAX_VALUES, "country_code": "DE"},
    ],
    ids=["nan", "infinite", "beyond the pole", "no number of a network", "digits", "other digits", "long", "many"],
)
def test_what_no_place_is_like_is_nowhere(record: dict[str, object]) -> None:
    assert known(database("GeoIP2-City", {"203.0.113.0/24": record, "198.51.100.0/25": CITY}))[0] == NOWHERE


def test_damage_is_counted(tmp_path: Path) -> None:
    path = tmp_path / "some.mmdb"
    path.write_bytes(assembled([(1 + 16, 1 + 17)], b"\0" + encoded(CITY), "GeoIP2-City", version=4))
    geo = Geo.open([path])
    assert [geo.lookup(address).city_name for address in ("1.0.0.1", "203.0.113.9")] == ["", "Munich"]
    assert geo.damaged == {str(path): 1}


def test_a_file_that_is_cut_off_while_it_is_open_is_still_known(tmp_path: Path) -> None:
    path = tmp_path / "some.mmdb"
    path.write_bytes(WHOLE["GeoIP2-City"])
    geo = Geo.open([path])
    path.write_bytes(b"")
    assert geo.lookup("203.0.113.9").city_name == "Munich"


def test_damage_is_a_blind_spot_of_the_run_report(tmp_path: Path) -> None:
    path = tmp_path / "some.mmdb"
    whole, first, rest = WHOLE["GeoIP2-City"].partition(encoded("location"))
    path.write_bytes(whole + first + rest.replace(encoded("location"), b"\x48" + b"\xff" * 8))  # no text: the others are damaged
    outcome = scan([blob([call("12:00 alice 198.51.100.5 ec2:DescribeInstances", 0)])], geoip=[str(path)])
    (found,) = [text for text in outcome.report.blind_spots if "geolocation" in text]
    assert found.startswith(f"geolocation database {path} is damaged: ")
