"""Collect the ground truth of a simulation: what belongs to which finding, and what only looks like it."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from vedette.simulate import Call, Exchange, Expected, Flow, Scenario
from vedette.simulate.world.estate import interfaces
from vedette.simulate.world.identities import principal, resource_key


@dataclass(slots=True)
class _Called:
    """An expected finding about calls, collected call by call."""

    call: Call
    apis: Counter[str] = field(default_factory=Counter)
    times: list[str] = field(default_factory=list)

    def document(self, finding_type: str, key: str, address: str) -> dict[str, object]:
        return {
            "type": finding_type,
            "resource_key": key,
            "principal": principal(self.call.actor),
            "address": address,
            "apis": dict(sorted(self.apis.items())),
            "count": self.apis.total(),
            "first": min(self.times),
            "last": max(self.times),
        }


@dataclass(slots=True)
class _Reached:
    """An expected finding about exchanges, collected exchange by exchange.

    ``first`` and ``last`` are the earliest start and the latest end of its records at the instance's interface, in seconds since
    1970.
    """

    exchanges: int = 0
    ports: set[int] = field(default_factory=set)
    remotes: set[str] = field(default_factory=set)
    first: int = 0
    last: int = 0

    def note(self, expected: Expected, exchange: Exchange, flows: Sequence[Flow]) -> None:
        own = interfaces()[expected.address].interface_id
        starts = [(int(flow.start.timestamp()), flow.seconds) for flow in flows if flow.interface == own]
        self.exchanges += 1
        self.ports.add(exchange.destination_port)
        ours = interfaces().get(exchange.destination)
        probed = ours is not None and ours.interface_id == own
        self.remotes.add(exchange.source if probed else exchange.destination)
        self.first = min([start for start, _ in starts] + ([self.first] if self.first else []))
        self.last = max([start + seconds for start, seconds in starts] + [self.last])

    def document(self, expected: Expected) -> dict[str, object]:
        interface = interfaces()[expected.address]
        return {
            "type": expected.finding_type,
            "instance_id": interface.instance,
            "interface_id": interface.interface_id,
            "target": expected.target,
            "ports": sorted(self.ports),
            "remotes": sorted(self.remotes),
            "exchanges": self.exchanges,
            "first": _text(self.first),
            "last": _text(self.last),
        } | ({"severity": expected.severity} if expected.severity else {})


@dataclass(slots=True)
class Truth:
    """The ground truth of one scenario, collected call by call and exchange by exchange."""

    scenario: Scenario
    records: int = 0
    flows: int = 0
    calls: list[dict[str, object]] = field(default_factory=list)
    called: dict[tuple[str, str, str], _Called] = field(default_factory=dict)
    reached: dict[Expected, _Reached] = field(default_factory=dict)

    def note(self, call: Call, record: Mapping[str, object]) -> None:
        """Add a call and its record."""
        self.records += 1
        if not (call.finding or call.quiet):
            return
        time = str(record["eventTime"])
        noted = {"event_id": record["eventID"], "api": call.api, "time": time, "region": record["awsRegion"]}
        noted |= {"address": call.address, "principal": principal(call.actor)}
        self.calls.append(noted | ({"finding": call.finding} if call.finding else {"quiet": call.quiet}))
        if call.finding:
            called = self.called.setdefault((call.finding, resource_key(call.actor), call.address), _Called(call))
            called.apis[call.api] += 1
            called.times.append(time)

    def note_flows(self, exchange: Exchange, flows: Sequence[Flow]) -> None:
        """Add an exchange and its records."""
        self.flows += len(flows)
        if exchange.finding is not None:
            self.reached.setdefault(exchange.finding, _Reached()).note(exchange.finding, exchange, flows)

    def document(self) -> dict[str, object]:
        """Return the entry of the scenario in ``ground_truth.json``."""
        about_flows = [
            (expected.archived, reached.document(expected))
            for expected, reached in sorted(self.reached.items(), key=lambda item: (item[0].address, item[0].target))
        ]
        found: dict[str, object] = {
            "scenario": self.scenario.name,
            "sentence": self.scenario.sentence,
            "records": self.records,
            "flows": self.flows,
            "addresses": sorted({str(call["address"]) for call in self.calls}),
            "principals": sorted({str(call["principal"]) for call in self.calls}),
            "findings": [called.document(*key) for key, called in sorted(self.called.items())]
            + [document for archived, document in about_flows if not archived],
            "calls": self.calls,
        }
        if archived := [document for archived, document in about_flows if archived]:
            found["archived_findings"] = archived
        return found | ({"quiet": self.scenario.quiet} if self.scenario.quiet else {})


def _text(time: int) -> str:
    return datetime.fromtimestamp(time, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
