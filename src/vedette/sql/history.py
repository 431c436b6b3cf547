"""Which days of a baseline a day is judged by, as conditions of SQL (methods 5.2).

Days are numbers since 1970-01-01.
"""

LOOK_BACK_DAYS = 90
# The days just before a day say nothing about it, so that an attack cannot teach itself.
QUARANTINE_DAYS = 2
# A slice never crosses a block of so many days of the calendar, so that none needs what it teaches itself.
SLICE_DAYS = 2
# How long a table of the baseline is kept: its oldest days are still needed when a slice is folded.
KEPT_DAYS = LOOK_BACK_DAYS + QUARANTINE_DAYS + SLICE_DAYS


def within_baseline(day: str, judged: str) -> str:
    """Return the condition that ``day`` belongs to the baseline of the day ``judged``; both are names of columns."""
    return f"{day} <= {judged} - {QUARANTINE_DAYS} and {day} >= {judged} - {LOOK_BACK_DAYS + QUARANTINE_DAYS}"


def marked(mark: str, remembered: str, judged: str, subject: str, value: str) -> str:
    """Return the condition of the join that finds what belongs to a finding, and must not count as usual.

    Args:
        mark: alias of ``found_marks_before``.
        remembered: alias of the remembered table: principal, session and day are compared with the mark's.
        judged: alias of the table with the day that is judged; a mark counts as the baseline itself does.
        subject: SQL of what the mark is about.
        value: SQL of its value.
    """
    return (
        f"{mark}.subject = {subject} and {mark}.value = {value} and {mark}.principal = {remembered}.principal\n"
        f" and {mark}.session = {remembered}.session and {mark}.call_day = {remembered}.day"
        f" and {mark}.day <= {judged}.day - {QUARANTINE_DAYS}"
    )
