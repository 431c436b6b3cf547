"""Places come from the databases that the user gives, whatever their type; what none knows is empty."""

import pickle
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from geo_database import database

from vedette.errors import GeoError
from vedette.network.geo import NOWHERE, Geo, Location

CITY = {
    "country": {"iso_code": "DE", "names": {"en": "Germany", "de": "Deutschland"}},
    "city": {"names": {"en": "Munich", "de": "München"}},
    "location": {"latitude": 48.137, "longitude": 11.575},
    "registered_country": {"iso_code": "FR", "names": {"en": "France"}},
}
ASN = {"autonomous_system_number": 64_500, "autonomous_system_organization": "Example Networks"}
ISP = {**ASN, "isp": "Example Access", "organization": "Example Hosting"}

Written = Callable[..., Path]


@pytest.fixture
def written(tmp_path: Path) -> Written:
    """Write a database and return its path."""

    def write(kind: str, places: Mapping[str, object], *, version: int = 6) -> Path:
        path = tmp_path / f"{kind}.mmdb"
        path.write_bytes(database(kind, places, version=version))
        return path

    return write


def test_a_city_is_read(written: Written) -> None:
    geo = Geo.open([written("GeoIP2-City", {"203.0.113.0/24": CITY})])
    place = Location(country_code="DE", country_name="Germany", city_name="Munich", lat=48.137, lon=11.575)
    assert geo.lookup("203.0.113.9") == place
    assert geo.lookup("::ffff:203.0.113.9") == place
    assert geo.lookup("203.0.112.9") == NOWHERE
    geo.close()


def test_the_registered_country_stands_in_for_the_country(written: Written) -> None:
    geo = Geo.open([written("GeoIP2-Country", {"203.0.113.0/24": {"registered_country": CITY["registered_country"]}})])
    assert geo.lookup("203.0.113.9") == Location(country_code="FR", country_name="France")


def test_networks_and_providers_are_read(written: Written) -> None:
    geo = Geo.open([written("GeoIP2-ISP", {"203.0.113.0/24": ISP})])
    assert geo.lookup("203.0.113.9") == Location(
        asn="64500", asn_org="Example Networks", isp="Example Access", org="Example Hosting"
    )


def test_several_databases_complete_each_other_and_the_first_wins(written: Written) -> None:
    other = {"country": {"iso_code": "AT"}, "city": {"names": {"en": "Vienna"}}, "location": {"latitude": 48.2}}
    paths = [
        written("GeoLite2-ASN", {"203.0.113.0/24": ASN}),
        written("GeoLite2-Country", {"203.0.113.0/24": other}),
        written("GeoIP2-City", {"203.0.113.0/24": CITY}),
    ]
    assert Geo.open(paths).lookup("203.0.113.9") == Location(
        country_code="AT",
        country_name="Germany",
        city_name="Vienna",
        lat=48.137,  # never one coordinate from here and the other from there
        lon=11.575,
        asn="64500",
        asn_org="Example Networks",
    )


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"country_code": "DE"}, Location(country_code="DE")),
        ({"country_code": "DE", "country_name": "Germany", "asn": "AS64500", "as_name": "Example"}, None),
        ({"city": "Munich", "country_code": "DE"}, Location(country_code="DE", city_name="Munich")),
        ({"asn": 64_500}, Location(asn="64500")),
    ],
)
def test_databases_of_other_makers_are_known_by_their_records(written: Written, record: object, place: Location | None) -> None:
    found = Geo.open([written("somebody-s", {"203.0.113.0/24": record})]).lookup("203.0.113.9")
    assert found == (place or Location(country_code="DE", country_name="Germany", asn="64500", asn_org="Example"))


@pytest.mark.parametrize(
    "record",
    [
        {"country": "DE", "city": [1], "location": "48,11"},
        {"country": {"iso_code": 7, "names": "Germany"}, "location": {"latitude": True, "longitude": "11"}},
        {"autonomous_system_number": True, "asn": "ASx", "isp": 7, "organization": {"a": "b"}},
    ],
)
def test_wrong_types_are_nowhere(written: Written, record: object) -> None:
    assert Geo.open([written("GeoIP2-City", {"203.0.113.0/24": record})]).lookup("203.0.113.9") == NOWHERE


@pytest.mark.parametrize("text", ["10.0.0.1", "127.0.0.1", "AWS Internal", "", "203.0.113.09", "ec2.amazonaws.com", "fe80::1"])
def test_what_is_no_public_address_is_nowhere(written: Written, text: str) -> None:
    geo = Geo.open([written("GeoIP2-City", {"10.0.0.0/8": CITY, "127.0.0.0/8": CITY, "fe80::/10": CITY})])
    assert geo.lookup(text) == NOWHERE


def test_both_families_are_looked_up(written: Written) -> None:
    geo = Geo.open([written("GeoLite2-ASN", {"2001:db8::/32": ASN})])
    assert geo.lookup("2001:DB8::7").asn == "64500"
    assert geo.lookup("203.0.113.9") == NOWHERE


def test_a_database_without_ipv6_knows_no_ipv6(written: Written) -> None:
    geo = Geo.open([written("GeoLite2-ASN", {"203.0.113.0/24": ASN}, version=4)])
    assert geo.lookup("203.0.113.9").asn == "64500"
    assert geo.lookup("2001:db8::7") == NOWHERE


def test_without_databases_everything_is_nowhere() -> None:
    geo = Geo.open([])
    assert geo.lookup("203.0.113.9") == NOWHERE
    geo.close()


def test_a_worker_opens_them_again(written: Written) -> None:
    geo = Geo.open([written("GeoIP2-City", {"203.0.113.0/24": CITY})])
    again = pickle.loads(pickle.dumps(geo))  # noqa: S301 - our own
    assert again.paths == geo.paths
    assert again.lookup("203.0.113.9") == geo.lookup("203.0.113.9")


@pytest.mark.parametrize("content", [b"", b"no database", b"\xab\xcd\xefMaxMind.com", bytes(10_000)])
def test_what_is_no_database_raises(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "some.mmdb"
    path.write_bytes(content)
    with pytest.raises(GeoError, match=r"some\.mmdb: not a readable geolocation database"):
        Geo.open([path])


def test_a_database_that_is_not_there_raises(tmp_path: Path) -> None:
    with pytest.raises(GeoError, match=r"nothing\.mmdb: not a readable geolocation database"):
        Geo.open([tmp_path / "nothing.mmdb"])


def test_a_database_of_other_things_raises(written: Written) -> None:
    with pytest.raises(GeoError, match=r"of type 'GeoIP2-Anonymous-IP' holds nothing about countries, cities or networks"):
        Geo.open([written("GeoIP2-Anonymous-IP", {"203.0.113.0/24": {"is_anonymous": True}})])


def test_a_cut_off_database_raises_or_knows_less_but_never_anything_else(written: Written, tmp_path: Path) -> None:
    whole = written("GeoIP2-City", {"203.0.113.0/24": CITY, "2001:db8::/32": CITY}).read_bytes()
    path = tmp_path / "cut.mmdb"
    for cut in range(0, len(whole), 7):
        path.write_bytes(whole[:cut] + whole[cut + 5 :])
        try:
            found = Geo.open([path]).lookup("203.0.113.9")
        except GeoError as error:
            assert "cut.mmdb" in str(error)  # noqa: PT017 - either way is right
        else:
            assert isinstance(found, Location)
