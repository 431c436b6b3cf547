"""Whole scans of real flow records: what was scanned, and who probed, as it was counted in the captures themselves."""

import gzip
import json
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest
from inventories import answers, interface, save
from scanning import Outcome, scan

from vedette.intel import Kind
from vedette.intel.lists import load_list
from vedette.logs.blob import Blob
from vedette.sources import Span, list_blobs

pytestmark = pytest.mark.corpus

SCAN, PROBE = "Recon:EC2/Portscan", "Recon:EC2/PortProbeUnprotectedPort"
# By capture: actor, target, ports and hosts of each scan.
SCANS = {
    "ndpi-synscan-at-172.16.0.8.v2": {("172.16.0.8", "64.13.134.52", 1_000, 1)},
    "ndpi-synscan-at-172.16.0.8.v5": {("172.16.0.8", "64.13.134.52", 1_000, 1)},
    # Without flow-direction and inventory the private side is taken for ours.
    "ndpi-synscan-at-64.13.134.52.v2": {("172.16.0.8", "64.13.134.52", 1_000, 1)},
    "slips-port-scans-vertical.v2": {("192.168.1.9", "45.33.32.156", 44, 1)},
    "slips-test7-telnet-scan.v2": {("192.168.2.16", "tcp/23", 1, 54), ("192.168.2.16", "tcp/8080", 1, 40)},
    # Port 2323 is no usual one: the flags tell who opened.
    "slips-test7-telnet-scan.v5": {
        ("192.168.2.16", "tcp/23", 1, 54),
        ("192.168.2.16", "tcp/8080", 1, 40),
        ("192.168.2.16", "tcp/2323", 1, 27),
    },
    "slips-test4-malicious.v2": {("192.168.2.12", "tcp/23", 1, 45), ("192.168.2.12", "tcp/81", 1, 64)},
    # Ten ports, of which seven are sensitive; its opening packets have 64 bytes.
    "bro-simple-scan-port_scan.v2": {("192.168.2.154", "192.168.2.22", 7, 1)},
    "bro-simple-scan-port_scan.v5": {("192.168.2.154", "192.168.2.22", 7, 1)},
}
LOW = {
    f"{SCAN}.{name}": value
    for name, value in {"fast_ports": 8, "fast_failed": 6, "hosts": 8, "hosts_failed": 6, "slow_hosts_failed": 9}.items()
}


def scanned(path: Path, **settings: object) -> Outcome:
    return scan(list_blobs(str(path), Span()), **settings)


def told(outcome: Outcome) -> set[tuple[str, str, int, int]]:
    """Return what the findings of scans say."""
    found = set()
    for finding in outcome.findings:
        seen = finding.seen
        assert seen.finding_type == SCAN
        local = seen.action["networkConnectionAction"]["localIpDetails"]["ipAddressV4"]  # type: ignore[index]
        found.add((str(local), seen.target, len(seen.tallies["ports"]), len(seen.tallies["hosts"])))
    assert len(found) == len(outcome.findings)
    return found


def captures(corpus: Path) -> list[Path]:
    return sorted((corpus / "flowlogs" / "derived").glob("*.log.gz"))


def test_exactly_the_scans_of_all_captures_are_found(corpus: Path) -> None:
    paths = {path.name.removesuffix(".log.gz"): path for path in captures(corpus)}
    assert SCANS.keys() < paths.keys()
    assert {name: told(scanned(path)) for name, path in paths.items()} == {name: SCANS.get(name, set()) for name in paths}


def test_a_usual_scan_of_nmap_is_known_by_its_ports(corpus: Path) -> None:
    for path in captures(corpus):
        hints = [str(finding.additional["toolHint"]) for finding in scanned(path).findings]
        usual = "ndpi-synscan" in path.name and path.name.removesuffix(".log.gz") in SCANS
        assert any("99 % of the ports are among the 1,000 that nmap tries by default" in hint for hint in hints) is usual, (
            path.name
        )


def test_an_inventory_says_whose_side_it_is(corpus: Path, tmp_path: Path) -> None:
    (path,) = (item for item in captures(corpus) if item.name == "ndpi-synscan-at-64.13.134.52.v2.log.gz")
    name = gzip.decompress(path.read_bytes()).decode().splitlines()[1].split()[2]
    saved = answers() | {"describe-network-interfaces": {"NetworkInterfaces": [interface(name, "64.13.134.52")]}}
    assert len(scanned(path).findings) == 1
    assert scanned(path, inventory=str(save(tmp_path, saved, "2026-03-14T00:00:00Z"))).findings == ()


@pytest.mark.parametrize("version", ["v2", "v5"])
def test_tiny_scans_are_found_with_lower_thresholds(corpus: Path, version: str) -> None:
    folder = corpus / "flowlogs" / "derived"
    for name, scans in {
        "bro-simple-scan-port_scan": {("192.168.2.154", "192.168.2.22", 10, 1)},
        "bro-simple-scan-scan_with_zero_windows": {("10.0.0.1", "tcp/23", 1, 10)},
    }.items():
        assert told(scanned(folder / f"{name}.{version}.log.gz", thresholds=LOW)) == scans
    # This one was recorded at a public address, which an interface never shows: with a private one, as AWS would write it.
    text = gzip.decompress((folder / f"bro-simple-scan-445_scan.{version}.log.gz").read_bytes())
    assert told(scan([_blob(text)], thresholds=LOW)) == set()
    private = _blob(text.replace(b" 176.192.150.3 ", b" 10.3.0.9 "))
    assert told(scan([private], thresholds=LOW)) == {("10.3.0.9", "tcp/445", 1, 9)}
    assert told(scan([private])) == set()


def _blob(text: bytes) -> Blob:
    return Blob(name="capture.log", version="1", size=len(text), opener=partial(BytesIO, text))


def test_a_day_of_a_public_server_and_the_listed_scanners_that_got_an_answer(corpus: Path) -> None:
    path = corpus / "flowlogs" / "derived" / "rita-missing-host-2024-04-19.v2.log.gz"
    scanners = load_list(corpus / "threatlists" / "maltrail" / "mass_scanner.txt", name="mass_scanner", kind=Kind.SCANNER)
    known = json.loads(gzip.decompress((path.parent / "listed_probers.json.gz").read_bytes()))
    probers = known["maltrail-mass_scanner"]["days"]["2024-04-19"]["sources"]
    answered = {
        source: {item.split()[0].removeprefix("tcp/") for item in said if " answered " in item}
        for source, said in probers.items()
    }
    reached = {source for source, ports in answered.items() if ports}
    (finding,) = scan(list_blobs(str(path), Span()), (scanners,)).findings
    seen = finding.seen
    assert (seen.finding_type, finding.summary.severity) == (PROBE, 2)
    assert sorted(seen.tallies["ports"]) == ["00022", "00080"]
    assert len(reached) == 23
    assert set(seen.tallies["scanners"]) == reached
