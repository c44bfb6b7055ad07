"""The ten points of the recording contract (docs/design/0003-recording-store.md): each test bears its number.

Points 1 to 3 and 5 under a power cut are in test_record_power_cut.py; the loss after kill -9 in a real process is
measured by benchmarks/crash.py and smoke-tested in test_record_kill.py.
"""

from __future__ import annotations

import os
import sqlite3
from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCutFiles

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import ConflictError, NotFoundError, UnavailableError
from safecity.media.record.chain import load_signer
from safecity.media.record.check import check_shelf
from safecity.media.record.facts import FootageDamaged, GapClosed, GapOpened, VolumeChanged
from safecity.media.record.recover import recover_shelf
from safecity.model.facts.media_calls import RecordPolicy

SECOND = 1_000_000


def test_point_1_media_is_durable_before_the_row_that_speaks_of_it(make_world: Any) -> None:
    """The order of operations itself: between the last write and the commit lies a sync."""
    files = PowerCutFiles()
    world = make_world(files)
    world.add_camera()
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
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        (shelf / name).unlink(missing_ok=True)

    report = recover_shelf(shelf, open_file, now_us=world.clock.now_us())
    assert report.orphans == report.damaged == 0
    assert bool(report.by_table) is trailer
    assert {key: world.pictures(key) for key in keys} == before
    for key in keys:
        again = world.archive.timeline(key.channel, 0, 1 << 60).pieces
        assert [(one.start, one.end) for one in again] == [(one.start, one.end) for one in timelines[key]]
    if trailer:
        assert check_shelf(shelf, open_reader).findings == []
    world.start()


def test_point_4_what_media_cannot_tell_is_carried_over_from_the_old_index(world: Any) -> None:
    key = world.add_camera()
    world.pass_time(5)
    world.recorder.place_hold("h1", key.channel, 1, 2 * SECOND, "case 7")
    world.recorder.turn()
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    report = recover_shelf(shelf, open_file, now_us=5)
    assert (shelf / report.old_index).exists()
    with sqlite3.connect(shelf / "index.db") as sql:
        assert sql.execute("SELECT id, reason FROM hold").fetchall() == [("h1", "case 7")]
    sql.close()
    world.start()


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


def test_point_5_reconciling_never_deletes_what_is_only_missing_somewhere(world: Any) -> None:
    key = world.add_camera(size=4000)
    world.pass_time(60)
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    extents = sorted(shelf.glob("*.sce"))
    assert len(extents) > 3
    away = world.folder / extents[0].name
    extents[0].rename(away)
    rows = sqlite3.connect(shelf / "index.db")
    before = rows.execute("SELECT sum(bytes) FROM minute").fetchone()
    rows.close()

    world.start()
    rows = sqlite3.connect(shelf / "index.db")
    assert rows.execute("SELECT sum(bytes) FROM minute").fetchone() == before
    assert rows.execute("SELECT count(*) FROM deletion").fetchone() == (0,)
    rows.close()
    assert any(one.code == "extent_missing" for one in world.check().findings)
    away.rename(extents[0])
    assert world.archive.read_chunk(world.archive.chunks(key.channel, 0, 1 << 60)[0])


def test_point_5_a_crash_between_the_two_phases_of_a_deletion_is_finished_later(make_world: Any) -> None:
    world = make_world(layout="channel", max_bytes=0)
    key = world.add_camera(size=4000, policy=RecordPolicy(retention_days=1))
    world.pass_time(40)
    start = world.clock.now_us()
    janitor = world.recorder._places[0].janitor
    janitor._second_phase = lambda: None
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


def test_point_6_held_footage_survives_pressure_and_every_deletion_has_a_reason(make_world: Any) -> None:
    world = make_world(layout="shared", extent_bytes=256 << 10, max_bytes=2 << 20)
    held, other = world.add_camera(1, size=1000), world.add_camera(2, size=1000)
    begin = world.clock.now_us()
    world.pass_time(10)
    world.recorder.place_hold("case", held.channel, begin + 2 * SECOND, begin + 8 * SECOND)
    world.pass_time(120)

    archive = world.archive
    kept = archive.chunks(held.channel, begin + 2 * SECOND, begin + 8 * SECOND)
    assert kept[0].start <= begin + 2 * SECOND
    assert kept[-1].end >= begin + 8 * SECOND - 1000
    assert all(archive.units(ref) for ref in kept)
    assert any(piece.held for piece in archive.timeline(held.channel, begin, world.clock.now_us()).pieces)
    assert archive.chunks(other.channel, begin, begin + 8 * SECOND) == []
    rows = sqlite3.connect(world.folder / "one" / "shelf-0" / "index.db")
    reasons = {row[0] for row in rows.execute("SELECT DISTINCT reason FROM deletion")}
    rows.close()
    assert reasons <= {"pressure", "pressure_floor"}
    assert reasons
    assert world.check().good


