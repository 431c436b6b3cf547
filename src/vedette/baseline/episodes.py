"""Episodes that scored points, findings and near misses, as the state remembers them (methods 5.4)."""

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
    """New calls of one principal without a pause of 15 minutes, and its score sheet when most was known.

    Times are microseconds since 1970. ``codes`` are the points of each code that counted, mitigations negated. ``needed`` made a
    finding then; ``admitted`` is whether points alone sufficed: while an account is learned only grave circumstances count.
    ``api`` and ``address`` are those of the call by which most was known.
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
        """Say whether it was a finding."""
        return self.admitted and self.points >= self.needed


def remembered(generation: Generation, place: StateLocation, who: str | None = None) -> list[ScoredEpisode]:
    """Return the episodes of everybody, or of one, in order of time.

    Raises:
        EngineError: a file of the state is gone or broken.
    """
    groups: dict[tuple[int, str, str], list[dict[str, object]]] = {}
    for part in generation.states.get(EPISODES, ()):
        for row in load(place, EPISODES, part).to_pylist():
            if who is None or row["who"] == who:
                groups.setdefault((whole(row["begun_us"]), text(row["account_id"]), text(row["who"])), []).append(row)
    return [_episode(rows) for _, rows in sorted(groups.items())]


def _episode(rows: list[dict[str, object]]) -> ScoredEpisode:
    """Put an episode's categories together: whatever they are, an episode has one score."""
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


def _codes(told: str) -> dict[str, int]:
    found: dict[str, int] = {}
    for item in told.split():
        code, _, number = item.partition("=")
        if number.isascii() and number.isdigit() and int(number[:9]):
            found[code] = -int(number[:9]) if code.startswith("e") else int(number[:9])
    return dict(sorted(found.items(), key=lambda item: (-abs(item[1]), item[0])))
