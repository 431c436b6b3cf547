"""Small tables of what is known about each distinct value of a slice: computed once per value, joined in SQL."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

import pyarrow as pa

from vedette.catalog import Operation, lookup
from vedette.catalog.agents import describe
from vedette.catalog.denials import is_denial
from vedette.engine import Knowledge
from vedette.intel import address_facts as facts
from vedette.intel.index import Index
from vedette.inventory import INTERFACES
from vedette.network.geo import NOWHERE, Location, is_hosting, network_of

_TEXT: pa.DataType = pa.string()
_MEMO = 200_000

# A column of address_facts for each field of a location; null where it is not known.
_PLACE = pa.schema(
    [
        pa.field("country_code", _TEXT),
        pa.field("country_name", _TEXT),
        pa.field("city_name", _TEXT),
        pa.field("latitude", pa.float64()),
        pa.field("longitude", pa.float64()),
        pa.field("asn", _TEXT),
        pa.field("asn_org", _TEXT),
        pa.field("isp", _TEXT),
        pa.field("org", _TEXT),
    ]
)

# The network of an address: the autonomous system of a public one, else a block around it. Hosting providers, VPNs and proxies
# are recognised by the name of the owner.
_NETWORK = (pa.field("network", _TEXT), pa.field("hosting", pa.bool_()))
ADDRESS_FACTS = pa.schema([*facts.FACTS, pa.field("own", pa.bool_()), pa.field("is_dark", pa.bool_()), *_NETWORK, *_PLACE])

AGENT_FACTS = pa.schema(
    [pa.field("user_agent", _TEXT), pa.field("family", _TEXT), pa.field("agent_kind", _TEXT), pa.field("attack", _TEXT)]
)
ERROR_FACTS = pa.schema([pa.field("error_code", _TEXT), pa.field("denied", pa.bool_())])
EXPECTED_PORTS = pa.schema([pa.field("instance_id", _TEXT), pa.field("port", pa.int64())])
PUBLIC_PORTS_TAG = "recon:public-ports"

ADDRESS_MATCHES = pa.schema([*facts.MATCHES, pa.field("as_of", pa.timestamp("us", tz="UTC"))])
API_FACTS = pa.schema(
    [
        pa.field("event_source", _TEXT),
        pa.field("event_name", _TEXT),
        pa.field("read_only", pa.bool_()),
        pa.field("request_attribute", _TEXT),
        pa.field("service", _TEXT),
        pa.field("operation", _TEXT),
        pa.field("access", _TEXT),
        pa.field("discovery", pa.bool_()),
        pa.field("category", _TEXT),
        pa.field("listed", pa.bool_()),
        pa.field("weight", pa.float64()),
        pa.field("technique", _TEXT),
    ]
)

# Which addresses facts are needed of, by table: those of callers, of senders from outside, and our own that are contacted.
ADDRESSES = {
    "cloudtrail": "select source_address as address from (select distinct source_address from cloudtrail) "
    "where source_address is not null",
    # With a count in the condition no engine moves it to where it is computed for each record instead of each address.
    "flows": "select src_address as address from flows group by src_address "
    "having case when count(*) > 0 then not is_inside(src_address) end union "
    "select dst_address as address from flows group by dst_address having case when count(*) > 0 then is_inside(dst_address) end",
}
ADDRESSES_OF_SLICE = "distinct_addresses"
_LAST_PORT = 65_535
_NO_ADDRESS = "select cast(null as varchar) as address where false"


def addresses_of(tables: Iterable[str]) -> str:
    """Return the query for the distinct addresses of some tables."""
    return " union ".join(ADDRESSES[table] for table in sorted(tables)) or _NO_ADDRESS


class AddressTables:
    """Makes ``address_facts`` and ``address_matches`` of a slice's addresses."""

    def __init__(self, knowledge: Knowledge) -> None:
        self._index = Index.build(knowledge.lists)
        self._geo = knowledge.geo
        self._own = [ip_network(network) for network in knowledge.own_networks]
        self._as_of = {item.name: item.as_of for item in knowledge.lists}
        self._inventory = knowledge.inventory

    def facts(self, addresses: Sequence[str | None]) -> pa.Table:
        """Return a row per address (``ADDRESS_FACTS``).

        ``own`` says that it is in one of the user's networks, ``is_dark`` that nothing uses it there (methods 2.1).
        """
        table = facts.address_facts(addresses, self._index)
        canonical = table["canonical"].to_pylist()
        table = table.append_column("own", pa.array([self._is_own(text) for text in canonical], pa.bool_()))
        table = table.append_column("is_dark", pa.array([self._is_dark(text) for text in canonical], pa.bool_()))
        public = table["is_public"].to_pylist()
        places = [self._place(text) if wanted else NOWHERE for text, wanted in zip(canonical, public, strict=True)]
        networks = [
            network_of(text, place.asn, public=bool(shown)) if text else None
            for text, place, shown in zip(canonical, places, public, strict=True)
        ]
        table = table.append_column("network", pa.array(networks, _TEXT))
        table = table.append_column("hosting", pa.array([is_hosting(place.asn_org or place.isp) for place in places], pa.bool_()))
        return _with_places(table, places)

    def matches(self, addresses: Sequence[str | None]) -> pa.Table:
        """Return a row per address and list entry that covers it (``ADDRESS_MATCHES``); ``as_of`` is the time of the list."""
        table = facts.address_matches(addresses, self._index)
        days = [self._as_of.get(name or "") for name in table["list_name"].to_pylist()]
        return table.append_column("as_of", pa.array(days, pa.timestamp("us", tz="UTC")))

    def _is_own(self, text: str | None) -> bool:
        if not self._own or text is None:
            return False
        address: IPv4Address | IPv6Address = ip_address(text)
        return any(address in network for network in self._own)

    def _is_dark(self, text: str | None) -> bool:
        return self._inventory is not None and text is not None and self._inventory.is_dark(text)

    def _place(self, text: str | None) -> Location:
        return NOWHERE if self._geo is None or text is None else self._geo.lookup(text)


