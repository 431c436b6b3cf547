"""Law: a finding comes out of the store as it went in, and writing a step twice is writing it once."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given, settings
from hypothesis import strategies as st
from stores import HOUR, START, severe

from vedette.findings import Evidence, Finding, Moment, Sample, Sighting, Summary, Tally, identity
from vedette.state_files.generation import Generation
from vedette.store import Store, cursor
from vedette.store.documents import finding_of, finding_text

ZONES = st.sampled_from([UTC, timezone(timedelta(hours=5, minutes=30))])
texts = st.text(max_size=8) | st.sampled_from(["\ud800", "a\x00b", "$vedette", '"', "\U0001f9c5", "\u202e"])
# years that stay within the calendar in every zone
times = st.datetimes(datetime(2, 1, 1), datetime(9998, 1, 1), timezones=ZONES)  # noqa: DTZ001  # the strategy adds the zone
numbers = st.floats(allow_nan=False) | st.integers(-(2**70), 2**70)
measures = st.dictionaries(texts, st.floats(allow_nan=False), max_size=3)
plain = st.none() | st.booleans() | texts | numbers | times
values = st.recursive(
    plain,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(texts, inner, max_size=3)
        | st.sets(plain, max_size=3)
        | st.frozensets(plain, max_size=3)
    ),
    max_leaves=8,
)
documents = st.dictionaries(texts, values, max_size=3)
moments = st.builds(Moment, times, texts)
samples = st.builds(Sample, moments, texts)
tallies = st.builds(Tally, st.integers(0, 2**40), times, times)
evidence = st.builds(
    Evidence,
    list_name=texts,
    list_kind=texts,
    network=texts,
    line=st.integers(0, 2**31),
    threat_names=st.lists(texts, max_size=2).map(tuple),
    stale=st.booleans(),
    valid_from=st.none() | times,
    valid_to=st.none() | times,
)
sightings = st.builds(
    Sighting,
    finding_type=texts,
    account_id=texts,
    region=texts,
    partition=texts,
    resource_key=texts,
    target=texts,
    first=moments,
    last=moments,
    count=st.integers(0, 2**62),
    resource=documents,
    action=documents,
    tallies=st.dictionaries(texts, st.dictionaries(texts, tallies, max_size=2), max_size=2),
    samples=st.dictionaries(texts, st.lists(samples, max_size=2).map(tuple), max_size=2),
    evidence=st.frozensets(evidence, max_size=2),
    facts=measures,
)
summaries = st.builds(
    Summary,
    title=texts,
    description=texts,
    severity=st.floats(0, 10),
    reasons=st.lists(texts, max_size=2).map(tuple),
    thresholds=measures,
    observed=measures,
    additional=documents,
)
findings = st.builds(
    Finding,
    id=st.integers(0, 15).map(lambda number: f"{number:032x}"),
    seen=sightings,
    rule=st.integers(1, 99),
    resource_type=texts,
    resource_role=texts,
    action_type=texts,
    summary=summaries,
    created_at=times,
    updated_at=times,
    archived=st.booleans(),
    detector_id=texts,
    additional=documents,
)


def ordered(value: object) -> object:
    """Return a value with what a comparison overlooks: types, and the order of keys."""
    if isinstance(value, Mapping):
        return [(key, ordered(item)) for key, item in value.items()]
    if isinstance(value, list | tuple):
        return type(value), [ordered(item) for item in value]
    return type(value), value


@settings(max_examples=150, deadline=None)
@given(findings)
def test_a_finding_comes_back_as_it_was(finding: Finding) -> None:
    text = finding_text(finding)
    back = finding_of(text, archived=finding.archived)
    assert back == finding
    assert ordered(back.additional) == ordered(finding.additional)
    assert ordered(back.seen.resource) == ordered(finding.seen.resource)
    assert finding_text(back) == text or "+05:30" in text
    assert "\x00" not in text
    text.encode()


@settings(max_examples=30, deadline=None)
@given(st.lists(findings, max_size=6), st.lists(st.tuples(texts, texts), max_size=4))
def test_a_step_written_twice_is_written_once(found: list[Finding], receipts: list[tuple[str, str]]) -> None:
    newest = {finding.id: finding for finding in found}
    with Store.ephemeral() as store:
        for _ in range(2):
            store.commit(findings=found, receipts=receipts, generation=Generation(number=1), report={"n": len(found)})
        assert {finding.id: finding for finding in store.findings(limit=None)} == newest
        assert store.count() == len(newest)
        assert store.known(receipts) == set(receipts)
        assert len(store.reports()) == 1
        for finding in newest.values():
            same = [other for other in newest.values() if identity(other.seen) == identity(finding.seen)]
            assert sorted(other.id for other in store.open_findings([identity(finding.seen)])) == sorted(o.id for o in same)


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(st.integers(1, 3), st.sampled_from([2.0, 5.0, 8.0])), max_size=12),
    st.sampled_from(["updated_at", "severity", "count", "finding_type"]),
    st.booleans(),
    st.integers(1, 4),
)
def test_pages_are_one_list(drawn: list[tuple[int, float]], order: str, descending: bool, size: int) -> None:
    found = [
        severe(number, severity, count=count, updated_at=START + count * HOUR) for number, (count, severity) in enumerate(drawn)
    ]
    with Store.ephemeral() as store:
        store.commit(findings=found, receipts=[], generation=Generation(number=1))
        whole = store.findings(order=order, descending=descending, limit=None)
        pages: list[Finding] = []
        after = None
        while page := store.findings(order=order, descending=descending, limit=size, after=after):
            pages += page
            after = cursor(page[-1], order, descending=descending)
        assert pages == whole
        assert {finding.id for finding in whole} == {finding.id for finding in found}
        assert len(whole) == len(found)
