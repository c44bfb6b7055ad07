"""A database with the newest schema, and a watch in it."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from safecity.backends.database import open_database


@pytest.fixture(scope="session")
def empty(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("schema") / "control.db"
    asyncio.run(open_database(f"sqlite:///{path}").close())
    return path
