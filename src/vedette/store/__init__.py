"""The store: findings, receipts, generations, lists and run reports, through SQLAlchemy (the only importer of it).

``Store.open(url)`` opens SQLite (WAL) or PostgreSQL and migrates it. One ``commit`` writes the findings, the receipts and the
new generation in one transaction.
"""
