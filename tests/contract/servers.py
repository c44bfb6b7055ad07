"""Servers that scaled engines are tested against, where somebody started one and says so in the environment."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import uuid4

from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

POSTGRES = os.environ.get("SAFECITY_TEST_POSTGRES", "")
"""`postgresql+psycopg://user@host/db`, where schemas may be made; empty: nobody started one."""


@contextmanager
def postgresql_schema() -> Iterator[str]:
    """The URL of an empty schema of its own."""
    url = POSTGRES
    name = f"sc_{uuid4().hex}"
    server = create_engine(url, poolclass=NullPool)
    with server.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {name}"))
    yield f"{url}{'&' if '?' in url else '?'}options=-csearch_path%3D{name}"
    with server.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    server.dispose()
