"""Let receipts say what was read, so that a blob is known again by its bytes. Earlier receipts say nothing of theirs."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TEXT = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_DIGEST = sa.String(32).with_variant(sa.String(32, collation="C"), "postgresql")
_SHA256 = sa.String(64).with_variant(sa.String(64, collation="C"), "postgresql")


def upgrade() -> None:
    """Add the columns of the content, with the indexes by which it is found."""
    for column in (
        sa.Column("placed", _DIGEST, comment="Digest of the place: the path with links resolved, or the name."),
        sa.Column("size", sa.BigInteger(), comment="How many stored bytes were read."),
        sa.Column("content", _SHA256, comment="Their SHA-256."),
        sa.Column("head", _DIGEST, comment="Digest of their beginning, by which longer blobs are found that begin so."),
        sa.Column("records", sa.BigInteger(), comment="How many records they hold; null if a longer blob may hold others."),
        sa.Column("last_record", _DIGEST, comment="Digest of the last record."),
        sa.Column("spans", _TEXT, comment="Spans of event time whose records were taken, as JSON; null for all records."),
    ):
        op.add_column("receipts", column)
    op.create_index("ix_receipts_placed", "receipts", ["placed", "size"])
    op.create_index("ix_receipts_content", "receipts", ["content"])
    op.create_index("ix_receipts_head", "receipts", ["head", "size"])
    if op.get_bind().dialect.supports_comments:
        op.create_table_comment("receipts", "The blobs that were read: of a blob with a receipt, no record is taken twice.")
