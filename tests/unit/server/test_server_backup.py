"""A backup is whole or not there, taken under the hands of writers, and put back byte for byte."""

from __future__ import annotations

import io
import json
import sqlite3
import tarfile
import threading
from hashlib import sha256
from pathlib import Path

import pytest

from safecity.backends.sqlitecopy import copy_sqlite, look_into
from safecity.backends.sqlitefile import open_file
from safecity.kit.errors import ConflictError, InvalidError, UnavailableError
from safecity.server.backup import MANIFEST, back_up, put_back


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A small data folder with one database, a key and things that do not belong into a backup."""
    root = tmp_path / "data"
    for part in ("control/history", "secrets", "media", "run", "volumes/main"):
        (root / part).mkdir(parents=True)
    file = open_file(root / "control" / "control.db")
    file.execute("CREATE TABLE cameras (name TEXT)")
    with file.transaction():
        file.execute("INSERT INTO cameras VALUES ('gate')")
    file.close()
    (root / "secrets" / "vault.key").write_bytes(b"k" * 32)
    (root / "roads").mkdir()
    (root / "roads" / "1a2b.roads").write_bytes(b"roads")
    (root / "safecity.toml").write_text("[http]\n", "utf-8")
    (root / "run" / "state.json").write_text("{}", "utf-8")
    (root / "volumes" / "main" / "big.sce").write_bytes(bytes(4096))
    return root


def names(path: Path) -> list[str]:
    sql = "SELECT name FROM cameras ORDER BY rowid"
    connection = sqlite3.connect(path)
    found = [row[0] for row in connection.execute(sql)]
    connection.close()
    return found


def test_what_was_backed_up_comes_back_and_the_footage_does_not(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    back_up(data, archive, copy_sqlite)
    assert archive.stat().st_mode & 0o777 == 0o600, "it holds keys"
    put_back(archive, tmp_path / "new")
    found = sorted(path.relative_to(tmp_path / "new").as_posix() for path in (tmp_path / "new").rglob("*.*"))
    assert found == ["control/control.db", "roads/1a2b.roads", "safecity.toml", "secrets/vault.key"]
    assert names(tmp_path / "new" / "control" / "control.db") == ["gate"]


def test_a_copy_is_of_one_moment_however_busy_the_writer_is(data: Path, tmp_path: Path) -> None:
    path = data / "control" / "control.db"
    file = open_file(path)
    for _ in range(20):  # more than one piece of the copy
        with file.transaction():
            file.executemany("INSERT INTO cameras VALUES (?)", [("x" * 4000,)] * 200)
    before = len(names(path))

    def write_more() -> None:
        with file.transaction():
            file.execute("INSERT INTO cameras VALUES ('late')")

    copy_sqlite(path, tmp_path / "copy.db", write_more)
    assert names(path)[-1] == "late"
    assert len(names(tmp_path / "copy.db")) == before
    assert look_into(tmp_path / "copy.db")["check"] == "ok"
    file.close()


def test_the_writer_never_waits_for_a_backup(data: Path, tmp_path: Path) -> None:
    path = data / "control" / "control.db"
    inside, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        inside.set()
        go_on.wait(30)

    copying = threading.Thread(target=copy_sqlite, args=(path, tmp_path / "copy.db", hold))
    copying.start()
    assert inside.wait(30)
    file = open_file(path)
    with file.transaction():
        file.execute("INSERT INTO cameras VALUES ('meanwhile')")
    assert names(path) == ["gate", "meanwhile"]
    go_on.set()
    copying.join()
    file.close()


def test_no_archive_is_overwritten_and_no_folder_that_is_in_use_is_filled(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    back_up(data, archive, copy_sqlite)
    with pytest.raises(ConflictError):
        back_up(data, archive, copy_sqlite)
    with pytest.raises(ConflictError):
        put_back(archive, data)
    with pytest.raises(InvalidError):
        back_up(tmp_path / "nothing", tmp_path / "c.tar.gz", copy_sqlite)
    assert not (tmp_path / "c.tar.gz").exists()


def test_a_damaged_database_is_said_and_leaves_no_archive(data: Path, tmp_path: Path) -> None:
    (data / "control" / "bus.db").write_bytes(b"SQLite format 3\0" + bytes(200))
    with pytest.raises(UnavailableError) as caught:
        back_up(data, tmp_path / "b.tar.gz", copy_sqlite)
    assert caught.value.params == {"file": "bus.db"}
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_a_cut_or_changed_archive_leaves_nothing_behind(data: Path, tmp_path: Path) -> None:
    archive = tmp_path / "b.tar.gz"
    back_up(data, archive, copy_sqlite)
    whole = archive.read_bytes()
    for bad in (whole[: len(whole) // 2], whole[:40] + b"?" + whole[41:], b"", b"no archive"):
        archive.write_bytes(bad)
        with pytest.raises(InvalidError):
            put_back(archive, tmp_path / "new")
        assert sorted(path.name for path in tmp_path.iterdir()) == ["b.tar.gz", "data"]


@pytest.mark.parametrize("name", ["../evil", "/etc/evil", "secrets/../../evil", "cron/evil"])
def test_a_forged_archive_writes_nowhere_else(tmp_path: Path, name: str) -> None:
    archive = tmp_path / "forged.tar.gz"
    manifest = json.dumps({"format": 1, "safecity": "x", "files": {name: sha256(b"x").hexdigest()}}).encode()
    with tarfile.open(archive, "w:gz") as tar:
        for member, content in ((MANIFEST, manifest), (name, b"x")):
            info = tarfile.TarInfo(member)
            info.size = len(content)
            tar.addfile(info, io.BytesIO(content))
    with pytest.raises(InvalidError):
        put_back(archive, tmp_path / "deep" / "new")
    assert not list(tmp_path.rglob("evil"))
