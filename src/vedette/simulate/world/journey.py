"""Route an exchange through the simulated VPC, and return the records of each interface that logs it."""

from msgspec.structs import replace

from vedette.simulate import Exchange, Flow
from vedette.simulate.world.connections import flows_of
from vedette.simulate.world.estate import GATEWAY_ADDRESS, behind_gateway, interfaces

_LOWEST_PORT, _PORTS = 1024, 64_512  # the source ports of a NAT gateway


def records_of(exchange: Exchange) -> list[Flow]:
    """Return the records of an exchange at each of our interfaces that it passes."""
    known = interfaces()
    source, destination = known.get(exchange.source), known.get(exchange.destination)
    logged = flows_of(exchange, source, destination)
    outward = destination is None and not exchange.destination.startswith("10.")
    if outward and exchange.source in behind_gateway() and exchange.outcome != "rejected_egress":
        logged += _through_gateway(exchange)
    return logged


def _through_gateway(exchange: Exchange) -> list[Flow]:
    """Return the records of the NAT gateway for both legs; the inner one has the remote address only as the packet's."""
    gateway = interfaces()[GATEWAY_ADDRESS]
    inner = replace(exchange, destination=GATEWAY_ADDRESS, packet_destination=exchange.destination)
    port = _LOWEST_PORT + (exchange.source_port * 7_919 + int(exchange.source.rpartition(".")[2])) % _PORTS
    outer = replace(exchange, source=GATEWAY_ADDRESS, source_port=port, packet_source="")
    # A rejection by a remote security group is not logged here: the gateway only sees that no reply comes.
    if exchange.outcome == "rejected":
        inner, outer = replace(inner, outcome="filtered"), replace(outer, outcome="filtered")
    return flows_of(inner, destination=gateway) + flows_of(outer, source=gateway)


def resolved(flow: Flow) -> Flow:
    """Return a record with the IDs of its interface, which scenarios refer to by address."""
    interface = interfaces().get(flow.interface)
    if interface is None:
        return flow
    ids = {"instance": interface.instance, "subnet": interface.subnet, "vpc": interface.vpc}
    return replace(flow, interface=interface.interface_id, **ids)
