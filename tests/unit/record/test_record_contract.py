"""The recording contract (docs/design/0003-recording-store.md), points 1 to 5: each test bears its number.

Points 6 to 10 are in test_record_promises.py, more of 1, 3 and 5 in test_record_durable.py and test_record_files.py,
points 1 to 3 and 5 under a power cut in test_record_power_cut.py; the loss after kill -9 in a real process is measured
by benchmarks/crash.py and smoke-tested in test_record_kill.py.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCutFiles

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import ConflictError, UnavailableError
from safecity.media.record.chain import load_signer
from safecity.media.record.check import check_shelf
from safecity.media.record.recover import recover_shelf
from safecity.model.facts.media_calls import RecordPolicy

SECOND = 1_000_000


@pytest.mark.parametrize("cameras", [1, 12])
def test_point_1_media_is_durable_before_the_row_that_speaks_of_it(make_world: Any, cameras: int) -> None:
    """The order of operations itself: between the last write and the commit lies a sync, of each file or of all."""
    files = PowerCutFiles()
    world = make_world(files)
    for seed in range(cameras):
        world.add_camera(seed + 1, size=300)
    world.pass_time(3)
    index = world.recorder._places[0].shelf.index
    commit, seen = index.commit, []

    def spy() -> None:
        seen.append(any(inode.waiting for path, inode in files.entries.items() if path.suffix == ".sce"))
        commit()

    index.commit = spy
    world.pass_time(3)
    assert seen
    assert not any(seen)


def test_point_2_at_most_two_seconds_wait_in_memory(world: Any) -> None:
    key = world.add_camera()
    world.pass_time(1)
    for _ in range(40):
        world.pass_time(0.52)
        last = world.archive.chunks(key.channel, 0, 1 << 60)[-1:]
        if last:
            assert world.clock.now_us() - last[0].end <= 2 * SECOND


def test_point_3_a_torn_tail_is_cut_to_the_last_whole_chunk_and_kept(world: Any) -> None:
    key = world.add_camera(size=500)
    world.pass_time(10)
    commit = world.recorder._places[0].shelf.index.commit
    world.recorder._places[0].shelf.index.commit = lambda: None  # the index of the last seconds never comes
    world.pass_time(3)
    world.recorder._places[0].shelf.index.commit = commit
    world.die()
    extent = next((world.folder / "one" / "shelf-0").glob("*.sce"))
    content = bytearray(extent.read_bytes())
    last = content.rindex(b"SCCH")
    content[last + 400] ^= 1
    extent.write_bytes(content)

    world.start()
    adopted = world.recorder._places[0].revived.adopted_chunks
    assert adopted == 2  # of three, the last one was torn
    numbers = world.pictures(key)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) >= 11 * 25
    assert world.check().good


@pytest.mark.parametrize("layout", ["channel", "shared"])
@pytest.mark.parametrize("trailer", [True, False])
def test_point_4_the_index_is_rebuilt_from_media_alone(make_world: Any, layout: str, trailer: bool) -> None:
    world = make_world(layout=layout, extent_bytes=256 << 10)
    keys = [world.add_camera(1, size=600, sound=True), world.add_camera(2, size=400)]
    world.pass_time(100)
    world.recorder.place_hold("h1", keys[0].channel, 0, 1 << 60)
    world.recorder.turn()
    before = {key: world.pictures(key) for key in keys}
    timelines = {key: world.archive.timeline(key.channel, 0, 1 << 60).pieces for key in keys}
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    if not trailer:
        for extent in shelf.glob("*.sce"):
            content = bytearray(extent.read_bytes())
            content[64:4096] = bytes(4032)
            content[40:64] = bytes(24)  # block 0 is gone: neither generation nor trailer can be read there
            extent.write_bytes(content)
    rows = sqlite3.connect(shelf / "index.db")
    whole = "SELECT c.id, d.minute, d.digest FROM digest d JOIN channel c ON c.no = d.channel_no ORDER BY 1, 2"
    digests = rows.execute(whole).fetchall()
    rows.close()
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        (shelf / name).unlink(missing_ok=True)

    report = recover_shelf(shelf, open_file, now_us=world.clock.now_us())
    assert report.orphans == report.damaged == 0
    assert bool(report.by_table) is trailer
    assert {key: world.pictures(key) for key in keys} == before
    for key in keys:
        again = world.archive.timeline(key.channel, 0, 1 << 60).pieces
        assert [(one.start, one.end) for one in again] == [(one.start, one.end) for one in timelines[key]]
    rows = sqlite3.connect(shelf / "index.db")
    assert rows.execute(whole).fetchall() == digests
    rows.close()
    if trailer:
        assert check_shelf(shelf, open_reader).findings == []
    world.start()


def test_point_4_what_media_cannot_tell_is_carried_over_from_the_old_index(tmp_path: Path, world: Any) -> None:
    """Holds, gaps with their causes, what was deleted and why, checkpoints: of this channel, whatever its number is."""
    world.recorder._places[0].shelf.signer = load_signer(tmp_path / "checkpoints.key")
    begin = world.clock.now_us()
    gone, key = world.add_camera(1), world.add_camera(2)
    world.pass_time(10)
    world.pass_time(10, silent=frozenset({key}))
    world.pass_time(10)
    world.recorder.place_hold("h1", key.channel, begin + 22 * SECOND, begin + 24 * SECOND, "case 7")
    for one, seconds in ((gone, 40), (key, 4)):
        world.recorder.erase(one.channel, begin, begin + seconds * SECOND, "order 9")
    world.recorder.turn()
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    before = world.archive.timeline(key.channel, begin, begin + 30 * SECOND)
    assert [gap.cause for gap in before.gaps] == ["deleted", "network"]
    points = (
        "SELECT c.id, p.run, p.head, p.signature FROM checkpoint p JOIN channel c ON c.no = p.channel_no ORDER BY 1"
    )
    sql = sqlite3.connect(shelf / "index.db")
    signed = sql.execute(points).fetchall()
    sql.close()
    assert len(signed) == 2
    report = recover_shelf(shelf, open_file, now_us=5)
    assert (shelf / report.old_index).exists()
    after = world.archive.timeline(key.channel, begin, begin + 30 * SECOND)
    assert after.gaps == before.gaps
    assert [(one.held, one.end - one.start) for one in after.pieces] == [
        (one.held, one.end - one.start) for one in before.pieces
    ]
    assert {one.held for one in after.pieces} == {True, False}
    sql = sqlite3.connect(shelf / "index.db")
    assert sql.execute("SELECT id, reason FROM hold").fetchall() == [("h1", "case 7")]
    assert sql.execute(points).fetchall() == signed
    sql.close()
    world.start()


def test_point_4_an_index_is_not_rebuilt_under_the_feet_of_its_writer(world: Any) -> None:
    key = world.add_camera()
    world.pass_time(5)
    with pytest.raises(ConflictError):
        recover_shelf(world.folder / "one" / "shelf-0", open_file, now_us=5)
    world.pass_time(5)
    numbers = world.pictures(key)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 8 * 25
    assert world.check().good


def test_point_4_each_extent_explains_itself(world: Any) -> None:
    """Whichever extents are lost with the index, the others can still be played."""
    key = world.add_camera(size=4000)
    world.pass_time(60)
    before = len(world.pictures(key))
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    extents = sorted(shelf.glob("*.sce"), key=lambda path: path.stat().st_mtime)
    extents[0].unlink()
    for path in shelf.glob("index.db*"):
        path.unlink()
    report = recover_shelf(shelf, open_file, now_us=5)
    assert report.orphans == 0
    assert len(world.pictures(key)) > before * (len(extents) - 1.5) / len(extents)
    world.start()


def test_point_5_a_recycled_extent_never_gives_back_what_was_deleted(world: Any) -> None:
    """The rename out of the pool may be durable when the new head is not."""
    world.add_camera(size=4000, policy=RecordPolicy(retention_days=1))
    world.pass_time(40)
    world.clock.advance(86_400 * 2)
    world.pass_time(2)
    world.recorder.close()
    shelf, free = world.folder / "one" / "shelf-0", world.folder / "one" / "free"
    recycled = sorted(free.glob("*.sce"))
    assert recycled
    deleted = world.archive.timeline(next(iter(world.cameras)).channel, 0, 1 << 60).pieces
    for path in recycled:
        path.rename(shelf / path.name)
    for path in shelf.glob("index.db*"):
        path.unlink()
    recover_shelf(shelf, open_file, now_us=5)
    assert world.archive.timeline(next(iter(world.cameras)).channel, 0, 1 << 60).pieces == deleted
    world.start()


@pytest.mark.parametrize("damage", ["lost", "garbage"])
def test_point_4_a_lost_index_does_not_keep_a_slot_from_recording(world: Any, damage: str) -> None:
    key = world.add_camera()
    world.pass_time(20)
    world.recorder.close()
    for path in (world.folder / "one" / "shelf-0").glob("index.db*"):
        path.unlink()
    if damage == "garbage":
        (world.folder / "one" / "shelf-0" / "index.db").write_bytes(b"no database" * 1000)
    world.reopen()
    world.pass_time(5)
    numbers = world.pictures(key)
    assert numbers[: 20 * 25] == list(range(20 * 25))
    assert len(numbers) > 23 * 25


def test_point_5_a_volume_without_identity_is_offline_and_nothing_is_touched(world: Any) -> None:
    world.add_camera()
    world.pass_time(5)
    world.recorder.close()
    volume = world.folder / "one"
    moved = world.folder / "unmounted"
    volume.rename(moved)
    volume.mkdir()  # the bare mount point

    world.start()
    (figure,) = world.recorder.figures()
    assert (figure.state, figure.code) == ("offline", "volume_offline")
    assert list(volume.iterdir()) == []
    with pytest.raises(UnavailableError):
        recover_shelf(volume / "shelf-0", open_file, now_us=0)

    volume.rmdir()
    moved.rename(volume)
    world.clock.advance(11)
    world.recorder.turn()
    assert world.recorder.figures()[0].state == "ready"


def test_point_5_another_disk_under_the_same_name_is_refused(world: Any) -> None:
    world.recorder.close()
    identity = world.folder / "one" / "safecity-volume.json"
    identity.write_text(identity.read_text().replace(identity.read_text()[23:27], "ffff", 1))
    world.start()
    assert world.recorder.figures()[0].code == "volume_foreign"


@pytest.mark.parametrize("state", [1, 2])
def test_point_5_reconciling_never_deletes_what_is_only_missing_somewhere(world: Any, state: int) -> None:
    """Neither for an extent that was under way (1) nor for a finished one (2)."""
    key = world.add_camera(size=4000)
    world.pass_time(60)
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    rows = sqlite3.connect(shelf / "index.db")
    number, name = rows.execute("SELECT no, name FROM extent WHERE state = ? ORDER BY no", (state,)).fetchone()
    missing, away = shelf / name, world.folder / name
    missing.rename(away)
    before = rows.execute("SELECT sum(bytes) FROM minute").fetchone()
    rows.close()

    world.start()
    rows = sqlite3.connect(shelf / "index.db")
    assert rows.execute("SELECT sum(bytes) FROM minute").fetchone() == before
    assert rows.execute("SELECT count(*) FROM deletion").fetchone() == (0,)
    rows.close()
    assert [one.extent for one in world.check().findings if one.code == "extent_missing"] == [name]
    away.rename(missing)
    archive = world.archive
    refs = [ref for ref in archive.chunks(key.channel, 0, 1 << 60) if ref.extent == number]
    assert refs
    assert all(archive.units(ref) for ref in refs)


def test_point_5_a_crash_between_the_two_phases_of_a_deletion_is_finished_later(make_world: Any) -> None:
    world = make_world(layout="channel", max_bytes=0)
    key = world.add_camera(size=4000, policy=RecordPolicy(retention_days=1))
    world.pass_time(40)
    start = world.clock.now_us()
    janitor = world.recorder._places[0].janitor
    janitor._free_extents = lambda: None
    world.clock.advance(86_400 * 1.5)
    world.pass_time(2)
    world.die()
    shelf = world.folder / "one" / "shelf-0"
    kept = len(list(shelf.glob("*.sce")))
    world.start()
    assert len(list(shelf.glob("*.sce"))) < kept
    assert list((world.folder / "one" / "free").glob("*.sce"))
    gaps = world.archive.timeline(key.channel, start - 30 * SECOND, start).gaps
    assert [gap.cause for gap in gaps][:1] == ["deleted"]
    assert world.check().good
