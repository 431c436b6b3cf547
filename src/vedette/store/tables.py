"""Define the tables of the store. Every change here needs a migration; a test compares the two.

Times are whole microseconds since 1970 (UTC): exact, the same on every database, and cheap to sort. Text from logs is kept
unchanged inside JSON, and cleaned in the columns that are searched: a database may reject a NUL or half a surrogate pair,
and an attacker may write one. Keys are therefore digests of the unchanged text.
"""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

# Sorted by bytes on every database, so that prefixes, pages and ties are the same everywhere.
TEXT = Text().with_variant(Text(collation="C"), "postgresql")
DIGEST = String(32).with_variant(String(32, collation="C"), "postgresql")
SHA256 = String(64).with_variant(String(64, collation="C"), "postgresql")

METADATA = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
    }
)

META = Table(
    "meta",
    METADATA,
    Column("key", TEXT, primary_key=True),
    Column("value", TEXT, nullable=False),
    comment="Facts about the store itself, such as the version that wrote it.",
)

# The columns of each sort order. Each ends in the ID, so that no two findings are equal.
ORDERS: Mapping[str, tuple[str, ...]] = {
    "updated_at": ("updated_at", "id"),
    "created_at": ("created_at", "id"),
    "first_seen": ("first_seen", "id"),
    "last_seen": ("last_seen", "id"),
    "count": ("count", "id"),
    "severity": ("severity", "updated_at", "id"),
    "finding_type": ("finding_type", "updated_at", "id"),
    "account_id": ("account_id", "updated_at", "id"),
}
_FILTERED = ("archived", "severity", "finding_type", "account_id", "region")


def _sorting_index(order: str) -> Index:
    # The filtered columns are at its end, so that a page is found by scanning the index alone.
    columns = ORDERS[order]
    return Index(f"ix_findings_{order}", *columns, *(name for name in _FILTERED if name not in columns))


# The findings themselves are in finding_documents, so that the table that is searched and counted stays small.
FINDINGS = Table(
    "findings",
    METADATA,
    Column("id", DIGEST, primary_key=True),
    Column("identity", DIGEST, nullable=False, comment="Digest of type, account, resource key and target."),
    Column("finding_type", TEXT, nullable=False),
    Column("account_id", TEXT, nullable=False),
    Column("region", TEXT, nullable=False),
    Column("severity", Double, nullable=False),
    Column("archived", Boolean, nullable=False),
    Column("count", BigInteger, nullable=False),
    Column("first_seen", BigInteger, nullable=False),
    Column("last_seen", BigInteger, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("updated_at", BigInteger, nullable=False),
    Index("ix_findings_identity", "identity"),
    Index("ix_findings_filtered", *_FILTERED),
    *(_sorting_index(order) for order in ORDERS),
    comment="The values by which findings are searched, sorted and counted; one row per finding.",
)

FINDING_DOCUMENTS = Table(
    "finding_documents",
    METADATA,
    Column("id", DIGEST, ForeignKey("findings.id", ondelete="CASCADE"), primary_key=True),
    Column("document", TEXT, nullable=False, comment="The whole finding as JSON (store.documents)."),
    comment="The findings themselves.",
)

RECEIPTS = Table(
    "receipts",
    METADATA,
    Column("digest", DIGEST, primary_key=True, comment="Digest of name and version."),
    Column("name", TEXT, nullable=False),
    Column("version", TEXT, nullable=False),
    Column("generation", BigInteger, nullable=False, comment="The first generation with the blob's records."),
    # Null in the receipts of blobs that are no logs, and in those that the first revision wrote.
    Column("placed", DIGEST, comment="Digest of the place: the path with links resolved, or the name."),
    Column("size", BigInteger, comment="How many stored bytes were read."),
    Column("content", SHA256, comment="Their SHA-256."),
    Column("head", DIGEST, comment="Digest of their beginning, by which longer blobs are found that begin so."),
    Column("records", BigInteger, comment="How many records they hold; null if a longer blob may hold others."),
    Column("last_record", DIGEST, comment="Digest of the last record."),
    Column("spans", TEXT, comment="Spans of event time whose records were taken, as JSON; null for all records."),
    Index("ix_receipts_placed", "placed", "size"),
    Index("ix_receipts_content", "content"),
    Index("ix_receipts_head", "head", "size"),
    comment="The blobs that were read: of a blob with a receipt, no record is taken twice.",
)

GENERATIONS = Table(
    "generations",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("committed_at", BigInteger, nullable=False),
    Column("content", TEXT, nullable=False, comment="The generation as JSON; the table holds only the newest."),
    comment="The newest generation: which state files are valid, and up to what time they were folded.",
)

RUN_REPORTS = Table(
    "run_reports",
    METADATA,
    Column("generation", BigInteger, primary_key=True, autoincrement=False),
    Column("written_at", BigInteger, nullable=False),
    Column("content", TEXT, nullable=False, comment="The report as JSON."),
    comment="The run reports of the last thousand steps.",
)

LISTS = Table(
    "lists",
    METADATA,
    Column("name", TEXT, primary_key=True),
    Column("kind", TEXT, nullable=False),
    Column("format", TEXT, nullable=False),
    Column("status", TEXT, nullable=False),
    Column("imported_at", BigInteger, nullable=False),
    Column("entries_open", Integer, nullable=False, comment="Entries of the newest import."),
    Column("entries_closed", Integer, nullable=False, comment="Entries that ended, which are the list's history."),
    Column("refused", Integer, nullable=False),
    Column("header", TEXT, nullable=False, comment="The list without its entries, as JSON."),
    comment="Threat lists, without their entries.",
)

# A million entries as rows would take a minute to write and more than five seconds to load; as columns they take a second.
LIST_ENTRIES = Table(
    "list_entries",
    METADATA,
    Column("name", TEXT, ForeignKey("lists.name", ondelete="CASCADE"), primary_key=True),
    Column("content", LargeBinary, nullable=False, comment="All entries with their validity, compressed."),
    comment="The entries of threat lists, including those that ended.",
)
