"""Places in findings, from MaxMind's own test databases, whose contents lie beside them as JSON."""

import json
from pathlib import Path
from typing import Any

import pytest
from notation import blob, call
from scanning import lists_of, scan

from vedette.formats import all_formats

pytestmark = pytest.mark.corpus


def remote(corpus: Path, address: str, *databases: str) -> dict[str, Any]:
    records = [call(f"12:00 alice {address} ec2:DescribeInstances", 0)]
    paths = [str(corpus / "geoip" / "maxmind-test" / f"{name}.mmdb") for name in databases]
    outcome = scan([blob(records)], lists_of({"custom": [address]}), geoip=paths)
    document: dict[str, Any] = json.loads(json.dumps(all_formats()["guardduty"].render(outcome.findings[0])))
    found: dict[str, Any] = document["service"]["action"]["awsApiCallAction"]["remoteIpDetails"]
    return found


def test_a_city(corpus: Path) -> None:
    found = remote(corpus, "2.125.160.216", "GeoIP2-City-Test")  # in GeoLite2-City-Test.json: Boxford, United Kingdom
    assert found["country"]["countryName"] == "United Kingdom"
    assert found["city"]["cityName"] == "Boxford"
    assert found["geoLocation"] == {"lat": 51.75, "lon": -1.25}
    assert found["organization"]["asn"] == ""


def test_an_autonomous_system(corpus: Path) -> None:
    found = remote(corpus, "1.128.0.1", "GeoIP2-Country-Test", "GeoLite2-ASN-Test")  # 1.128.0.0/11: 1221, Telstra Pty Ltd
    assert found["organization"] == {
        "asn": "1221",
        "asnOrg": "Telstra Pty Ltd",
        "isp": "Telstra Pty Ltd",
        "org": "Telstra Pty Ltd",
    }
    assert found["city"]["cityName"] == ""


def test_a_provider(corpus: Path) -> None:
    found = remote(corpus, "1.128.0.1", "GeoIP2-ISP-Test")
    assert found["organization"]["isp"] == "Telstra Internet"
    assert found["organization"]["asnOrg"] == "Telstra Pty Ltd"
