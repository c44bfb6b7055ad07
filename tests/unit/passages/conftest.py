"""A database with the newest schema, and what is seen at a place of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from safecity.backends.database import SqlDatabase, open_database


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "control.db"
    asyncio.run(open_database(f"sqlite:///{path}").close())
    return path


@pytest.fixture
async def database(tmp_path: Path, empty: Path) -> AsyncIterator[SqlDatabase]:
    (tmp_path / "control.db").write_bytes(empty.read_bytes())
    opened = open_database(f"sqlite:///{tmp_path}/control.db", migrate=False)
    yield opened
    await opened.close()
