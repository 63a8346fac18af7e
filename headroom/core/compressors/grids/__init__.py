"""Rooms shared by kinds that show rows: layouts of tables, Python's reprs, and the digest of rows."""
