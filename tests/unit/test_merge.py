"""Merging, episodes, ids and the making of findings, by example."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from vedette.errors import ConfigurationError
from vedette.findings import (
    Evidence,
    Finding,
    Moment,
    Sample,
    Sighting,
    Summary,
    Tally,
    assemble,
    detector_id,
    episodes,
    finding_id,
    merge,
    merge_all,
)
from vedette.findings.merge import KEPT_KEYS
from vedette.findings.ordering import ordered_evidence
from vedette.findings.severity import label, lowered, parse_level

START = datetime(2024, 3, 1, 12, tzinfo=UTC)
DAY = timedelta(days=1)
GAP = 7 * DAY


def seen(first: float, last: float | None = None, **changes: object) -> Sighting:
    """Make a sighting from ``first`` to ``last``, in days after the start."""
    last = first if last is None else last
    sighting = Sighting(
        finding_type="Recon:IAMUser/TorIPCaller",
        account_id="123456789012",
        region="eu-west-1",
        partition="aws",
        resource_key="AKIAIOSFODNN7EXAMPLE",
        target="192.0.2.1",
        first=Moment(START + first * DAY, ""),
        last=Moment(START + last * DAY, ""),
        count=1,
        resource={},
        action={},
    )
    return replace(sighting, **changes)


def summarise(finding: Finding, thresholds: Mapping[str, int | float]) -> Summary:
    return Summary(
        title=f"{finding.seen.count} calls",
        description="",
        severity=5.0,
        reasons=(),
        thresholds=thresholds,
        additional={"apiCalls": [finding.seen.count]},
    )


@dataclass(frozen=True)
class Rule:
    """A detection as small as ``assemble`` needs it."""

    rule = 1
    resource_type = "AccessKey"
    resource_role = "TARGET"
    action_type = "AWS_API_CALL"
    summarise = staticmethod(summarise)


RULE = Rule()


def found(sighting: Sighting, existing: Finding | None = None, stamp: datetime | None = None) -> Finding:
    return assemble(sighting, RULE, {"min_calls": 1}, existing=existing, stamp=stamp)


def test_region_is_of_the_earlier_and_documents_are_of_the_later() -> None:
    early = seen(0, 5, region="us-east-1", action={"api": "A"})
    late = seen(1, 9, region="eu-west-1", action={"api": "B"})
    merged = merge(late, early)
    assert (merged.region, merged.action, merged.first, merged.last) == ("us-east-1", {"api": "B"}, early.first, late.last)


def test_equal_moments_are_decided_by_text() -> None:
    one, two = seen(0, action={"api": "A"}, region="a"), seen(0, action={"api": "B"}, region="b")
    assert merge(one, two) == merge(two, one)
    assert (merge(one, two).action, merge(one, two).region) == ({"api": "B"}, "a")


def test_different_things_are_never_merged() -> None:
    with pytest.raises(ValueError, match="different things"):
        merge(seen(0), seen(0, target="192.0.2.2"))


def test_counts_double_when_a_sighting_comes_twice_but_its_records_do_not() -> None:
    sighting = seen(0, samples={"records": (Sample(Moment(START, "a"), "{}"),)})
    merged = merge(sighting, sighting)
    assert (merged.count, merged.samples) == (2, sighting.samples)


def test_a_flood_of_keys_is_capped_and_says_so() -> None:
    flood = {f"{number:06}": Tally(1, START, START) for number in range(KEPT_KEYS + 5)}
    (merged,) = merge_all(
        [seen(0, tallies={"errors": flood}), seen(0, tallies={"errors": {"000000": Tally(2, START, START)}})]
    ).values()
    assert len(merged.tallies["errors"]) == KEPT_KEYS
    assert merged.tallies["errors"]["000000"].count == 3
    assert merged.facts == {"errors_capped": 1.0}


def test_many_sightings_of_one_thing_merge_without_growing_cost() -> None:
    many = [seen(0, tallies={"apis": {f"ec2:{number}": Tally(1, START, START)}}) for number in range(3000)]
    (merged,) = merge_all(many).values()
    assert (merged.count, len(merged.tallies["apis"])) == (3000, 3000)


def test_a_pause_longer_than_the_gap_starts_an_episode() -> None:
    assert [episode.seen.count for episode in episodes([seen(0), seen(7), seen(14.1)], [], GAP)] == [2, 1]
    assert [episode.seen.count for episode in episodes([seen(14), seen(0), seen(7)], [], GAP)] == [3]


def test_a_long_sighting_holds_an_episode_together() -> None:
    assert len(episodes([seen(0, 20), seen(1), seen(26)], [], GAP)) == 1


def test_an_episode_near_a_finding_continues_it_and_keeps_its_id() -> None:
    old = found(seen(10))
    (episode,) = episodes([seen(4, count=2)], [old], GAP)
    assert (episode.existing, episode.seen.count) == (old, 3)
    renewed = found(episode.seen, old)
    assert (renewed.id, renewed.seen.first) == (old.id, seen(4).first)


def test_two_episodes_on_both_sides_of_a_finding_continue_it_together() -> None:
    (episode,) = episodes([seen(4), seen(16)], [found(seen(10))], GAP)
    assert (episode.seen.count, episode.seen.first, episode.seen.last) == (3, seen(4).first, seen(16).last)


def test_a_bridge_between_two_findings_goes_to_the_earlier_and_the_later_stays() -> None:
    early, late = found(seen(0)), found(seen(10))
    (episode,) = episodes([seen(5)], [late, early], GAP)
    assert (episode.existing, episode.seen.count) == (early, 2)


def test_other_things_and_untouched_findings_are_left_alone() -> None:
    old = found(seen(0))
    (episode,) = episodes([seen(0, target="192.0.2.9")], [old], GAP)
    assert episode.existing is None
    assert episodes([], [old], GAP) == []


def test_times_at_the_ends_of_the_calendar_do_not_overflow() -> None:
    first, final = (
        replace(seen(0), first=moment, last=moment)
        for moment in (Moment(datetime.min.replace(tzinfo=UTC), ""), Moment(datetime.max.replace(tzinfo=UTC), ""))
    )
    assert len(episodes([final, first], [found(first), found(final)], GAP)) == 2


def test_ids_are_32_hex_digits_and_depend_on_each_part() -> None:
    changed = [
        seen(0),
        seen(1),
        seen(0, region="us-east-1"),
        seen(0, target="192.0.2.2"),
        seen(0, resource_key="other"),
        seen(0, account_id="210987654321"),
        seen(0, finding_type="Recon:IAMUser/MaliciousIPCaller"),
        seen(0, resource_key="AKIAIOSFODNN7EXAMPLE192", target=".0.2.1"),
    ]
    ids = [finding_id(sighting) for sighting in changed]
    assert len(set(ids)) == len(ids)
    assert all(len(name) == 32 and int(name, 16) >= 0 for name in [*ids, detector_id("123456789012", "eu-west-1")])
    # Pinned: an id that changes with a release would double every finding of every user.
    assert finding_id(seen(0)) == PINNED
    assert finding_id(seen(0, 5, count=9)) == PINNED


PINNED = "730f5e7880d44ce5877daa5cb8e94142"


def test_event_time_stamps_do_not_show_the_cutting() -> None:
    whole = found(merge_all([seen(0), seen(1), seen(2)]).popitem()[1])
    part = found(seen(1))
    (middle,) = episodes([seen(2)], [part], GAP)
    part = found(middle.seen, part)
    (late,) = episodes([seen(0)], [part], GAP)
    part = found(late.seen, part)
    assert (part.created_at, part.updated_at) == (whole.created_at, whole.updated_at) == (START, START + 2 * DAY)
    assert part.seen == whole.seen


def test_a_clock_stamps_what_is_new_and_what_changed() -> None:
    noon, later = START + 30 * DAY, START + 31 * DAY
    new = found(seen(0), stamp=noon)
    assert (new.created_at, new.updated_at) == (noon, noon)
    assert found(new.seen, new, later) == new
    changed = found(merge(new.seen, seen(1)), new, later)
    assert (changed.created_at, changed.updated_at) == (noon, later)
    assert found(merge(changed.seen, seen(2)), changed, noon).updated_at == later


def test_what_the_type_adds_moves_into_the_finding_and_what_was_there_stays() -> None:
    old = replace(found(seen(0)), additional={"sample": True}, archived=True, detector_id="d" * 32)
    new = found(merge(old.seen, seen(1)), old)
    assert new.additional == {"sample": True, "apiCalls": [2]}
    assert (new.summary.additional, new.archived, new.detector_id) == ({}, True, "d" * 32)


def test_evidence_is_told_by_precedence_of_its_kind_and_open_dates_do_not_break_it() -> None:
    def of(kind: str, valid_from: datetime | None = None) -> Evidence:
        return Evidence(list_name="list", list_kind=kind, network="192.0.2.0/24", line=1, valid_from=valid_from)

    items = [of("odd"), of("malicious"), of("tor", START), of("tor"), of("custom")]
    assert [item.list_kind for item in ordered_evidence(items)] == ["custom", "tor", "tor", "malicious", "odd"]


@pytest.mark.parametrize(
    ("severity", "name"), [(0.5, "Low"), (2, "Low"), (3.9, "Low"), (4, "Medium"), (6.9, "Medium"), (7, "High"), (9, "Critical")]
)
def test_bands(severity: float, name: str) -> None:
    assert label(severity) == name


@pytest.mark.parametrize(("text", "level"), [("low", 1), ("Medium", 4), (" HIGH ", 7), ("critical", 9), ("5", 5), ("7.5", 7.5)])
def test_levels_are_names_or_numbers(text: str, level: float) -> None:
    assert parse_level(text) == level


@pytest.mark.parametrize("text", ["", "11", "-1", "nan", "inf", "severe", "medum"])
def test_other_levels_are_refused_with_the_input(text: str) -> None:
    with pytest.raises(ConfigurationError, match="is not a severity") as caught:
        parse_level(text)
    assert repr(text) in str(caught.value)


def test_a_near_name_is_suggested() -> None:
    with pytest.raises(ConfigurationError, match="did you mean medium"):
        parse_level("medum")


def test_a_step_lower() -> None:
    assert [lowered(severity) for severity in (8.0, 5.0, 2.0)] == [5.0, 2.0, 2.0]
