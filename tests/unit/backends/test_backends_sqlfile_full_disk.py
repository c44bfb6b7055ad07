"""A disk that is full is told in our words, and leaves nothing half done behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from safecity.backends.database import open_database
from safecity.backends.sqlitefile import open_file
from safecity.core.ground.settings.api import put
from safecity.kit.errors import UnavailableError
from safecity.ports.database import Tx


def test_a_full_disk_is_unavailable_and_the_file_goes_on_afterwards(tmp_path: Path) -> None:
    file = open_file(tmp_path / "one.db")
    file.execute("CREATE TABLE kept (body BLOB)")
    file.execute("PRAGMA max_page_count = 20")
    with pytest.raises(UnavailableError) as refused, file.transaction():
        file.executemany("INSERT INTO kept VALUES (?)", [(b"x" * 4000,) for _ in range(100)])
    assert refused.value.code == "disk_full"
    file.execute("PRAGMA max_page_count = 10000")
    with file.transaction():
        file.execute("INSERT INTO kept VALUES (x'01')")
    assert file.execute("SELECT count(*) FROM kept") == [(1,)]
    file.close()


def test_a_file_that_cannot_be_opened_for_want_of_room_is_not_called_damaged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever is told that his index is damaged puts it aside: a full disk must not cost what it holds."""
    (tmp_path / "one.db").mkdir()
    with pytest.raises(UnavailableError) as refused:
        open_file(tmp_path / "one.db")
    assert refused.value.code == "database_unavailable"
    monkeypatch.setattr("safecity.backends.sqliteerrors.no_room", lambda _: True)
    with pytest.raises(UnavailableError) as refused:
        open_file(tmp_path / "one.db")
    assert refused.value.code == "disk_full"
    (tmp_path / "two.db").write_bytes(b"this is no database" * 1000)
    with pytest.raises(UnavailableError) as refused:
        open_file(tmp_path / "two.db")
    assert refused.value.code == "file_damaged"


async def test_a_database_that_does_not_open_leaves_nothing_open(tmp_path: Path) -> None:
    path = tmp_path / "control.db"
    path.mkdir()
    for _ in range(2):
        with pytest.raises(UnavailableError):
            open_database(f"sqlite:///{path}")
    path.rmdir()
    await open_database(f"sqlite:///{path}").close()


async def test_a_full_disk_is_told_by_its_name(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/control.db")
    await database.write(lambda tx: tx.run(text("PRAGMA max_page_count = 1")))

    def much(tx: Tx) -> None:
        for n in range(500):
            put(tx, f"n{n}", "x" * 4000)

    with pytest.raises(UnavailableError) as refused:
        await database.write(much)
    assert refused.value.code == "disk_full"
    await database.write(lambda tx: tx.run(text("PRAGMA max_page_count = 100000")))
    await database.write(much)
    await database.close()
