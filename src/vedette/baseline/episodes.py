"""Read the scored episodes, findings and near misses, that the state keeps (methods 5.4)."""

from collections.abc import Mapping
from dataclasses import dataclass

from vedette.baseline.tables import load
from vedette.findings.rows import text, whole
from vedette.sql.threshold import Number
from vedette.state_files.generation import Generation
from vedette.state_files.location import StateLocation

EPISODES = "discovery_episodes"


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoredEpisode:
    """First calls of one principal without a pause of more than 15 minutes, and their score sheet at its highest.

    Times are microseconds since 1970. ``codes`` maps each code that counted to its points, which are negative for
    mitigating factors. ``needed`` is the number of points that made a finding at that time. ``admitted`` is whether the episode
    could be a finding at all: with too little history, only high-risk circumstances count (methods 5.5). ``api`` and ``address``
    are those of the call at which the score was highest.
    """

    account_id: str
    who: str
    principal: str
    categories: tuple[str, ...]
    begun_us: int
    last_us: int
    calls: int
    codes: Mapping[str, Number]
    points: Number
    needed: Number
    mode: str
    admitted: bool
    api: str
    address: str

    @property
    def found(self) -> bool:
        """Return whether the episode was a finding."""
        return self.admitted and self.points >= self.needed


def remembered(generation: Generation, location: StateLocation, who: str | None = None) -> list[ScoredEpisode]:
    """Return the episodes of all principals, or of one, in order of time.

    Raises:
        EngineError: a state file is missing or damaged.
    """
    groups: dict[tuple[int, str, str], list[dict[str, object]]] = {}
    for part in generation.states.get(EPISODES, ()):
        for row in load(location, EPISODES, part).to_pylist():
            if who is None or row["who"] == who:
                groups.setdefault((whole(row["begun_us"]), text(row["account_id"]), text(row["who"])), []).append(row)
    return [_episode(rows) for _, rows in sorted(groups.items())]


def _episode(rows: list[dict[str, object]]) -> ScoredEpisode:
    """Merge the rows of an episode, one per category: the categories share one score sheet."""
    sheets = [(sheet, row) for row in rows if isinstance(sheet := row["sheet"], Mapping)]
    order = sorted(sheets, key=lambda item: (-whole(item[0]["points"]), -whole(item[0]["us"]), text(item[1]["category"])))
    sheet, first = order[0] if order else ({}, rows[0])
    return ScoredEpisode(
        account_id=text(first["account_id"]),
        who=text(first["who"]),
        principal=text(first["principal"]),
        categories=tuple(dict.fromkeys(text(row["category"]) for _, row in order)),
        begun_us=whole(first["begun_us"]),
        last_us=max(whole(row["last_us"]) for row in rows),
        calls=sum(whole(row["calls"]) for row in rows),
        codes=_codes(text(sheet.get("codes"))),
        points=whole(sheet.get("points")),
        needed=whole(sheet.get("needed")),
        mode=text(sheet.get("mode")),
        admitted=any(whole(other.get("admitted")) for other, _ in sheets),
        api=text(sheet.get("api")),
        address=text(sheet.get("address")),
    )


def _codes(sheet: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in sheet.split():
        code, _, number = item.partition("=")
        if number.isascii() and number.isdigit() and int(number[:9]):
            found[code] = -int(number[:9]) if code.startswith("e") else int(number[:9])
    return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))
