"""Law: merging is associative and commutative, so no cutting or order of the input can show in a finding."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from vedette.findings import Evidence, Moment, Sample, Sighting, Tally, episodes, identity, merge, merge_all
from vedette.findings.model import KEPT_SAMPLES

START = datetime(2024, 3, 1, tzinfo=UTC)
GAP = timedelta(hours=24)

times = st.integers(0, 200).map(lambda hours: START + timedelta(hours=hours))
moments = st.builds(Moment, times, st.sampled_from(["", "a", "b"]))
samples = st.builds(Sample, moments, st.sampled_from(['{"n":1}', '{"n":2}', '{"n":3}']))
evidence = st.builds(
    Evidence,
    list_name=st.sampled_from(["one", "two"]),
    list_kind=st.sampled_from(["tor", "custom"]),
    network=st.just("192.0.2.0/24"),
    line=st.integers(1, 3),
    valid_from=st.one_of(st.none(), times),
)


@st.composite
def tallies(draw: st.DrawFn) -> Tally:
    first, last = sorted([draw(times), draw(times)])
    return Tally(draw(st.integers(1, 9)), first, last)


@st.composite
def sightings(draw: st.DrawFn, target: str = "192.0.2.1") -> Sighting:
    first, last = sorted([draw(moments), draw(moments)])
    names = st.sampled_from(["x", "y", "z"])
    return Sighting(
        finding_type="Recon:Test/Thing",
        account_id="123456789012",
        region=draw(st.sampled_from(["eu-west-1", "us-east-1"])),
        partition=draw(st.sampled_from(["aws", "aws-cn"])),
        resource_key="key",
        target=target,
        first=first,
        last=last,
        count=draw(st.integers(1, 1000)),
        resource={"r": draw(st.integers(0, 3))},
        action={"a": draw(st.integers(0, 3))},
        tallies=draw(st.dictionaries(names, st.dictionaries(names, tallies(), max_size=3), max_size=3)),
        samples=draw(st.dictionaries(names, st.lists(samples, max_size=30, unique=True).map(kept), max_size=2)),
        evidence=draw(st.frozensets(evidence, max_size=3)),
        facts=draw(st.dictionaries(names, st.integers(0, 5).map(float), max_size=3)),
    )


def kept(items: list[Sample]) -> tuple[Sample, ...]:
    return tuple(sorted(items)[:KEPT_SAMPLES])


@settings(max_examples=100, deadline=None)
@given(sightings(), sightings(), sightings())
def test_merge_is_associative_and_commutative(one: Sighting, two: Sighting, three: Sighting) -> None:
    assert merge(one, two) == merge(two, one)
    assert merge(merge(one, two), three) == merge(one, merge(two, three))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.one_of(sightings(), sightings("192.0.2.2")), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_merge_all_does_not_depend_on_order_or_grouping(seen: list[Sighting], chance: random.Random) -> None:
    shuffled = chance.sample(seen, len(seen))
    cut = chance.randrange(len(seen) + 1)
    in_two_parts = merge_all([*merge_all(shuffled[:cut]).values(), *merge_all(shuffled[cut:]).values()])
    assert merge_all(seen) == merge_all(shuffled) == in_two_parts
    assert list(merge_all(seen)) == sorted({identity(sighting) for sighting in seen})


@settings(max_examples=50, deadline=None)
@given(st.lists(st.lists(samples, max_size=40, unique=True), min_size=1, max_size=6), sightings())
def test_capped_samples_are_exactly_the_first_distinct_ones(groups: list[list[Sample]], like: Sighting) -> None:
    (merged,) = merge_all(replace(like, samples={"records": kept(group)}) for group in groups).values()
    everything = sorted({sample for group in groups for sample in group})
    assert merged.samples["records"] == tuple(everything[:KEPT_SAMPLES])


@settings(max_examples=50, deadline=None)
@given(st.lists(sightings(), min_size=1, max_size=8))
def test_counts_add_up_and_extremes_hold(seen: list[Sighting]) -> None:
    (merged,) = merge_all(seen).values()
    assert merged.count == sum(sighting.count for sighting in seen)
    assert merged.first == min(sighting.first for sighting in seen)
    assert merged.last == max(sighting.last for sighting in seen)
    expected: Counter[tuple[str, str]] = Counter()
    for sighting in seen:
        for name, keys in sighting.tallies.items():
            expected.update({(name, key): tally.count for key, tally in keys.items()})
    assert {(name, key): tally.count for name, keys in merged.tallies.items() for key, tally in keys.items()} == expected


@settings(max_examples=50, deadline=None)
@given(st.lists(sightings(), min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_episodes_do_not_depend_on_order_and_leave_no_short_pause(seen: list[Sighting], chance: random.Random) -> None:
    found = episodes(seen, [], GAP)
    assert found == episodes(chance.sample(seen, len(seen)), [], GAP)
    assert sum(episode.seen.count for episode in found) == sum(sighting.count for sighting in seen)
    for earlier, later in pairwise(found):
        assert later.seen.first.time - earlier.seen.last.time > GAP
