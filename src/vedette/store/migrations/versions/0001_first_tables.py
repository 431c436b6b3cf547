"""Create the first tables: findings, receipts, generations, run reports and threat lists."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_DIGEST = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
_INDEXES = {
    "identity": ("identity",),
    "filtered": ("archived", "severity", "finding_type", "account_id", "region"),
    "updated_at": ("updated_at", "id", "archived", "severity", "finding_type", "account_id", "region"),
    "created_at": ("created_at", "id", "archived", "severity", "finding_type", "account_id", "region"),
    "first_seen": ("first_seen", "id", "archived", "severity", "finding_type", "account_id", "region"),
    "last_seen": ("last_seen", "id", "archived", "severity", "finding_type", "account_id", "region"),
    "count": ("count", "id", "archived", "severity", "finding_type", "account_id", "region"),
    "severity": ("severity", "updated_at", "id", "archived", "finding_type", "account_id", "region"),
    "finding_type": ("finding_type", "updated_at", "id", "archived", "severity", "account_id", "region"),
    "account_id": ("account_id", "updated_at", "id", "archived", "severity", "finding_type", "region"),
}


def upgrade() -> None:
    """Create the tables."""
    _findings()
    _steps()
    _lists()


def _findings() -> None:
    op.create_table(
        "findings",
        sa.Column("id", _DIGEST, nullable=False),
        sa.Column("identity", _DIGEST, nullable=False, comment="Digest of type, account, resource key and target."),
        sa.Column("finding_type", _TEXT, nullable=False),
        sa.Column("account_id", _TEXT, nullable=False),
        sa.Column("region", _TEXT, nullable=False),
        sa.Column("severity", sa.Double(), nullable=False),
        sa.Column("archived", sa.Boolean(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("first_seen", sa.BigInteger(), nullable=False),
        sa.Column("last_seen", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_findings"),
        comment="The values by which findings are searched, sorted and counted; one row per finding.",
    )
    for name, columns in _INDEXES.items():
        op.create_index(f"ix_findings_{name}", "findings", list(columns))
    op.create_table(
        "finding_documents",
        sa.Column("id", _DIGEST, nullable=False),
        sa.Column("document", _TEXT, nullable=False, comment="The whole finding as JSON (store.documents)."),
        sa.ForeignKeyConstraint(["id"], ["findings.id"], name="fk_finding_documents_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_finding_documents"),
        comment="The findings themselves.",
    )


def _steps() -> None:
    op.create_table(
        "meta",
        sa.Column("key", _TEXT, nullable=False),
        sa.Column("value", _TEXT, nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_meta"),
        comment="Facts about the store itself, such as the version that wrote it.",
    )
    op.create_table(
        "receipts",
        sa.Column("digest", _DIGEST, nullable=False, comment="Digest of name and version."),
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("version", _TEXT, nullable=False),
        sa.Column("generation", sa.BigInteger(), nullable=False, comment="The first generation with the blob's records."),
        sa.PrimaryKeyConstraint("digest", name="pk_receipts"),
        comment="The blobs that were read: a blob with a receipt is not read again.",
    )
    op.create_table(
        "generations",
        sa.Column("number", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("committed_at", sa.BigInteger(), nullable=False),
        sa.Column("content", _TEXT, nullable=False, comment="The generation as JSON; the table holds only the newest."),
        sa.PrimaryKeyConstraint("number", name="pk_generations"),
        comment="The newest generation: which state files are valid, and up to what time they were folded.",
    )
    op.create_table(
        "run_reports",
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("written_at", sa.BigInteger(), nullable=False),
        sa.Column("content", _TEXT, nullable=False, comment="The report as JSON."),
        sa.PrimaryKeyConstraint("generation", name="pk_run_reports"),
        comment="The run reports of the last thousand steps.",
    )


def _lists() -> None:
    op.create_table(
        "lists",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("kind", _TEXT, nullable=False),
        sa.Column("format", _TEXT, nullable=False),
        sa.Column("status", _TEXT, nullable=False),
        sa.Column("imported_at", sa.BigInteger(), nullable=False),
        sa.Column("entries_open", sa.Integer(), nullable=False, comment="Entries of the newest import."),
        sa.Column("entries_closed", sa.Integer(), nullable=False, comment="Entries that ended, which are the list's history."),
        sa.Column("refused", sa.Integer(), nullable=False),
        sa.Column("header", _TEXT, nullable=False, comment="The list without its entries, as JSON."),
        sa.PrimaryKeyConstraint("name", name="pk_lists"),
        comment="Threat lists, without their entries.",
    )
    op.create_table(
        "list_entries",
        sa.Column("name", _TEXT, nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False, comment="All entries with their validity, compressed."),
        sa.ForeignKeyConstraint(["name"], ["lists.name"], name="fk_list_entries_name", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("name", name="pk_list_entries"),
        comment="The entries of threat lists, including those that ended.",
    )
