"""Findings as a table for terminals: one line per finding where there is room, else two."""

from collections.abc import Iterable, Iterator

from vedette.detections import all_detections
from vedette.findings.identity import timestamp
from vedette.findings.model import Finding
from vedette.findings.severity import label
from vedette.guardduty.reading import resource_name
from vedette.text import NARROWEST
from vedette.text.safe import clean

# From this width on a finding takes one line of the table instead of two.
ONE_LINE = 150
_ID_PREFIX = 12
_HEADER = ("SEVERITY", "TYPE", "COUNT", "WHO", "TARGET", "FIRST SEEN (UTC)", "LAST SEEN (UTC)", "REGION", "ID")


def table(findings: Iterable[Finding], width: int) -> Iterator[str]:
    """Yield the header and the rows of the table, each with a newline, at most ``width`` columns wide but at least 80."""
    row = _one_line if width >= ONE_LINE else _two_lines
    columns = max(width, NARROWEST)
    yield row(columns, _HEADER)
    for finding in findings:
        yield row(columns, tuple(clean(text) for text in _texts(finding)))


def _texts(finding: Finding) -> tuple[str, ...]:
    seen = finding.seen
    detection = all_detections().get(seen.finding_type)
    return (
        label(finding.summary.severity),
        seen.finding_type.partition("/")[2] or seen.finding_type,
        f"{seen.count:,}",
        resource_name(finding),
        seen.target if detection is None or detection.target_is_remote else "",
        timestamp(seen.first.time)[:16].replace("T", " "),
        timestamp(seen.last.time)[:16].replace("T", " "),
        seen.region,
        finding.id[:_ID_PREFIX],
    )


def _one_line(width: int, texts: tuple[str, ...]) -> str:
    severity, kind, count, who, target, first, last, region, finding_id = texts
    spare = width - (8 + 24 + 9 + 16 + 16 + 14 + 12 + 8 * 2)
    of_target = min(39, spare // 2)
    cells = (
        (severity, 8),
        (kind, 24),
        (count, -9),
        (who, spare - of_target),
        (target, of_target),
        (first, 16),
        (last, 16),
        (region, 14),
        (finding_id, 12),
    )
    return "  ".join(_fitted(text, size) for text, size in cells).rstrip() + "\n"


def _two_lines(width: int, texts: tuple[str, ...]) -> str:
    severity, kind, count, who, target, first, last, region, finding_id = texts
    left = width - (16 + 14 + 2 * 2)
    upper = ((severity, 8), (kind, left - 8 - 9 - 2 * 2), (count, -9), (last, 16), (finding_id, 14))
    # The address matters more than the name: at 80 columns the longest IPv6 address is still shown whole.
    of_target = min(max(15, _cells(target)), left - 7)
    lower = ((f"  {who}", left - 2 - of_target), (target, of_target), (first, 16), (region, 14))
    return "".join("  ".join(_fitted(text, size) for text, size in line).rstrip() + "\n" for line in (upper, lower))


def _fitted(text: str, size: int) -> str:
    """Return the text in exactly ``size`` terminal cells, cut with an ellipsis; right-aligned when ``size`` is negative."""
    from rich.cells import set_cell_size  # noqa: PLC0415 - not needed by JSON, and it costs start-up time

    room = abs(size)
    if _cells(text) > room:
        text = set_cell_size(text, max(room - 1, 0)).rstrip() + "…" if room else ""
    space = " " * (room - _cells(text))
    return space + text if size < 0 else text + space


def _cells(text: str) -> int:
    from rich.cells import cell_len  # noqa: PLC0415 - as above

    return cell_len(text)