def test_point_6_when_only_held_footage_remains_the_volume_stops_and_the_sibling_takes_over(make_world: Any) -> None:
    world = make_world(layout="shared", extent_bytes=256 << 10, max_bytes=1 << 20)
    world.names.append("two")
    world.recorder.close()
    world.start()
    key = world.add_camera(1, size=1000)
    world.recorder.place_hold("all", key.channel, 0, 1 << 60)
    begin = world.clock.now_us()
    world.pass_time(50)
    states = {fact.name: fact.state for fact in world.facts if isinstance(fact, VolumeChanged)}
    assert "full" in states.values()
    timeline = world.archive.timeline(key.channel, begin, world.clock.now_us())
    assert timeline.gaps == ()
    numbers = world.pictures(key)
    assert numbers == list(range(len(numbers)))
    assert len({ref.shelf for ref in world.archive.chunks(key.channel, 0, 1 << 60)}) == 2


def test_point_6_erasing_what_is_held_is_refused_and_the_rest_is_gone_for_good(make_world: Any) -> None:
    world = make_world(layout="channel")
    key = world.add_camera(size=500)
    begin = world.clock.now_us()
    world.pass_time(30)
    world.recorder.place_hold("h", key.channel, begin + 20 * SECOND, begin + 25 * SECOND)
    world.recorder.turn()
    refused = world.recorder.erase(key.channel, begin, begin + 21 * SECOND, "order 1")
    done = world.recorder.erase(key.channel, begin + 5 * SECOND, begin + 10 * SECOND, "order 2")
    gone = world.archive.chunks(key.channel, begin + 5 * SECOND, begin + 10 * SECOND)
    world.recorder.turn()
    with pytest.raises(ConflictError):
        refused.result(0)
    assert done.result(0) > 0
    assert [gap.cause for gap in world.archive.timeline(key.channel, begin, begin + 30 * SECOND).gaps] == ["deleted"]
    with pytest.raises((NotFoundError, UnavailableError)):
        world.archive.read_chunk(gone[2])
    world.pass_time(5)
    world.recorder.close()
    for path in (world.folder / "one" / "shelf-0").glob("index.db*"):
        path.unlink()
    recover_shelf(world.folder / "one" / "shelf-0", open_file, now_us=0)
    inside = world.archive.chunks(key.channel, begin + 6 * SECOND, begin + 9 * SECOND)
    assert inside == []  # not even the media knows it any more
    world.start()


@pytest.mark.parametrize(("layout", "cameras"), [("channel", 12), ("shared", 12)])
def test_point_7_one_sync_and_one_commit_serve_all_cameras(make_world: Any, layout: str, cameras: int) -> None:
    files = PowerCutFiles()
    world = make_world(files, layout=layout, extent_bytes=4 << 20, max_bytes=0)
    for seed in range(cameras):
        world.add_camera(seed + 1, size=200)
    world.pass_time(3)
    index = world.recorder._places[0].shelf.index
    commits = []
    commit = index.commit
    index.commit = lambda: commits.append(commit())
    files.log.clear()
    world.pass_time(9.5)
    syncs = [one for one in files.log if one.startswith("sync")]
    assert len(syncs) <= 10
    assert len(commits) <= 10


