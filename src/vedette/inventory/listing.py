"""Show an inventory as text for a terminal and as plain values for JSON. Pure; the caller removes control characters."""

import shlex
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator

from vedette.inventory.environment import Inventory
from vedette.inventory.exposure import Opening
from vedette.inventory.files import Snapshot
from vedette.inventory.interfaces import Interface
from vedette.inventory.kinds import KINDS
from vedette.inventory.network import span, traffic

_NOTHING = "nothing"


def summary(inventory: Inventory, width: int) -> Iterator[str]:
    """Yield lines that summarise an inventory: what it contains, which files are missing, and what is unknown without them."""
    instances = {interface.instance_id for interface in inventory.interfaces if interface.instance_id}
    yield f"snapshots {len(inventory.snapshots)}, interfaces {len(inventory.interfaces)}, instances {len(instances)}"
    yield ""
    yield from _columns(
        ("ACCOUNT", "REGION", "TAKEN AT (UTC)", "FOLDER"),
        [
            (item.account_id or "-", item.region or "-", f"{item.taken_at:%Y-%m-%d %H:%M}", item.folder)
            for item in inventory.snapshots
        ],
    )
    yield ""
    roles = Counter(interface.role for interface in inventory.interfaces)
    yield from _columns(("ROLE", "INTERFACES"), [(role, str(count)) for role, count in sorted(roles.items())])
    missing = [(item, kind) for item in _newest(inventory.snapshots) for kind in KINDS if kind.without and not item.has(kind)]
    if missing:
        yield ""
        yield "Missing files, and what is unknown without them"
    for snapshot, kind in missing:
        yield from _wrapped(f"  {snapshot.folder}: {kind.name}.json: {kind.without}", width)
    if inventory.notes:
        yield ""
        yield "Incomplete"
    for note in inventory.notes:
        yield from _wrapped(f"  {note}", width)


def described(inventory: Inventory, interfaces: Iterable[Interface], width: int, *, commands: bool) -> Iterator[str]:
    """Yield lines about interfaces and what the internet can reach at them, if wanted with the commands that close it."""
    headed: str | None = None
    for number, interface in enumerate(interfaces):
        if interface.instance_id is None or interface.instance_id != headed:
            yield from [""] if number else []
            headed = interface.instance_id
            if headed:
                yield from _wrapped(_heading(inventory, headed), width)
        yield from _wrapped(f"  {interface.interface_id}  {interface.role}  {' '.join(_addresses(interface))}", width)
        yield from _wrapped(f"    {' '.join(_places(interface))}", width)
        found = inventory.openings(interface.interface_id)
        yield from [] if found else [f"    open to the internet: {_NOTHING}"]
        for opening in found:
            yield from _wrapped(f"    open to the internet: {_opened(opening)}", width)
            if commands and opening.command:
                yield from (f"      {line}" for line in folded(opening.command, width - 6))


def values(inventory: Inventory, interfaces: Iterable[Interface]) -> list[dict[str, object]]:
    """Return interfaces as plain values for JSON."""
    return [
        {
            "interface_id": item.interface_id,
            "role": item.role,
            "account_id": item.account_id,
            "region": item.region,
            "instance_id": item.instance_id,
            "vpc_id": item.vpc_id,
            "subnet_id": item.subnet_id,
            "private_addresses": item.private_addresses,
            "public_addresses": item.public_addresses,
            "ipv6_addresses": item.ipv6_addresses,
            "group_ids": item.group_ids,
            "tags": dict(inventory.tags(item.instance_id)) if item.instance_id else {},
            "open_to_the_internet": [
                {
                    "protocol": opening.protocol,
                    "from_port": opening.ports[0],
                    "to_port": opening.ports[1],
                    "source": opening.source,
                    "verdict": opening.verdict,
                    "rule": opening.rule,
                    "command": opening.command,
                }
                for opening in inventory.openings(item.interface_id)
            ],
        }
        for item in interfaces
    ]


def folded(command: str, width: int) -> list[str]:
    """Break a shell command into lines at its options, with backslashes, so that it can be pasted as it is."""
    groups: list[str] = []
    for word in shlex.split(command):
        quoted = shlex.quote(word)
        if word.startswith("--") or not groups:
            groups.append(quoted)
        else:
            groups[-1] += f" {quoted}"
    lines: list[str] = []
    for group in groups:
        if lines and len(lines[-1]) + len(group) + 3 <= width:
            lines[-1] += f" {group}"
        else:
            lines.append(group if not lines else f"  {group}")
    return [f"{line} \\" for line in lines[:-1]] + lines[-1:]


def _newest(snapshots: Iterable[Snapshot]) -> list[Snapshot]:
    return list({snapshot.scope: snapshot for snapshot in snapshots}.values())


def _heading(inventory: Inventory, instance_id: str) -> str:
    details = inventory.instance_details(instance_id) or {}
    facts = (inventory.tags(instance_id).get("Name"), details.get("instanceType"), details.get("instanceState"))
    return "  ".join([instance_id, *(str(fact) for fact in facts if fact)])


def _addresses(interface: Interface) -> tuple[str, ...]:
    return (*interface.private_addresses, *interface.public_addresses, *interface.ipv6_addresses)


def _places(interface: Interface) -> list[str]:
    places = (interface.account_id, interface.region, interface.vpc_id, interface.subnet_id, *interface.group_ids)
    return [place for place in places if place]


def _opened(opening: Opening) -> str:
    if opening.rule == f"{opening.source} is not in the inventory":
        return f"unknown, {opening.rule}"
    certainty = {"allow": "", "partial": " (only some replies leave)", "unknown": " (possibly: the inventory is incomplete)"}
    ports = span(opening.ports) if opening.ports != (0, 65535) else "all ports"
    what = traffic(opening.protocol, opening.ports)
    what = f"{what} {ports}" if what in {"tcp", "udp"} else what
    return f"{what} from {opening.source}{certainty.get(opening.verdict, '')}"


def _columns(header: tuple[str, ...], rows: list[tuple[str, ...]]) -> Iterator[str]:
    widths = [max(len(row[column]) for row in (header, *rows)) for column in range(len(header))]
    for row in (header, *rows):
        yield "  ".join(text.ljust(width) for text, width in zip(row, widths, strict=True)).rstrip()


def _wrapped(text: str, width: int) -> list[str]:
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return textwrap.wrap(
        text.rstrip(),
        width,
        subsequent_indent=indent,
        drop_whitespace=True,
        replace_whitespace=False,
        break_on_hyphens=False,
    )
