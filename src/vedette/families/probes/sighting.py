"""What a row of the port-probe query says: the answers of an instance's ports to listed scanners become a sighting. Pure."""

from collections.abc import Iterable

from vedette.epoch import moment
from vedette.findings.model import KEPT_SAMPLES, Moment, Sample, Sighting, Tally
from vedette.findings.ordering import canonical
from vedette.findings.rows import Row, dicts, evidence_of, text, whole
from vedette.findings.tallies import count_all
from vedette.guardduty.blocks import instance_resource, ip_details, partition, place_of

SERVED, OPEN = 4, 3
LEVELS = {SERVED: "served", OPEN: "open", 2: "reachable", 1: "accepted_only", 0: "rejected"}
"""How well a port answered (methods 3.1), by the number in the views."""


def describe(row: Row, finding_type: str) -> Sighting:
    """Turn a row (an interface's day) into a sighting; ``hits`` are its ports and scanners, ``evidence`` the list entries."""
    hits = sorted(dicts(row.get("hits")), key=_order)
    region = text(row.get("region"))
    evidence = frozenset(map(evidence_of, dicts(row.get("evidence"))))
    last = max(hits, key=lambda hit: (whole(hit["last_us"]), _order(hit)))
    return Sighting(
        finding_type=finding_type,
        account_id=text(row.get("account_id")),
        region=region,
        partition=partition(region),
        resource_key=text(row.get("resource_key")),
        target="",
        first=_moment(hits[0], "us"),
        last=_moment(last, "last_us"),
        count=max(1, whole(row.get("probes"))),
        resource=instance_resource(row, text(last["address"])),
        action={"actionType": "PORT_PROBE"},
        tallies=_tallies(hits, region),
        samples={"records": tuple(sorted(map(_sample, hits))[:KEPT_SAMPLES])},
        evidence=evidence,
        facts={f"level:{whole(hit['port']):05}": float(whole(hit["level"])) for hit in sorted(hits, key=_level)}
        | ({"malicious": 1.0} if any(text(hit["verdict"]) == "malicious" for hit in hits) else {}),
    )


def _order(hit: Row) -> tuple[int, int, str, int]:
    return whole(hit["us"]), whole(hit["port"]), text(hit["remote"]), whole(hit["protocol"])


def _level(hit: Row) -> int:
    return whole(hit["level"])


def _moment(hit: Row, column: str) -> Moment:
    return Moment(moment(whole(hit[column])), f"{whole(hit['port']):05}/{whole(hit['protocol'])}/{text(hit['remote'])}")


def _tallies(hits: Iterable[Row], region: str) -> dict[str, dict[str, Tally]]:
    found: dict[str, dict[str, Tally]] = {}
    for hit in hits:
        tally = Tally(max(1, whole(hit["probes"])), moment(whole(hit["us"])), moment(whole(hit["last_us"])))
        remote = text(hit["remote"])
        # All that portProbeDetails says of a scanner: for each port the latest is reported, in whatever order they came.
        probe = canonical(
            {
                "port": whole(hit["port"]),
                "local": text(hit["address"]),
                "remote": {**ip_details(remote), **place_of(hit)},
            }
        )
        keys = (("ports", f"{whole(hit['port']):05}"), ("scanners", remote), ("probes", probe), ("regions", region))
        count_all(found, keys, tally)
    return found


def _sample(hit: Row) -> Sample:
    said = {
        "api": None,
        "eventId": None,
        "object": hit.get("object"),
        "position": hit.get("position"),
        "remote": text(hit["remote"]),
        "port": whole(hit["port"]),
        "outcome": LEVELS[whole(hit["level"])],
    }
    return Sample(_moment(hit, "us"), canonical(said))
