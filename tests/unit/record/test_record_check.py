"""`safecity check`: each kind of disagreement between index and media is found, and nothing is mended."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from safecity.backends.sqlitefile import open_reader
from safecity.media.record.check import check_shelf
from safecity.media.record.rows import pack, unpack


@pytest.fixture
def shelf(world: Any) -> Path:
    """A minute and a half of footage, closed cleanly."""
    world.settings["extent_bytes"] = 256 << 10
    world.recorder.close()
    world.start()
    world.add_camera(size=500)
    world.pass_time(90)
    world.recorder.close()
    found: Path = world.folder / "one" / "shelf-0"
    assert check_shelf(found, open_reader).findings == []
    return found


def change(shelf: Path, *statements: tuple[str, tuple[Any, ...]]) -> None:
    index = sqlite3.connect(shelf / "index.db")
    for sql, values in statements:
        index.execute(sql, values)
    index.commit()
    index.close()


def packs(shelf: Path) -> list[tuple[int, int, bytes]]:
    index = sqlite3.connect(shelf / "index.db")
    found = index.execute("SELECT channel_no, minute, chunks FROM pack ORDER BY minute").fetchall()
    index.close()
    return found


def codes(shelf: Path) -> set[str]:
    return {one.code for one in check_shelf(shelf, open_reader).findings}


def test_footage_without_a_row(shelf: Path, world: Any) -> None:
    number, minute, chunks = packs(shelf)[0]
    entries = list(unpack(bytes(chunks), minute))
    update = "UPDATE pack SET chunks = ? WHERE channel_no = ? AND minute = ?"
    change(shelf, (update, (pack(entries[:3] + entries[4:], minute), number, minute)))
    assert codes(shelf) == {"chunk_unindexed"}
    world.start()


def test_a_row_without_footage(shelf: Path, world: Any) -> None:
    number, minute, chunks = packs(shelf)[0]
    entries = list(unpack(bytes(chunks), minute))
    entries[3] = entries[3]._replace(payload=entries[3].payload + 64)
    update = "UPDATE pack SET chunks = ? WHERE channel_no = ? AND minute = ?"
    change(shelf, (update, (pack(entries, minute), number, minute)))
    assert "chunk_missing" in codes(shelf)
    world.start()


def test_a_row_that_speaks_of_another_channels_footage(shelf: Path, world: Any) -> None:
    change(shelf, ("UPDATE channel SET id = ?", (b"another channel!",)))
    assert "chunk_missing" in codes(shelf)
    world.start()


def test_a_file_nobody_knows(shelf: Path, world: Any) -> None:
    one = next(shelf.glob("*.sce"))
    shutil.copy(one, one.with_name("00000000deadbeef.sce"))
    (finding,) = check_shelf(shelf, open_reader).findings
    assert (finding.code, finding.extent) == ("extent_unknown", "00000000deadbeef.sce")
    one.with_name("00000000deadbeef.sce").unlink()
    world.start()


def test_another_volumes_shelf(shelf: Path, world: Any) -> None:
    identity = shelf.parent / "safecity-volume.json"
    text = identity.read_text()
    identity.unlink()
    assert codes(shelf) == {"volume_foreign"}
    identity.write_text(text)
    world.start()


def test_a_quick_check_reads_no_payload_and_still_misses_no_row(shelf: Path, world: Any) -> None:
    number, minute, chunks = packs(shelf)[0]
    entries = list(unpack(bytes(chunks), minute))
    entries[3] = entries[3]._replace(offset=entries[3].offset + 64)
    update = "UPDATE pack SET chunks = ? WHERE channel_no = ? AND minute = ?"
    change(shelf, (update, (pack(entries, minute), number, minute)))
    report = check_shelf(shelf, open_reader, deep=False)
    assert {one.code for one in report.findings} == {"chunk_missing"}
    assert report.chains == 0
    world.start()
