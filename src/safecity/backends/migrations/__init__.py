"""The one lineage of the schema (Alembic). Expand first, contract a release later; every step is tested with rows."""
