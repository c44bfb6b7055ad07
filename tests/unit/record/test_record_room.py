"""Room on a volume: taken ahead of need, given back when it can be, never the last of the file system's."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCutFiles

from safecity.media.record.extent import Layout
from safecity.media.record.files import Space, SystemFiles
from safecity.media.record.index import Index
from safecity.media.record.place import layout_of
from safecity.media.record.volume import Pool, open_volume
from safecity.model.facts.media_calls import RecordPolicy, VolumeSpec

HOUR = 3600
GIB = 1 << 30


def states(world: Any) -> list[int]:
    index = sqlite3.connect(world.folder / "one" / "shelf-0" / "index.db")
    found = [state for (state,) in index.execute("SELECT state FROM extent ORDER BY no")]
    index.close()
    return found


class Disk(SystemFiles):
    """A disk of another kind and size."""

    def __init__(self, total: int, *, spins: bool) -> None:
        self.total = total
        self.spins = spins

    def space(self, path: Path) -> Space:
        return Space(self.total, self.total)

    def spinning(self, path: Path) -> bool:
        return self.spins


@pytest.mark.parametrize(
    ("wish", "total", "max_bytes", "spins", "layout"),
    [
        ("auto", 4096 * GIB, 0, False, Layout.CHANNEL),
        ("auto", 4096 * GIB, 0, True, Layout.SHARED),
        ("auto", 20 * GIB, 0, False, Layout.SHARED),  # an extent for each stream would eat it
        ("auto", 4096 * GIB, 20 * GIB, False, Layout.SHARED),
        ("channel", 20 * GIB, 0, True, Layout.CHANNEL),
        ("shared", 4096 * GIB, 0, False, Layout.SHARED),
    ],
)
def test_the_layout_is_what_was_said_or_what_suits_the_disk(
    tmp_path: Path, wish: str, total: int, max_bytes: int, spins: bool, layout: Layout
) -> None:
    spec = VolumeSpec("one", str(tmp_path), max_bytes=max_bytes, layout=wish)
    assert layout_of(spec, Disk(total, spins=spins)) is layout


def test_a_part_of_the_file_system_is_left_for_others(tmp_path: Path) -> None:
    files = PowerCutFiles()
    files.make_folder(tmp_path / "one")
    identity = open_volume(files, tmp_path / "one", None)
    pool = Pool(files, tmp_path / "one", identity, 0, extent_bytes=64 << 20, max_bytes=0)
    files.free_bytes = (2 << 30) + 3 * (64 << 20)  # 1 % of this disk, at most 2 GiB, and three extents
    assert pool.extents_left() == 3
    files.free_bytes = 2 << 30
    assert pool.extents_left() == 0


def test_there_is_always_an_extent_to_go_on_with(make_world: Any) -> None:
    world = make_world(extent_bytes=256 << 10, max_bytes=4 << 20)
    world.add_camera(size=4000)
    world.pass_time(40)
    for _ in range(8):
        world.pass_time(5)
        assert world.recorder.figures()[0].free_bytes >= 256 << 10
    assert len(states(world)) <= 16


def test_what_nobody_has_written_to_for_an_hour_is_finished_so_that_it_can_go_when_it_is_due(world: Any) -> None:
    key = world.add_camera(size=500, policy=RecordPolicy(retention_days=1))
    world.pass_time(20)
    world.cameras.clear()
    world.pass_time(70)
    assert states(world) == [1]
    world.clock.advance(2 * HOUR)
    world.pass_time(70)
    assert states(world) == [2]
    world.clock.advance(25 * HOUR)
    world.pass_time(70)
    assert states(world) == []
    assert world.archive.chunks(key.channel, 0, 1 << 60) == []


def test_an_extent_with_holes_is_filled_before_it_is_used_again(make_world: Any) -> None:
    """Writing into holes makes the file system allocate with every sync, and may find no space."""
    world = make_world(layout="shared", extent_bytes=256 << 10, max_bytes=2 << 20)
    world.add_camera(1, size=1000, policy=RecordPolicy(retention_days=1))
    world.add_camera(2, size=1000, policy=RecordPolicy(retention_days=2))
    world.pass_time(12)
    shelf = world.folder / "one" / "shelf-0"

    def with_holes() -> set[str]:
        return {one.name for one in shelf.glob("*.sce") if one.stat().st_blocks * 512 < one.stat().st_size}

    world.clock.advance(86_400 + HOUR)
    world.pass_time(2)
    holed = with_holes()
    if not holed:
        pytest.skip("this file system punches no holes")
    pool = world.recorder._places[0].shelf.pool
    take, taken = pool.take, []

    def spy(layout: Layout, now: int) -> Any:
        name, generation, file = take(layout, now)
        taken.append((name, file.has_holes()))
        return name, generation, file

    pool.take = spy
    world.clock.advance(86_400)
    world.pass_time(70)  # the rest of them goes, they are recycled
    assert holed & {name for name, _ in taken}
    assert not any(has_holes for _, has_holes in taken)


class Syncs:
    """How often the disk is waited for, by what."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.commits = self.holes = 0
        commit, punch = Index.commit, Pool.punch

        def count_commit(index: Index) -> None:
            self.commits += index.changed
            commit(index)

        def count_punch(pool: Pool, name: str, spans: Any) -> None:
            self.holes += 1
            punch(pool, name, spans)

        monkeypatch.setattr(Index, "commit", count_commit)
        monkeypatch.setattr(Pool, "punch", count_punch)


