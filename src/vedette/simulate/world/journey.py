"""The way of an exchange through the made-up VPC: at whose interfaces it is logged, the NAT gateway's among them."""

from msgspec.structs import replace

from vedette.simulate import Exchange, Flow
from vedette.simulate.world.connections import flows_of
from vedette.simulate.world.estate import GATEWAY_ADDRESS, behind_gateway, interfaces

_LOWEST_PORT, _PORTS = 1024, 64_512  # of a NAT gateway


def records_of(exchange: Exchange) -> list[Flow]:
    """Return the records of an exchange at every interface of ours that it passes."""
    known = interfaces()
    source, destination = known.get(exchange.source), known.get(exchange.destination)
    logged = flows_of(exchange, source, destination)
    outward = destination is None and not exchange.destination.startswith("10.")
    if outward and exchange.source in behind_gateway() and exchange.outcome != "rejected_egress":
        logged += _through_gateway(exchange)
    return logged


def _through_gateway(exchange: Exchange) -> list[Flow]:
    """Return what the NAT gateway logs: both legs, the inner one with the far end's address in the packet only."""
    gateway = interfaces()[GATEWAY_ADDRESS]
    inner = replace(exchange, destination=GATEWAY_ADDRESS, packet_destination=exchange.destination)
    port = _LOWEST_PORT + (exchange.source_port * 7_919 + int(exchange.source.rpartition(".")[2])) % _PORTS
    outer = replace(exchange, source=GATEWAY_ADDRESS, source_port=port, packet_source="")
    # A group far away is none of the gateway's, so a rejection there is only silence here.
    if exchange.outcome == "rejected":
        inner, outer = replace(inner, outcome="filtered"), replace(outer, outcome="filtered")
    return flows_of(inner, destination=gateway) + flows_of(outer, source=gateway)


def resolved(flow: Flow) -> Flow:
    """Return a record with the ids of its interface, which scenarios name by its address."""
    interface = interfaces().get(flow.interface)
    if interface is None:
        return flow
    ids = {"instance": interface.instance, "subnet": interface.subnet, "vpc": interface.vpc}
    return replace(flow, interface=interface.interface_id, **ids)
