"""Keep findings, receipts, generations, lists and run reports in a database, through SQLAlchemy (imported only here).

``Store.open(url)`` opens SQLite (WAL) or PostgreSQL and migrates it. One ``commit`` writes the findings, the receipts and the
new generation in one transaction. ``state_folder`` returns the folder of the files that a generation names.

To change a table: change ``tables``, add a script to ``migrations/versions``, and set ``database.HEAD`` to its revision.
"""

from vedette.store.lists import ListSummary
from vedette.store.selection import Filters, cursor
from vedette.store.store import Store, StoredReport
from vedette.store.url import STATE_SUFFIX, shown, sqlite_file, state_folder, url_of

__all__ = [
    "STATE_SUFFIX",
    "Filters",
    "ListSummary",
    "Store",
    "StoredReport",
    "cursor",
    "shown",
    "sqlite_file",
    "state_folder",
    "url_of",
]
