"""The ground truth of a simulation: which calls belong to which finding, and which only look like it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from vedette.simulate import Call, Scenario
from vedette.simulation.identities import principal, resource_key


@dataclass(slots=True)
class Expected:
    """A finding that must be raised, gathered call by call."""

    call: Call
    apis: Counter[str] = field(default_factory=Counter)
    times: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Truth:
    """What one scenario did, gathered call by call."""

    scenario: Scenario
    records: int = 0
    flows: int = 0
    calls: list[dict[str, object]] = field(default_factory=list)
    expected: dict[tuple[str, str, str], Expected] = field(default_factory=dict)

    def note(self, call: Call, record: Mapping[str, object]) -> None:
        """Take in a call and its record."""
        self.records += 1
        if not (call.finding or call.quiet):
            return
        time = str(record["eventTime"])
        noted = {"event_id": record["eventID"], "api": call.api, "time": time, "region": record["awsRegion"]}
        noted |= {"address": call.address, "principal": principal(call.actor)}
        self.calls.append(noted | ({"finding": call.finding} if call.finding else {"quiet": call.quiet}))
        if call.finding:
            key = (call.finding, resource_key(call.actor), call.address)
            expected = self.expected.setdefault(key, Expected(call))
            expected.apis[call.api] += 1
            expected.times.append(time)

    def document(self) -> dict[str, object]:
        """Return what is written about the scenario."""
        return {
            "scenario": self.scenario.name,
            "sentence": self.scenario.sentence,
            "records": self.records,
            "flows": self.flows,
            "addresses": sorted({str(call["address"]) for call in self.calls}),
            "principals": sorted({str(call["principal"]) for call in self.calls}),
            "findings": [
                {
                    "type": finding_type,
                    "resource_key": key,
                    "principal": principal(expected.call.actor),
                    "address": address,
                    "apis": dict(sorted(expected.apis.items())),
                    "count": expected.apis.total(),
                    "first": min(expected.times),
                    "last": max(expected.times),
                }
                for (finding_type, key, address), expected in sorted(self.expected.items())
            ],
            "calls": self.calls,
        }
