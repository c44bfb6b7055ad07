"""The real file layer keeps what the power-cut layer pretends: what is called durable has been synced, and says so."""

from __future__ import annotations

import ctypes
import errno
import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from safecity.backends.sqlitefile import open_file
from safecity.media.record import files as module
from safecity.media.record.files import BLOCK, SystemFiles


def identity(descriptor: int) -> tuple[int, int]:
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int, int]]:
    """(how, device, inode) of everything that was synced, in order; renames and links stand between."""
    log: list[tuple[str, int, int]] = []

    def spy(name: str, real: Callable[[int], None]) -> Callable[[int], None]:
        def call(descriptor: int) -> None:
            kind = "folder" if stat.S_ISDIR(os.fstat(descriptor).st_mode) else name
            log.append((kind, *identity(descriptor)))
            real(descriptor)

        return call

    monkeypatch.setattr(os, "fsync", spy("fsync", os.fsync))
    monkeypatch.setattr(os, "fdatasync", spy("fdatasync", os.fdatasync))
    return log


def test_a_file_is_synced_itself(tmp_path: Path, synced: list[tuple[str, int, int]]) -> None:
    files = SystemFiles()
    file = files.open(tmp_path / "one", write=True, create=True)
    file.write(memoryview(bytes(BLOCK)), 0)
    assert synced == []
    file.sync()
    status = (tmp_path / "one").stat()
    assert synced == [("fdatasync", status.st_dev, status.st_ino)]
    file.close()


def test_a_folder_is_synced_itself(tmp_path: Path, synced: list[tuple[str, int, int]]) -> None:
    SystemFiles().sync_folder(tmp_path)
    status = tmp_path.stat()
    assert synced == [("folder", status.st_dev, status.st_ino)]


@pytest.mark.parametrize("replace", [True, False])
def test_a_text_is_durable_before_its_name_and_its_name_before_the_return(
    tmp_path: Path, synced: list[tuple[str, int, int]], replace: bool
) -> None:
    SystemFiles().write_text(tmp_path / "identity", "who I am\n", replace=replace)
    status, folder = (tmp_path / "identity").stat(), tmp_path.stat()
    assert synced == [("fsync", status.st_dev, status.st_ino), ("folder", folder.st_dev, folder.st_ino)]
    assert [path.name for path in tmp_path.iterdir()] == ["identity"]


def test_a_whole_volume_is_synced_by_one_call_and_its_error_is_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Kernel:
        broken = False

        def __init__(self) -> None:
            self.asked: list[tuple[int, int]] = []

        def syncfs(self, descriptor: ctypes.c_int) -> int:
            self.asked.append(identity(descriptor.value))
            ctypes.set_errno(errno.EIO if self.broken else 0)
            return -1 if self.broken else 0

    kernel = Kernel()
    monkeypatch.setattr(module, "_libc", kernel)
    SystemFiles().sync_volume(tmp_path)
    assert kernel.asked == [(tmp_path.stat().st_dev, tmp_path.stat().st_ino)]
    kernel.broken = True
    with pytest.raises(OSError, match="syncfs") as caught:
        SystemFiles().sync_volume(tmp_path)
    assert caught.value.errno == errno.EIO


def test_what_was_punched_reads_as_nothing_and_can_be_filled_again(tmp_path: Path) -> None:
    files = SystemFiles()
    file = files.open(tmp_path / "one", write=True, create=True)
    file.allocate(8 * BLOCK)
    assert not file.has_holes()
    file.write(memoryview(b"x" * 8 * BLOCK), 0)
    try:
        file.punch(2 * BLOCK, 3 * BLOCK)
    except OSError as error:
        pytest.skip(f"this file system punches no holes: {error}")
    assert file.has_holes()
    assert file.read(8 * BLOCK, 0) == b"x" * 2 * BLOCK + bytes(3 * BLOCK) + b"x" * 3 * BLOCK
    file.allocate(8 * BLOCK)
    assert not file.has_holes()
    file.close()


def test_the_index_commits_synchronously(tmp_path: Path) -> None:
    """NORMAL would lose the last commits at a power cut: footage that a row had promised would be without a row."""
    sql = open_file(tmp_path / "index.db")
    assert sql.execute("PRAGMA synchronous") == [(2,)]
    assert sql.execute("PRAGMA journal_mode") == [("wal",)]
    sql.close()
