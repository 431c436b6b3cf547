"""What a simulated account's ground truth expects, and what a scan of it found, in the same words."""

import json
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from scanning import Outcome, scan

from vedette.intel import Kind
from vedette.intel.lists import load_list
from vedette.sources import Span, list_blobs


def scanned(folder: Path, **settings: object) -> Outcome:
    lists = tuple(load_list(path, name=path.stem, kind=Kind(path.stem)) for path in sorted((folder / "lists").glob("*.txt")))
    return scan(list_blobs(str(folder / "AWSLogs"), Span()), lists, **settings)


def expected(folder: Path) -> list[tuple[object, ...]]:
    truth = json.loads((folder / "ground_truth.json").read_text(encoding="utf-8"))
    return sorted(_told(finding) for scenario in truth["scenarios"] for finding in scenario["findings"])


def _told(finding: Mapping[str, Any]) -> tuple[object, ...]:
    calls = tuple(sorted(finding["apis"].items()))
    times = tuple(datetime.fromisoformat(finding[name]) for name in ("first", "last"))
    return finding["type"], finding["resource_key"], finding["address"], finding["count"], calls, *times


def found(outcome: Outcome) -> list[tuple[object, ...]]:
    return sorted(
        (
            finding.seen.finding_type,
            finding.seen.resource_key,
            finding.seen.target,
            finding.seen.count,
            tuple(sorted((name, tally.count) for name, tally in finding.seen.tallies["apis"].items())),
            finding.seen.first.time,
            finding.seen.last.time,
        )
        for finding in outcome.findings
    )
