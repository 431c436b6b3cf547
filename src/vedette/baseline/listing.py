"""Print baselines and scored episodes as text and JSON. Anybody may choose names and addresses, so they are cleaned."""

import json
import textwrap
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, timedelta

from vedette.baseline.episodes import ScoredEpisode
from vedette.baseline.pages import QUARANTINE, SUBJECTS, History, Learning, Page, Usual
from vedette.baseline.repair import Repaired
from vedette.baseline.what_if import Change, Judged
from vedette.epoch import moment
from vedette.errors import ConfigurationError
from vedette.findings.identity import timestamp
from vedette.sql.threshold import Number
from vedette.text.report import counted
from vedette.text.safe import clean

FORMATS = ("json", "table")
_KEPT_PRINCIPALS = 50
_KEPT_VALUES = 15
_HOURS = frozenset(map(str, range(48)))
_EPOCH = date(1970, 1, 1)


def check_format(name: str) -> None:
    """Check that baselines can be printed in a format.

    Raises:
        ConfigurationError: the format is neither table nor json.
    """
    if name not in FORMATS:
        raise ConfigurationError(f"{name!r} is not an output format: choose one of {', '.join(FORMATS)}")


def day_text(day: int) -> str:
    """Return a day, counted since 1970, as an ISO 8601 date, or as the number if it is beyond the calendar."""
    try:
        return str(_EPOCH + timedelta(days=day))
    except OverflowError:
        return str(day)


def repair_lines(result: Repaired, store: str) -> Iterator[str]:
    """Yield what was removed from a state and kept, and how to learn again; ``store`` is named as for a shell."""
    reached = "" if result.reached is None else f" (it reached to {result.reached:%Y-%m-%d %H:%M})"
    yield f"{store}: repaired, generation {result.generation.number}{reached}"
    for label, counts in (("removed", result.removed), ("kept", result.kept)):
        yield f"{label}: " + (", ".join(f"{name} {count:,}" for name, count in sorted(counts.items())) or "nothing")
    until = result.generation.watermark
    yield "the state now ends " + ("with nothing in it" if until is None else f"at {until:%Y-%m-%d %H:%M} UTC")
    yield "to learn again what was forgotten, scan the whole archive into a new store and carry its baseline over:"
    yield "vedette scan LOGS --store new.db"
    yield "vedette baseline export baseline.zip --store new.db"
    yield f"vedette baseline import baseline.zip --merge --store {store}"


def overview_lines(accounts: Iterable[Learning], histories: list[History], width: int) -> Iterator[str]:
    """Yield a table of accounts, with how much has been learned about each, and a table of principals."""
    yield f"{'ACCOUNT':<14}{'FIRST DAY':<12}{'LAST DAY':<12}{'PRINCIPALS':>10}{'WITH HISTORY':>14}  STATE\n"
    for item in accounts:
        state = "learned" if item.done else f"learning until {day_text(item.judged_from)}"
        days = f"{day_text(item.first_day):<12}{day_text(item.last_day):<12}"
        yield f"{clean(item.account_id):<14}{days}{item.principals:>10,}{item.enough:>14,}  {state}\n"
    yield f"\n{'CALLS':>10}{'DAYS':>6}  {'FIRST DAY':<12}{'LAST DAY':<12}{'HISTORY':<10}PRINCIPAL\n"
    for history in histories[:_KEPT_PRINCIPALS]:
        days = f"{day_text(history.first_day):<12}{day_text(history.last_day):<12}"
        lead = f"{history.calls:>10,}{history.days:>6}  {days}{'enough' if history.enough else 'too short':<10}"
        name = clean(history.principal)
        if len(lead) + len(name) <= width:
            yield f"{lead}{name}\n"
        else:
            yield f"{lead.rstrip()}\n"
            yield from _wrapped(" " * 12, name, width)
    if len(histories) > _KEPT_PRINCIPALS:
        yield f"… and {counted(len(histories) - _KEPT_PRINCIPALS, 'more principal')}: --format json shows all\n"