def test_point_8_a_failed_sync_takes_the_volume_out_at_once_and_nothing_is_lost(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files)
    world.names.append("two")
    world.recorder.close()
    world.start()
    keys = [world.add_camera(seed + 1) for seed in range(2)]
    world.pass_time(5)
    bad = world.recorder._lines[keys[0]].place.spec.name
    shelf = next(one for one in world.recorder._places if one.spec.name == bad).shelf
    for extent in shelf.open_extents.values():
        extent.file.sync = failing
    world.pass_time(5)
    figures = {one.name: one for one in world.recorder.figures()}
    assert figures[bad].state == "failed"
    assert figures[bad].code == "volume_write_failed"
    for key in keys:
        numbers = world.pictures(key)
        assert sorted(set(numbers)) == list(range(numbers[-1] + 1))
        assert world.archive.timeline(key.channel, 0, world.clock.now_us()).gaps == ()
    world.clock.advance(60)
    world.recorder.turn()
    assert {one.name: one.state for one in world.recorder.figures()}[bad] == "failed"  # not tried again


def failing() -> None:
    raise OSError(5, os.strerror(5))


def test_point_9_a_changed_byte_and_a_forged_history_are_both_found(tmp_path: Path, make_world: Any) -> None:
    signer = load_signer(tmp_path / "checkpoints.key")
    assert load_signer(tmp_path / "checkpoints.key").public == signer.public
    assert (tmp_path / "checkpoints.key").stat().st_mode & 0o777 == 0o600
    world = make_world()
    world.recorder._places[0].shelf.signer = signer
    world.add_camera(size=500)
    world.pass_time(70)
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    keys = {signer.key_id: signer.public}
    report = check_shelf(shelf, open_reader, keys=keys)
    assert report.findings == []
    assert report.checkpoints >= 1
    assert report.chains == 1

    extent = next(shelf.glob("*.sce"))
    original = extent.read_bytes()
    content = bytearray(original)
    content[content.index(b"SCCH", 8192) + 300] ^= 1
    extent.write_bytes(content)
    codes = {one.code for one in check_shelf(shelf, open_reader, keys=keys).findings}
    assert "chunk_damaged" in codes
    assert extent.read_bytes() == content  # an alarm, never a repair
    extent.write_bytes(original)

    rows = sqlite3.connect(shelf / "index.db")
    rows.execute("UPDATE checkpoint SET head = ?", (bytes(32),))
    rows.execute("UPDATE digest SET digest = ?", (bytes(32),))
    rows.commit()
    rows.close()
    codes = {one.code for one in check_shelf(shelf, open_reader, keys=keys).findings}
    assert codes == {"checkpoint_wrong", "digest_wrong"}
    world.start()


def test_point_9_scrubbing_notices_in_passing_what_the_disk_forgot(make_world: Any) -> None:
    world = make_world(extent_bytes=256 << 10)
    world.add_camera(size=1000)
    world.pass_time(40)
    shelf = world.folder / "one" / "shelf-0"
    rows = sqlite3.connect(shelf / "index.db")
    (name,) = rows.execute("SELECT name FROM extent WHERE state = 2 ORDER BY no LIMIT 1").fetchone()
    rows.close()
    content = bytearray((shelf / name).read_bytes())
    content[content.index(b"SCCH", 8192) + 300] ^= 1
    with (shelf / name).open("r+b") as file:
        file.write(content)
    world.facts.clear()
    world.pass_time(90)
    damaged = [fact for fact in world.facts if isinstance(fact, FootageDamaged)]
    assert damaged
    assert {fact.extent for fact in damaged} == {name}
    assert (shelf / name).read_bytes() == content


def test_point_10_a_gap_is_a_fact_with_its_cause_also_across_a_restart(world: Any) -> None:
    key = world.add_camera()
    begin = world.clock.now_us()
    world.pass_time(10)
    world.pass_time(10, silent=frozenset({key}))
    opened = [fact for fact in world.facts if isinstance(fact, GapOpened)]
    assert [fact.cause for fact in opened] == ["network"]
    world.pass_time(10)
    world.cameras[key][1].ended("bye")
    world.pass_time(8, silent=frozenset({key}))
    world.pass_time(6)
    world.recorder.close()
    world.clock.advance(30)
    world.reopen()
    world.pass_time(6)
    world.die()
    world.clock.advance(30)
    world.reopen()
    world.pass_time(6)

    gaps = world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps
    assert [gap.cause for gap in gaps] == ["network", "camera", "maintenance", "unknown"]
    assert all(7 * SECOND < gap.end - gap.start < 35 * SECOND for gap in gaps)
    assert len([fact for fact in world.facts if isinstance(fact, GapClosed)]) >= 4
