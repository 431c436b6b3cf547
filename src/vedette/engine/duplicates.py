"""Records that come more than once: within a slice, and events of CloudTrail that an earlier slice had."""

from dataclasses import dataclass

from vedette.engine.port import Port
from vedette.schema import IDENTITY
from vedette.state import SEEN


@dataclass(frozen=True, slots=True, kw_only=True)
class Repeatable:
    """A record table, and what makes two of its records one.

    ``identity`` lists the columns in which copies agree, ``hashed`` those that suffice to tell that there are none (a hash of few
    columns is quick), ``compared`` is the condition for a record to have copies at all.
    """

    table: str
    identity: str
    hashed: str
    compared: str

    def any_repeated(self) -> str:
        """Return the query that says whether there may be copies: most slices have none, and need nothing else."""
        return f"select count(*) > count(distinct hash({self.hashed})) as found from {self.table}_read where {self.compared}"

    def repeated(self) -> str:
        """Return the query for the hashes that occur more than once."""
        hashed = f"hash({self.hashed})"
        return f"select {hashed} as hashed from {self.table}_read where {self.compared} group by {hashed} having count(*) > 1"

    def copies(self) -> str:
        """Return the query for all copies within the slice but the first, by object and position, of each record."""
        return f"""
select "object", "position"
from (
    select "object", "position", row_number() over (partition by {self.identity} order by "object", "position") as copy
    from {self.table}_read
    semi join {_repeated(self.table)} r on hash({self.hashed}) = r.hashed
    where {self.compared}
)
where copy > 1
"""

    def queries(self) -> str:
        """Return all queries in one text, for whoever must know the columns that they use."""
        return f"{self.any_repeated()} {self.copies()} {_EARLIER}"


REPEATABLE = {
    item.table: item
    for item in (
        Repeatable(
            table="cloudtrail",
            identity=", ".join(IDENTITY["cloudtrail"]),
            hashed="account_id, event_id",
            compared="event_id is not null",
        ),
        Repeatable(
            table="flows",
            identity=", ".join(IDENTITY["flows"]),
            hashed="interface_id, start_time, src_address, dst_address, src_port, dst_port, bytes",
            compared="coalesce(log_status, 'OK') = 'OK'",
        ),
    )
}
_REMEMBERED = "cloudtrail"  # the table whose newest ids are kept in seen_events
_EARLIER = f"""
select c."object", c."position"
from {_REMEMBERED}_read c
join {SEEN} s on c.event_id = s.event_id and c.account_id is not distinct from s.account_id and c.event_time = s.event_time
"""


def drop_duplicates(port: Port, table: str, *, late: bool) -> int:
    """Leave one of each record of a table, and of events none that an earlier slice had; return how many were dropped.

    Only ``late`` records can be ones that an earlier slice had: without them the remembered events are not read.
    """
    repeatable = REPEATABLE[table]
    queries = []
    (check,) = port.rows(repeatable.any_repeated())
    if check["found"]:
        port.keep(_repeated(table), repeatable.repeated())
        queries.append(repeatable.copies())
    if late and table == _REMEMBERED:
        queries.append(_EARLIER)
    if not queries:
        return 0
    dropped = port.keep(f"duplicates_of_{table}", " union ".join(queries))
    if dropped:
        port.narrow(
            table,
            f"select c.* from {table}_read c "
            f'anti join duplicates_of_{table} d on c."position" = d."position" and c."object" = d."object"',
        )
    return dropped


def _repeated(table: str) -> str:
    return f"repeated_{table}"
