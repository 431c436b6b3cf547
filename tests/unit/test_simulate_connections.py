"""The records of an exchange: those of the outcome table, the same at both ends, and whole however windows cut them."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vedette.simulate import Exchange, Flow
from vedette.simulate.world.connections import Interface, flows_of
from vedette.simulate.world.estate import GATEWAY_ADDRESS, interfaces
from vedette.simulate.world.journey import records_of

AT = datetime(2026, 3, 13, 12, 0, 10, tzinfo=UTC)
HERE = Interface(interface_id="eni-0aaaaaaaaaaaaaaaa", address="10.20.2.10", instance="i-0aaaaaaaaaaaaaaaa")
THERE = Interface(interface_id="eni-0bbbbbbbbbbbbbbbb", address="10.20.3.40", instance="i-0bbbbbbbbbbbbbbbb")
ENDS = {4: ("10.20.2.10", "10.20.3.40"), 6: ("2001:db8:20:2::10", "2001:db8:20:3::40")}
OUTCOMES = ("filtered", "rejected", "rejected_egress", "refused", "half_open", "touched", "established")


def exchange(outcome: str, *, family: int = 4, **more: object) -> Exchange:
    source, destination = ENDS[family]
    ports = {"source_port": 40_000, "destination_port": 443}
    return Exchange(**{"at": AT, "source": source, "destination": destination, "outcome": outcome} | ports | more)


def ways(flows: list[Flow], interface: Interface = HERE) -> tuple[list[Flow], list[Flow]]:
    """Return the records out to port 443 and back from it at one interface."""
    own = [flow for flow in flows if flow.interface == interface.interface_id]
    return [flow for flow in own if flow.destination_port == 443], [flow for flow in own if flow.source_port == 443]


def sent(flows: list[Flow]) -> list[tuple[int, int, int]]:
    return [(flow.packets, flow.octets, flow.tcp_flags) for flow in flows]


# What the source's interface logs (packets, bytes and flags out and back) with IPv4.
TABLE = [
    (exchange("filtered"), (1, 60, 2), None),
    (exchange("filtered", retries=3), (4, 240, 2), None),
    (exchange("filtered", probe="syn"), (1, 44, 2), None),
    (exchange("filtered", probe="bare"), (1, 40, 2), None),
    (exchange("rejected"), (1, 60, 2), None),
    (exchange("rejected_egress"), (1, 60, 2), None),
    (exchange("refused"), (1, 60, 2), (1, 40, 4)),
    (exchange("refused", probe="syn"), (1, 44, 2), (1, 40, 4)),
    (exchange("half_open", probe="syn"), (2, 84, 6), (1, 44, 18)),
    (exchange("half_open", probe="bare"), (2, 80, 6), (1, 44, 18)),
    (exchange("touched"), (3, 164, 6), (1, 60, 18)),
    (exchange("touched", graceful=True), (4, 216, 3), (2, 112, 19)),
    (exchange("established", packets=(8, 9), octets=(900, 4_000)), (8, 900, 3), (9, 4_000, 19)),
]


@pytest.mark.parametrize(("made", "out", "back"), TABLE, ids=lambda value: value.outcome if isinstance(value, Exchange) else "")
def test_sizes_and_flags_are_those_of_the_table(made: Exchange, out: tuple, back: tuple | None) -> None:
    forward, reverse = ways(flows_of(made, HERE))
    assert sent(forward) == [out]
    assert sent(reverse) == ([back] if back else [])
    assert {flow.accepted for flow in forward} == {made.outcome != "rejected_egress"}


def outcome_by_flags(forward: Flow, back: Flow | None, far: Flow | None) -> str:
    """Tell the outcome as the methods do from version 3 on."""
    if not forward.accepted or (far is not None and not far.accepted):
        return "rejected"
    if back is None:
        return "no_reply" if forward.tcp_flags == 2 else "?"
    if back.tcp_flags == 4:
        return "refused"
    if back.tcp_flags == 18 and forward.tcp_flags in {2, 6} and forward.packets <= 2:
        return "half_open"
    if back.tcp_flags in {18, 19} and forward.packets <= 5:
        return "touched"
    return "established" if back.tcp_flags in {18, 19} else "?"


def outcome_by_sizes(forward: Flow, back: Flow | None, far: Flow | None, extra: int) -> str:
    """Tell the outcome as the methods do from version 2."""
    out = forward.octets / forward.packets - extra
    if not forward.accepted or (far is not None and not far.accepted):
        return "rejected"
    if back is None:
        return "no_reply" if forward.packets <= 6 and 40 <= out <= 60 else "?"
    answer = back.octets / back.packets - extra
    if answer == 40:
        return "refused" if back.packets <= 3 else "?"
    if forward.packets == 2 and abs(forward.octets - 2 * extra - 84) <= 16 and 44 <= answer <= 60:
        return "half_open"
    if 3 <= forward.packets <= 5 and out <= 60 and back.packets <= 3 and answer <= 60:
        return "touched"
    return "established" if min(forward.packets, back.packets) >= 3 and max(out, answer) > 80 else "?"


@pytest.mark.parametrize("family", [4, 6])
@pytest.mark.parametrize("probe", ["connect", "syn", "bare"])
@pytest.mark.parametrize("outcome", OUTCOMES)
def test_the_methods_tell_each_outcome_from_either_version(outcome: str, probe: str, family: int) -> None:
    wanted = {"filtered": "no_reply", "rejected_egress": "rejected"}.get(outcome, outcome)
    flows = flows_of(exchange(outcome, probe=probe, family=family), HERE, THERE)
    (forward,), back = ways(flows)
    far, _ = ways(flows, THERE)
    assert len(far) == (outcome != "rejected_egress")
    answer, arrived = (back[0] if back else None), (far[0] if far else None)
    assert outcome_by_flags(forward, answer, arrived) == wanted
    assert outcome_by_sizes(forward, answer, arrived, 20 if family == 6 else 0) == wanted


@st.composite
def exchanges(draw: st.DrawFn) -> Exchange:
    protocol = draw(st.sampled_from([6, 17]))
    outcomes = OUTCOMES if protocol == 6 else ("filtered", "rejected", "rejected_egress", "refused", "established")
    packets = draw(st.tuples(st.integers(3, 60), st.integers(3, 60)))
    return exchange(
        draw(st.sampled_from(outcomes)),
        family=draw(st.sampled_from([4, 6])),
        at=AT + timedelta(milliseconds=draw(st.integers(0, 120_000))),
        protocol=protocol,
        probe=draw(st.sampled_from(["connect", "syn", "bare"])),
        retries=draw(st.integers(0, 6)),
        graceful=draw(st.booleans()),
        packets=packets,
        octets=(packets[0] * 100 + 60, packets[1] * 700 + 80),
        seconds=draw(st.floats(0.1, 400)),
    )


def summed(flows: list[Flow]) -> tuple[int, int, int]:
    flags = 0
    for flow in flows:
        flags |= flow.tcp_flags
    return sum(flow.packets for flow in flows), sum(flow.octets for flow in flows), flags


@given(exchanges(), st.sampled_from([60, 600]))
def test_windows_cut_records_and_lose_nothing(made: Exchange, window: int) -> None:
    cut, whole = flows_of(made, HERE, THERE, window=window), flows_of(made, HERE, THERE, window=10**12)
    for interface in (HERE, THERE):
        for part, one in zip(ways(cut, interface), ways(whole, interface), strict=True):
            assert summed(part) == summed(one)
            assert len(one) <= 1
    for flow in cut:
        first = int(flow.start.timestamp())
        assert first // window == (first + flow.seconds) // window
        assert flow.packets > 0
        assert flow.octets > 0
    keys = Counter((flow.interface, flow.source, flow.source_port, flow.start.timestamp() // window) for flow in cut)
    assert max(keys.values()) == 1


@given(exchanges())
def test_both_interfaces_log_the_same(made: Exchange) -> None:
    flows = flows_of(made, HERE, THERE)
    for interface, forward, back in ((HERE, "egress", "ingress"), (THERE, "ingress", "egress")):
        out, returned = ways(flows, interface)
        assert {flow.direction for flow in out} <= {forward}
        assert {flow.direction for flow in returned} <= {back}
        assert {flow.instance for flow in out + returned} <= {interface.instance}
    if made.outcome == "rejected_egress":
        assert not any(ways(flows, THERE))
        return
    for here, there in zip(ways(flows, HERE), ways(flows, THERE), strict=True):
        assert sent(here) == sent(there)
        assert [(flow.start, flow.seconds) for flow in here] == [(flow.start, flow.seconds) for flow in there]


def test_a_rejection_is_seen_at_the_target_only() -> None:
    flows = flows_of(exchange("rejected", retries=1), HERE, THERE)
    assert [(flow.interface, flow.accepted) for flow in flows] == [(HERE.interface_id, True), (THERE.interface_id, False)]
    assert flows_of(exchange("rejected")) == []


def test_a_lost_answer_was_sent_and_did_not_arrive() -> None:
    flows = flows_of(exchange("refused", retries=1, lost=True), HERE, THERE)
    assert [sent(way) for way in ways(flows, HERE)] == [[(2, 120, 2)], []]
    assert [sent(way) for way in ways(flows, THERE)] == [[(2, 120, 2)], [(2, 80, 4)]]


def test_retries_fall_into_the_windows_they_are_sent_in() -> None:
    flows = flows_of(exchange("filtered", retries=6, at=AT.replace(second=55)), HERE)
    assert [(flow.start.strftime("%H:%M:%S"), flow.seconds, flow.packets) for flow in flows] == [
        ("12:00:55", 3, 3),
        ("12:01:02", 56, 4),
    ]


def test_udp_answers_or_not_and_a_closed_port_says_so_by_icmp() -> None:
    data = {"protocol": 17, "packets": (1, 1), "octets": (76, 90), "seconds": 0.1}
    assert sent(flows_of(exchange("filtered", **data), HERE)) == [(1, 76, 0)]
    assert sent(flows_of(exchange("established", **data), HERE)) == [(1, 76, 0), (1, 90, 0)]
    message = flows_of(exchange("refused", **data), HERE)[1]
    assert (message.protocol, message.source_port, message.destination_port, message.octets) == (1, 0, 0, 56)
    assert flows_of(exchange("refused", family=6, **data), HERE)[1].protocol == 58


def test_a_connection_needs_its_handshake() -> None:
    with pytest.raises(ValueError, match="2 packets one way"):
        flows_of(exchange("established", packets=(2, 9)), HERE)


def test_the_primary_address_stands_for_a_secondary_one() -> None:
    node, pod = interfaces()["10.20.8.20"], "10.20.8.100"
    flows = records_of(exchange("refused", source="10.20.8.11", destination=pod))
    at_source, at_pod = (flow for flow in flows if flow.destination_port == 443)
    assert (at_source.destination, at_source.packet_destination) == (pod, "")
    assert (at_pod.interface, at_pod.destination, at_pod.packet_destination) == (node.interface_id, "10.20.8.20", pod)
    answer = next(flow for flow in flows if flow.source_port == 443 and flow.interface == node.interface_id)
    assert (answer.source, answer.packet_source) == ("10.20.8.20", pod)


def test_the_nat_gateway_logs_both_legs() -> None:
    flows = records_of(exchange("refused", destination="203.0.113.141"))
    gateway = interfaces()[GATEWAY_ADDRESS].interface_id
    shown = [
        (f.source, f.destination, f.packet_source, f.packet_destination, f.direction) for f in flows if f.interface == gateway
    ]
    assert shown == [
        ("10.20.2.10", GATEWAY_ADDRESS, "", "203.0.113.141", "ingress"),
        (GATEWAY_ADDRESS, "10.20.2.10", "203.0.113.141", "", "egress"),
        (GATEWAY_ADDRESS, "203.0.113.141", "", "", "egress"),
        ("203.0.113.141", GATEWAY_ADDRESS, "", "", "ingress"),
    ]
    assert len(flows) == 6
    assert len(records_of(exchange("refused"))) == 4  # inside, no gateway is passed
