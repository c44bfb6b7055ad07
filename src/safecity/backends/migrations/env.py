"""What Alembic runs: always on a connection that we give it, in batch mode (SQLite alters by copying)."""

from __future__ import annotations

from alembic import context

from safecity.backends.migrations.tables import metadata

connection = context.config.attributes["connection"]
context.configure(connection=connection, target_metadata=metadata, render_as_batch=True, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
if connection.in_transaction():
    connection.commit()
