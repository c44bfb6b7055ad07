"""The recording contract (docs/design/0003-recording-store.md), points 6 to 10: each test bears its number."""

from __future__ import annotations

import sqlite3
import zlib
from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCutFiles

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import ConflictError, NotFoundError, UnavailableError
from safecity.media.record.chain import load_signer
from safecity.media.record.check import check_shelf
from safecity.media.record.chunk import HEADER_BYTES, pack_header, unpack_header
from safecity.media.record.facts import FootageDamaged, GapClosed, GapOpened, VolumeChanged
from safecity.media.record.recover import recover_shelf
from safecity.model.facts.media_calls import RecordPolicy

SECOND = 1_000_000


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


@pytest.mark.parametrize("cameras", [2, 24])
def test_point_8_a_failed_sync_takes_the_volume_out_at_once_and_nothing_is_lost(make_world: Any, cameras: int) -> None:
    """Of a few files each is synced by itself, of many all at once: either may fail."""
    files = PowerCutFiles()
    world = make_world(files)
    world.names.append("two")
    world.recorder.close()
    world.start()
    keys = [world.add_camera(seed + 1, size=300) for seed in range(cameras)]
    world.pass_time(5)
    bad = world.recorder._lines[keys[0]].place.spec.name
    files.failing_sync.add(world.folder / bad)
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

    for forged, change in (
        ("digest_wrong", "UPDATE digest SET digest = zeroblob(32)"),
        ("checkpoint_wrong", "UPDATE checkpoint SET head = zeroblob(32)"),
        ("checkpoint_wrong", "UPDATE checkpoint SET signature = zeroblob(64)"),
    ):
        before = (shelf / "index.db").read_bytes()
        rows = sqlite3.connect(shelf / "index.db")
        rows.execute(change)
        rows.commit()
        rows.close()
        codes = {one.code for one in check_shelf(shelf, open_reader, keys=keys).findings}
        assert codes == {forged}, change
        (shelf / "index.db").write_bytes(before)
    world.start()


def test_point_9_whoever_can_rewrite_a_volume_cannot_rewrite_history(tmp_path: Path, make_world: Any) -> None:
    """One chunk is exchanged with all its checksums right, then the index is built anew from what lies there: the
    chunk behind it still names another hash, and the signed checkpoint names another head."""
    signer = load_signer(tmp_path / "checkpoints.key")
    world = make_world()
    world.recorder._places[0].shelf.signer = signer
    world.add_camera(size=500)
    world.pass_time(20)
    world.recorder.close()
    shelf = world.folder / "one" / "shelf-0"
    (extent,) = shelf.glob("*.sce")
    content = bytearray(extent.read_bytes())
    at = content.index(b"SCCH", content.index(b"SCCH", 4096) + 1)  # the first one holds the init segment
    header = unpack_header(content, at)
    body = content[at + HEADER_BYTES : at + header.length]
    body[-1] ^= 1
    content[at : at + header.length] = pack_header(header._replace(crc=zlib.crc32(body))) + body
    extent.write_bytes(content)
    for path in shelf.glob("index.db-*"):
        path.unlink()
    recover_shelf(shelf, open_file, now_us=5)
    codes = {one.code for one in check_shelf(shelf, open_reader, keys={signer.key_id: signer.public}).findings}
    assert codes == {"chain_broken", "checkpoint_wrong"}
    world.start()


def test_point_9_each_camera_has_a_signed_checkpoint_an_hour(tmp_path: Path, world: Any) -> None:
    world.recorder._places[0].shelf.signer = load_signer(tmp_path / "checkpoints.key")
    keys = [world.add_camera(1, size=200), world.add_camera(2, size=200)]
    counts = []
    for away in (0, 3000, 500, 3700):
        world.clock.advance(away)
        world.pass_time(4)
        rows = sqlite3.connect(world.folder / "one" / "shelf-0" / "index.db")
        found = rows.execute("SELECT count(*) FROM checkpoint GROUP BY channel_no").fetchall()
        rows.close()
        assert len(found) == len(keys)
        counts.append({number for (number,) in found})
    assert counts == [{1}, {1}, {1}, {2}]


def test_point_9_the_digests_of_minutes_outlive_their_footage(make_world: Any) -> None:
    """So that what was exported or held proves itself after the rest has gone."""
    world = make_world(extent_bytes=128 << 10)
    key = world.add_camera(size=1000, policy=RecordPolicy(retention_days=1))
    begin = world.clock.now_us()
    world.pass_time(130)
    shelf = world.folder / "one" / "shelf-0"
    rows = sqlite3.connect(shelf / "index.db")
    before = rows.execute("SELECT * FROM digest").fetchall()
    rows.close()
    assert len(before) >= 2
    world.clock.advance(86_400 * 3)
    world.pass_time(70)
    assert world.archive.chunks(key.channel, 0, begin + 120 * SECOND) == []
    rows = sqlite3.connect(shelf / "index.db")
    assert set(before) <= set(rows.execute("SELECT * FROM digest"))
    rows.close()


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


def test_point_10_a_gap_that_was_there_before_a_restart_keeps_its_cause_up_to_it(world: Any) -> None:
    """What is missing from then on is the network's until somebody says otherwise."""
    key = world.add_camera()
    begin = world.clock.now_us()
    world.pass_time(10)
    world.cameras[key][1].ended("bye")
    world.pass_time(10, silent=frozenset({key}))
    world.recorder.close()
    world.clock.advance(3)
    world.reopen()
    world.pass_time(5, silent=frozenset({key}))
    world.pass_time(5)
    gaps = world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps
    assert [gap.cause for gap in gaps] == ["camera", "network"]
    assert [round((gap.end - gap.start) / SECOND) for gap in gaps] == [13, 6]


def test_point_10_what_never_came_after_a_restart_is_first_the_restarts_and_then_the_networks(world: Any) -> None:
    key = world.add_camera()
    begin = world.clock.now_us()
    world.pass_time(10)
    world.recorder.close()
    world.clock.advance(20)
    world.reopen()
    world.pass_time(40, silent=frozenset({key}))
    world.pass_time(5)
    gaps = world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps
    assert [gap.cause for gap in gaps] == ["maintenance", "network"]
    assert [round((gap.end - gap.start) / SECOND) for gap in gaps] == [20, 40]
