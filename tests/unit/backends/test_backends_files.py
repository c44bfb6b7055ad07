"""Blobs as files: durable before they are seen, one writer, nothing left of a killed one, no way out of the folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from safecity.backends import files
from safecity.backends.files import FileBlobs, open_blobs
from safecity.kit.errors import ConflictError, NotFoundError, UnavailableError
from safecity.ports.blobs import only


@pytest.fixture
async def blobs(tmp_path: Path) -> AsyncIterator[FileBlobs]:
    made = open_blobs(tmp_path / "blobs")
    yield made
    await made.close()


async def test_the_bytes_are_synced_before_the_name_and_then_every_new_folder(
    blobs: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    sync, rename = os.fsync, Path.rename

    def synced(descriptor: int) -> None:
        path = Path(os.readlink(f"/proc/self/fd/{descriptor}")).relative_to(tmp_path)
        told.append("bytes" if ".new" in path.parts else f"folder {path}")
        sync(descriptor)

    def renamed(self: Path, target: Path) -> Any:
        told.append("name")
        return rename(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "rename", renamed)
    await blobs.put("alarms/2026/one.mp4", only(b"x"))
    assert told[:2] == ["bytes", "name"]
    assert sorted(told[2:]) == ["folder blobs", "folder blobs/alarms", "folder blobs/alarms/2026"]
    told.clear()
    (tmp_path / "two").write_bytes(b"y")
    await blobs.adopt("alarms/2026/two.mp4", tmp_path / "two")
    assert told == ["bytes", "name", "folder blobs/alarms/2026"]


async def test_a_second_writer_is_refused_at_the_door(blobs: FileBlobs, tmp_path: Path) -> None:
    with pytest.raises(ConflictError) as refused:
        open_blobs(tmp_path / "blobs")
    assert refused.value.code == "second_writer"


async def test_what_a_killed_process_left_half_written_is_swept_away(tmp_path: Path) -> None:
    (tmp_path / "blobs" / ".new").mkdir(parents=True)
    (tmp_path / "blobs" / ".new" / "bl_half").write_bytes(b"half")
    await open_blobs(tmp_path / "blobs").close()
    assert list((tmp_path / "blobs" / ".new").iterdir()) == []


async def test_a_link_somebody_laid_leads_nowhere(blobs: FileBlobs, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    (tmp_path / "blobs" / "link").symlink_to(tmp_path / "secret")
    assert [key async for key in blobs.keys("")] == []
    with pytest.raises(UnavailableError):
        async for _ in blobs.read("link"):
            pass


async def test_a_file_of_another_file_system_is_copied(
    blobs: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def elsewhere(*_: Any, **__: Any) -> None:
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", elsewhere)
    (tmp_path / "made").write_bytes(b"made")
    assert (await blobs.adopt("made", tmp_path / "made")).size == 4
    assert not (tmp_path / "made").exists()


async def test_a_file_that_is_not_there_cannot_be_given(blobs: FileBlobs, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError):
        await blobs.adopt("made", tmp_path / "never")


async def test_the_last_of_the_disk_is_left_to_the_databases(
    blobs: FileBlobs, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(files, "RESERVE_BYTES", shutil.disk_usage(tmp_path).total * 2)
    with pytest.raises(UnavailableError) as refused:
        await blobs.put("a", only(b"x"))
    assert refused.value.code == "blobs_unavailable"
    assert [key async for key in blobs.keys("")] == []


async def test_a_key_below_another_key_is_refused(blobs: FileBlobs) -> None:
    await blobs.put("a", only(b"x"))
    with pytest.raises(ConflictError):
        await blobs.put("a/b", only(b"x"))
