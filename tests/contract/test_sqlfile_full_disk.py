"""A disk that is full is told in our words, and leaves nothing half done behind."""

from __future__ import annotations

from pathlib import Path

import pytest

from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import UnavailableError


def test_a_full_disk_is_unavailable_and_the_file_goes_on_afterwards(tmp_path: Path) -> None:
    file = open_file(tmp_path / "one.db")
    file.execute("CREATE TABLE kept (body BLOB)")
    file.execute("PRAGMA max_page_count = 20")
    with pytest.raises(UnavailableError) as refused, file.transaction():
        file.executemany("INSERT INTO kept VALUES (?)", [(b"x" * 4000,) for _ in range(100)])
    assert refused.value.code == "database_unavailable"
    file.execute("PRAGMA max_page_count = 10000")
    with file.transaction():
        file.execute("INSERT INTO kept VALUES (x'01')")
    assert file.execute("SELECT count(*) FROM kept") == [(1,)]
    file.close()