def page_lines(page: Page, width: int) -> Iterator[str]:
    """Yield the page of a principal."""
    history = page.history
    yield from _wrapped("", clean(history.principal), width)
    accounts = ", ".join(clean(account) for account in history.accounts)
    span = f"{day_text(history.first_day)} to {day_text(history.last_day)}"
    calls = f"{history.calls:,} calls, {history.reads:,} of them reading, {history.denied:,} denied"
    judged_by = "its own history" if history.enough else "its peers, or by high-risk circumstances only"
    for name, value in {
        "kind": history.kind,
        "account": accounts,
        "sessions": ", ".join(clean(item) for item in page.sessions),
        "seen": f"{span}, active on {counted(history.days, 'day')}",
        "calls": calls,
        "history": f"{'enough' if history.enough else 'too short'}: calls are judged by {judged_by}",
        "used for": f"calls from {day_text(history.last_day + QUARANTINE)} on: a day becomes part of the baseline two days later",
    }.items():
        if value:
            yield from _wrapped(f"  {name:<11}", value, width)
    for subject, heading in SUBJECTS.items():
        usual = page.usual.get(subject, ())
        if subject == "hour" and usual:
            yield f"\n{heading.upper()}\n"
            yield from _hours(usual, width)
            continue
        if usual:
            yield f"\n{heading.upper():<40}{'FIRST DAY':<12}{'LAST DAY':<12}{'DAYS':>5}" + (
                f"{'CALLS':>9}\n" if subject == "api" else "\n"
            )
        # values seen only in findings are last, and must not be cut off by many usual ones
        shown = (*usual[:_KEPT_VALUES], *[item for item in usual[_KEPT_VALUES:] if item.found][:_KEPT_VALUES])
        for item in shown:
            yield from _usual(item, width)
        if len(usual) > len(shown):
            yield f"  … and {len(usual) - len(shown):,} more: --format json shows all\n"


def _usual(item: Usual, width: int) -> Iterator[str]:
    name = f"  {clean(item.value)}"
    days = f"{day_text(item.first_day):<12}{day_text(item.last_day):<12}{item.days:>5}"
    calls = f"{item.calls:>9,}" if item.subject == "api" else ""
    if len(name) > 39:  # noqa: PLR2004  # one less than the column
        yield from _wrapped("  ", name.strip(), width)
        name = ""
    yield f"{name:<40}{days}{calls}\n"
    if item.found:
        yield "    not learned: seen only in findings\n"
    elif item.denied:
        yield f"    {item.denied:,} denied\n"


def _hours(usual: Iterable[Usual], width: int) -> Iterator[str]:
    """Yield the hours of working days (numbers 0 to 23) and of weekends (24 to 47)."""
    numbers = {int(item.value) for item in usual if item.value in _HOURS}
    for name, first in (("working days", 0), ("weekends", 24)):
        spans = ", ".join(_spans([number - first for number in sorted(numbers) if first <= number < first + 24]))
        if spans:
            yield from _wrapped(f"  {name:<14}", spans, width)


def _spans(hours: list[int]) -> Iterator[str]:
    """Yield consecutive hours as one span: ``09:00-12:59``."""
    start = 0
    for index, hour in enumerate(hours):
        if index + 1 == len(hours) or hours[index + 1] != hour + 1:
            yield f"{hours[start]:02}:00-{hour:02}:59"
            start = index + 1


def overview_document(accounts: Iterable[Learning], histories: Iterable[History]) -> dict[str, object]:
    """Return the content of ``overview_lines``, with all principals, as JSON values."""
    return {
        "accounts": [
            {
                "accountId": item.account_id,
                "firstDay": day_text(item.first_day),
                "lastDay": day_text(item.last_day),
                "judgedFrom": day_text(item.judged_from),
                "learned": item.done,
                "principals": item.principals,
                "principalsKnownWell": item.enough,
            }
            for item in accounts
        ],
        "principals": [_history(item) for item in histories],
    }


def page_document(page: Page) -> dict[str, object]:
    """Return the page of a principal as JSON values."""
    return {
        **_history(page.history),
        "sessions": list(page.sessions),
        "countsFrom": day_text(page.history.last_day + QUARANTINE),
        **{subject: [_usual_document(item) for item in usual] for subject, usual in page.usual.items()},
    }


def _usual_document(item: Usual) -> dict[str, object]:
    counts = {"calls": item.calls, "denied": item.denied} if item.subject == "api" else {}
    days = {"firstDay": day_text(item.first_day), "lastDay": day_text(item.last_day), "days": item.days}
    return {"value": item.value, **days, **counts, "onlyInFindings": item.found}


