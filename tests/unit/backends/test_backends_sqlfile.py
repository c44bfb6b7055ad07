"""The SQL file of one writer: values at their places on every version of Python, and no second writer."""

from __future__ import annotations

import warnings
from pathlib import Path

import pytest

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import ConflictError, UnavailableError


def test_a_value_that_is_needed_twice_is_bound_once(tmp_path: Path) -> None:
    file = open_file(tmp_path / "a.db")
    file.execute("CREATE TABLE t (a INTEGER, b INTEGER)")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        file.execute("INSERT INTO t SELECT ?1, ?2 WHERE ?1 < ?2", (1, 2))
        file.executemany("INSERT INTO t VALUES (?1, ?1 + ?2)", [(10, 1), (20, 2)])
        file.executemany("INSERT INTO t VALUES (?, ?)", [(30, 3)])
        found = file.execute("SELECT a, b FROM t WHERE a >= ?2 AND a <= ?1 ORDER BY a", (20, 1))
    assert found == [(1, 2), (10, 11), (20, 22)]
    file.close()


def test_the_second_writer_is_refused_and_a_reader_is_not(tmp_path: Path) -> None:
    first = open_file(tmp_path / "a.db")
    first.execute("CREATE TABLE t (a INTEGER)")
    with pytest.raises(ConflictError) as refused:
        open_file(tmp_path / "a.db")
    assert refused.value.code == "second_writer"
    reader = open_reader(tmp_path / "a.db")
    assert reader.execute("SELECT * FROM t") == []
    reader.close()
    first.close()


def test_what_is_no_database_and_what_is_not_there_are_told(tmp_path: Path) -> None:
    (tmp_path / "a.db").write_bytes(b"x" * 4096)
    with pytest.raises(UnavailableError) as damaged:
        open_file(tmp_path / "a.db")
    assert damaged.value.code == "file_damaged"
    with pytest.raises(UnavailableError) as missing:
        open_reader(tmp_path / "b.db")
    assert missing.value.code == "index_missing"
