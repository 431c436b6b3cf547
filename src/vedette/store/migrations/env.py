"""Run migrations on the connection that the store passes, inside its transaction. Alembic loads this file."""

from alembic import context

from vedette.store.database import VERSION_TABLE
from vedette.store.tables import METADATA

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=METADATA,
    version_table=VERSION_TABLE,
    render_as_batch=True,  # SQLite changes a table by copying it
)
context.run_migrations()