def _history(item: History) -> dict[str, object]:
    return {
        "principal": item.principal,
        "kind": item.kind,
        "accounts": list(item.accounts),
        "firstDay": day_text(item.first_day),
        "lastDay": day_text(item.last_day),
        "days": item.days,
        "calls": item.calls,
        "reads": item.reads,
        "denied": item.denied,
        "enoughHistory": item.enough,
    }


def what_if_lines(appear: list[Judged], vanish: list[Judged], ids: Mapping[int, tuple[str, ...]], width: int) -> Iterator[str]:
    """Yield both lists of episodes. ``ids`` maps the index of an episode in ``vanish`` to the IDs of its findings."""
    for heading, judged in (("Would appear", appear), ("Would vanish", vanish)):
        yield f"{'' if judged is appear else chr(10)}{heading}: {counted(len(judged), 'episode')}\n"
        for number, item in enumerate(judged):
            yield from episode_lines(item.after, width, before=item.before)
            if item.suppressed:
                yield "    suppressed\n"
            if judged is vanish and ids.get(number):
                yield from _wrapped("    ", f"finding {', '.join(one[:12] for one in ids[number])}", width)


def episode_lines(item: ScoredEpisode, width: int, before: ScoredEpisode | None = None) -> Iterator[str]:
    """Yield an episode: its time, principal, points, and the codes that they come from."""
    points = f"{item.points:g} points of {item.needed:g}"
    if before is not None and (before.points, before.needed) != (item.points, item.needed):
        points += f" (was {before.points:g} of {before.needed:g})"
    yield from _wrapped("  ", f"{timestamp(moment(item.begun_us))[:16].replace('T', ' ')}  {clean(item.who)}", width, "    ")
    call = f"{counted(item.calls, 'call')}, {'/'.join(item.categories)}; {clean(item.api)} from {clean(item.address)}"
    yield from _wrapped("    ", f"{points}; {call}", width)
    yield from _wrapped("    ", codes_text(item.codes) or "no points", width)
    if not item.admitted:
        yield from _wrapped("    ", "not counted: too little history, and no high-risk circumstance", width)


def codes_text(codes: Mapping[str, Number]) -> str:
    """Return codes with their points, such as ``N1 +2, E1 -1``."""
    return ", ".join(f"{code.upper()} {points:+g}" for code, points in codes.items())


def what_if_document(
    change: Change, appear: list[Judged], vanish: list[Judged], ids: Mapping[int, tuple[str, ...]]
) -> dict[str, object]:
    """Return the changes and both lists of episodes as JSON values; ``ids`` as for ``what_if_lines``."""
    gone = [{**_judged(item), "findings": list(ids.get(number, ()))} for number, item in enumerate(vanish)]
    return {"changes": list(change.texts), "appear": [_judged(item) for item in appear], "vanish": gone}


def _judged(item: Judged) -> dict[str, object]:
    after = item.after
    return {
        "accountId": after.account_id,
        "principal": after.principal,
        "who": after.who,
        "begun": timestamp(moment(after.begun_us)),
        "last": timestamp(moment(after.last_us)),
        "calls": after.calls,
        "categories": list(after.categories),
        "api": after.api,
        "address": after.address,
        "mode": after.mode,
        "suppressed": item.suppressed,
        "before": _sheet(item.before),
        "after": _sheet(after),
    }


def _sheet(item: ScoredEpisode) -> dict[str, object]:
    codes = {code.upper(): points for code, points in item.codes.items()}
    return {"points": item.points, "needed": item.needed, "admitted": item.admitted, "codes": codes}


def json_text(value: object) -> str:
    """Return a value as indented JSON in ASCII, with a final newline."""
    return json.dumps(value, indent=1) + "\n"


def _wrapped(lead: str, text: str, width: int, hanging: str | None = None) -> Iterator[str]:
    """Yield wrapped text after a lead; further lines are indented to the text, or by ``hanging``."""
    indent = " " * len(lead) if hanging is None else hanging
    yield from (
        f"{line}\n"
        for line in textwrap.wrap(
            text or "-", width, initial_indent=lead, subsequent_indent=indent, break_on_hyphens=False, break_long_words=True
        )
    )