def test_many_cameras_that_share_a_full_disk_wait_for_it_no_oftener_than_few(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One commit and one hole for each part of each camera made 200 cameras lose pictures on a full volume."""

    def commits(cameras: int) -> float:
        world = make_world(layout="shared", extent_bytes=256 << 10, max_bytes=4 << 20)
        for seed in range(cameras):
            world.add_camera(seed, size=8000 // cameras)
        world.pass_time(40)  # it is full by now
        count, turns = Syncs(monkeypatch), world.recorder.turns
        world.pass_time(18)
        assert not count.holes, "what others use goes within seconds, and the whole extent with it"
        return count.commits / (world.recorder.turns - turns)

    few, many = commits(2), commits(20)
    assert many <= few * 1.5


def test_what_many_cameras_may_keep_no_longer_goes_in_few_commits(
    make_world: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_world(layout="shared", extent_bytes=256 << 10)
    for seed in range(12):
        world.add_camera(seed, size=1000, policy=RecordPolicy(retention_days=1))
    world.pass_time(60)
    index = sqlite3.connect(world.folder / "one" / "shelf-0" / "index.db")
    (parts,) = index.execute("SELECT count(*) FROM extent_channel").fetchone()
    assert parts > 300
    world.clock.advance(86_400)
    count = Syncs(monkeypatch)
    world.pass_time(62)
    assert count.commits < 160, "about two a turn, whatever goes"
    assert index.execute("SELECT count(*) FROM deletion WHERE reason = 'expired'").fetchone() == (12,)
    assert world.check().good
    index.close()


def test_what_pressure_left_in_shared_extents_is_gone_within_a_minute(make_world: Any) -> None:
    """An extent that a hold keeps: what others had in it waits for the next sweep, and not for ever."""
    world = make_world(layout="shared", extent_bytes=256 << 10, max_bytes=2 << 20)
    kept, going = world.add_camera(1, size=300), world.add_camera(2, size=3000)
    begin = world.clock.now_us()
    world.recorder.place_hold("case", kept.channel, begin + 2_000_000, begin + 3_000_000)
    world.pass_time(40)
    (held, *_) = world.archive.chunks(kept.channel, begin + 2_000_000, begin + 3_000_000)
    assert world.archive.chunks(going.channel, begin, begin + 3_000_000) == []
    index = sqlite3.connect(world.folder / "one" / "shelf-0" / "index.db")

    def waiting() -> int:
        return index.execute("SELECT count(*) FROM punch WHERE extent_no = ?", (held.extent,)).fetchone()[0]

    assert waiting(), "what is to go is written down"
    world.pass_time(62)
    assert waiting() == 0
    index.close()
    assert world.archive.units(held), "what is held is whole"
    assert world.check().good