def inventory_table(knowledge: Knowledge) -> pa.Table:
    """Return the addresses of the inventory's interfaces (``inventory.INTERFACES``), no rows where there is no inventory."""
    return INTERFACES.empty_table() if knowledge.inventory is None else knowledge.inventory.table()


def expected_ports(knowledge: Knowledge) -> pa.Table:
    """Return the ports that are meant to be public (``EXPECTED_PORTS``): those of the settings and those of tags."""
    rows: list[tuple[str | None, int]] = [(None, port) for port in knowledge.public_ports]
    if knowledge.inventory is not None:
        for instance_id in sorted({item.instance_id for item in knowledge.inventory.interfaces if item.instance_id}):
            text = knowledge.inventory.tags(instance_id).get(PUBLIC_PORTS_TAG, "")
            rows += [(instance_id, int(part)) for part in text.replace(",", " ").split() if _is_port(part)]
    return _table(rows, EXPECTED_PORTS)


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= len(str(_LAST_PORT)) and int(text) <= _LAST_PORT


def agent_facts(texts: Iterable[str | None]) -> pa.Table:
    """Return a row for each distinct user agent: the tool that sent it (``AGENT_FACTS``)."""
    rows = [(text, agent.family, agent.kind, agent.attack) for text in texts if text is not None for agent in (describe(text),)]
    return _table(rows, AGENT_FACTS)


def error_facts(codes: Iterable[str | None]) -> pa.Table:
    """Return a row for each distinct error code: whether it means that the caller was not allowed to (``ERROR_FACTS``)."""
    return _table([(code, is_denial(code)) for code in codes if code is not None], ERROR_FACTS)


def _table(rows: Sequence[tuple[object, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.Table.from_arrays(
        [pa.array(list(column), field.type) for column, field in zip(columns, schema, strict=True)], schema=schema
    )


def _with_places(table: pa.Table, places: Sequence[Location]) -> pa.Table:
    columns: Mapping[str, list[object]] = {
        "country_code": [place.country_code or None for place in places],
        "country_name": [place.country_name or None for place in places],
        "city_name": [place.city_name or None for place in places],
        "latitude": [place.lat for place in places],
        "longitude": [place.lon for place in places],
        "asn": [place.asn or None for place in places],
        "asn_org": [place.asn_org or None for place in places],
        "isp": [place.isp or None for place in places],
        "org": [place.org or None for place in places],
    }
    for field in _PLACE:
        table = table.append_column(field, pa.array(columns[field.name], field.type))
    return table


def api_facts(calls: Iterable[tuple[str | None, str | None, bool | None, str | None]]) -> pa.Table:
    """Return a row for each distinct (event_source, event_name, read_only, request_attribute), with its catalogue entry."""
    rows = [(*call, *_entry(_operation(*call))) for call in calls]
    return _table(rows, API_FACTS)


_operation = lru_cache(_MEMO)(lookup)


def _entry(operation: Operation) -> tuple[object, ...]:
    return (
        operation.service,
        operation.operation,
        operation.access,
        operation.discovery,
        operation.category,
        operation.listed,
        operation.weight,
        operation.technique,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class FactTable:
    """A table of facts about distinct values of a slice.

    ``distinct`` is the query for these values; ``make`` returns the rows of the table (columns of ``schema``) for some of them.
    """

    name: str
    schema: pa.Schema
    distinct: str
    make: Callable[[AddressTables, pa.Table], pa.Table]


def _facts_of(addresses: AddressTables, values: pa.Table) -> pa.Table:
    return addresses.facts(values.column(0).to_pylist())


def _matches_of(addresses: AddressTables, values: pa.Table) -> pa.Table:
    return addresses.matches(values.column(0).to_pylist())


def _calls(_addresses: AddressTables, values: pa.Table) -> pa.Table:
    return api_facts(zip(*(column.to_pylist() for column in values.columns), strict=True))


def _agents(_addresses: AddressTables, values: pa.Table) -> pa.Table:
    return agent_facts(values.column(0).to_pylist())


def _errors(_addresses: AddressTables, values: pa.Table) -> pa.Table:
    return error_facts(values.column(0).to_pylist())


FACT_TABLES = (
    FactTable(name="address_facts", schema=ADDRESS_FACTS, distinct=f"select address from {ADDRESSES_OF_SLICE}", make=_facts_of),
    FactTable(
        name="address_matches", schema=ADDRESS_MATCHES, distinct=f"select address from {ADDRESSES_OF_SLICE}", make=_matches_of
    ),
    FactTable(
        name="api_facts",
        schema=API_FACTS,
        distinct="select distinct event_source, event_name, read_only, request_attribute from cloudtrail",
        make=_calls,
    ),
    FactTable(name="agent_facts", schema=AGENT_FACTS, distinct="select distinct user_agent from cloudtrail", make=_agents),
    FactTable(name="error_facts", schema=ERROR_FACTS, distinct="select distinct error_code from cloudtrail", make=_errors),
)
