"""Disks in trouble: each kind has its word in the health, nothing stops for it, and it is over when its cause is."""

from __future__ import annotations

import errno
import logging
import os
from collections.abc import Callable
from typing import Any

import pytest
from powercut import PowerCutFiles

from safecity.kit.errors import UnavailableError
from safecity.media.record.facts import VolumeChanged
from safecity.model.facts.media_calls import RecordPolicy
from safecity.web.texts import sentence

SECOND = 1_000_000
MIB = 1 << 20


def code(world: Any, name: str = "one") -> str:
    figure = {one.name: one for one in world.recorder.figures()}[name]
    if figure.code:
        for language in ("zh", "en"):
            said = sentence(figure.code, {"volume": name}, language)
            assert name in said
            assert figure.code not in said, "a sentence, not a code"
    return str(figure.code)


def fill(world: Any) -> Callable[[], None]:
    """Others fill the file system to the last byte."""
    world.files.full, world.files.free_bytes = True, 0

    def over() -> None:
        world.files.full, world.files.free_bytes = False, 1 << 40

    return over


def unmount(world: Any) -> Callable[[], None]:
    folder = world.folder / "one"
    world.files.unmounted.add(folder)
    return lambda: world.files.unmounted.discard(folder)


def make_read_only(world: Any) -> Callable[[], None]:
    """As a file system does that has found an error."""
    folder = world.folder / "one"
    world.files.read_only_folders.add(folder)
    return lambda: world.files.read_only_folders.discard(folder)


def mount_another(world: Any) -> Callable[[], None]:
    path = world.folder / "one" / "safecity-volume.json"
    ours, other = world.files.entries[path], PowerCutFiles()
    other.write_text(
        path, '{"format": 1, "uuid": "01234567-89ab-7def-8123-456789abcdef", "generation": 1}', replace=True
    )
    world.files.entries[path] = other.entries[path]
    return lambda: world.files.entries.__setitem__(path, ours)


TROUBLES = {
    "volume_full": fill,
    "volume_offline": unmount,
    "volume_read_only": make_read_only,
    "volume_foreign": mount_another,
}


@pytest.mark.parametrize(
    ("trouble", "sibling"),
    # On one file system others fill both: a sibling of a full one is in the next test.
    [
        (trouble, sibling)
        for trouble in TROUBLES
        for sibling in (True, False)
        if not (sibling and trouble == "volume_full")
    ],
)
def test_a_volume_in_trouble_has_a_word_and_comes_back_by_itself(make_world: Any, trouble: str, sibling: bool) -> None:
    """With a sibling not a picture is lost; without one the gap says that the disk was the cause."""
    world = make_world(PowerCutFiles(), extent_bytes=256 << 10, max_bytes=0)
    if sibling:
        world.names.append("two")
        world.recorder.close()
        world.start()
    keys = [world.add_camera(seed + 1, size=2000) for seed in range(2)]
    begin = world.clock.now_us()
    world.pass_time(10)
    over = TROUBLES[trouble](world)
    world.pass_time(20)
    assert code(world) == trouble
    turns = world.recorder.turns
    over()
    world.pass_time(25)
    assert world.recorder.turns > turns
    assert code(world) == ""
    assert {one.state for one in world.recorder.figures()} == {"ready"}
    for key in keys:
        numbers = sorted(set(world.pictures(key)))
        gaps = world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps
        if sibling:
            assert numbers == list(range(len(numbers)))
            assert gaps == ()
        else:
            assert {gap.cause for gap in gaps} - {"deleted"} == {"disk"}
            assert sum(gap.end - gap.start for gap in gaps if gap.cause == "disk") < 35 * SECOND
        assert numbers[-1] > 53 * 25, "recording goes on"
        if trouble != "volume_full":  # there the beginning of a run went to make room
            assert set(world.beginnings(key)) <= {"key", "continues"}
    states = [fact.state for fact in world.facts if isinstance(fact, VolumeChanged) and fact.name == "one"]
    assert states[-1] == "ready"
    assert world.check().good


def test_a_disk_that_others_filled_gives_its_streams_to_a_sibling(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=256 << 10, max_bytes=0)
    world.names.append("two")
    world.recorder.close()
    world.start()
    keys = [world.add_camera(seed + 1, size=2000) for seed in range(2)]
    world.pass_time(10)
    full = world.folder / "one"
    space = files.space
    files.space = lambda path: space(path)._replace(free=0) if path.is_relative_to(full) else space(path)
    for key in keys:  # all that is there must stay
        world.recorder.place_hold(f"h-{key.channel}", key.channel, 0, 1 << 60)
    begin = world.clock.now_us()
    world.pass_time(20)
    assert code(world) == "volume_full"
    for key in keys:
        numbers = sorted(set(world.pictures(key)))
        assert numbers == list(range(len(numbers)))
        assert world.archive.timeline(key.channel, begin, world.clock.now_us()).gaps == ()
    files.space = space
    world.pass_time(10)
    assert code(world) == ""


def test_an_error_of_the_disk_is_not_taken_for_a_full_one(make_world: Any) -> None:
    """Nearly no space is left, and yet it is the disk that is broken: it must not be tried again."""
    files = PowerCutFiles()
    world = make_world(files, max_bytes=0)
    world.add_camera()
    world.pass_time(5)
    world.recorder._places[0]._check_at = 1 << 62  # nobody has looked for room yet
    files.free_bytes = 1 * MIB
    files.failing_sync.add(world.folder / "one")
    world.pass_time(3)
    assert code(world) == "volume_write_failed"
    files.failing_sync.clear()
    world.pass_time(30)
    assert {one.state for one in world.recorder.figures()} == {"failed"}


@pytest.mark.parametrize(
    ("what", "expected"),
    [("database or disk is full", "volume_full"), ("attempt to write a readonly database", "volume_read_only"),
     ("disk I/O error", "volume_write_failed")],
)  # fmt: skip
def test_what_the_index_says_of_its_disk_is_looked_up_on_the_disk(
    make_world: Any, monkeypatch: pytest.MonkeyPatch, what: str, expected: str
) -> None:
    """SQLite has errors of its own; the person who reads the health wants to know about the disk."""
    files = PowerCutFiles()
    world = make_world(files, max_bytes=0)
    world.add_camera()
    world.pass_time(5)

    def refuse() -> None:
        raise UnavailableError(f"database: {what}", code="database_unavailable")

    world.recorder._places[0].shelf.index.commit = refuse
    if expected == "volume_full":
        files.free_bytes = 0
    elif expected == "volume_read_only":
        files.read_only_folders.add(world.folder / "one")
    world.pass_time(2)
    assert code(world) == expected


def test_a_volume_that_may_not_be_written_at_start_says_so(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files)
    world.recorder.close()
    files.read_only_folders.add(world.folder / "one")
    world.start()
    assert code(world) == "volume_read_only"
    files.read_only_folders.clear()
    world.clock.advance(11)
    world.recorder.turn()
    assert code(world) == ""


def test_a_disk_slower_than_its_streams_costs_the_least_important_alone_for_as_long_as_it_is_slow(
    make_world: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Three streams of 50 KB/s, and the disk takes a turn only each three seconds: the window holds too little."""
    caplog.set_level(logging.WARNING)
    world = make_world()
    limits = world.recorder._pending.limits
    world.recorder._pending.limits = type(limits).of(550_000)
    first, second, last = (
        world.add_camera(seed, size=2000, policy=RecordPolicy(priority=priority))
        for seed, priority in ((1, 1), (2, 3), (3, 5))
    )
    begin = world.clock.now_us()
    world.pass_time(5)
    assert code(world) == ""
    for _ in range(10):
        world.pass_time(3, turns=False)
        world.recorder.turn()
        assert world.recorder.waiting_bytes == 0
    assert code(world) == "volume_slow"
    shed = {key: world.cameras[key][1].shed for key in (first, second, last)}
    assert shed[first] == shed[second] == 0
    assert shed[last] > 0
    now = world.clock.now_us()
    for key in (first, second):
        numbers = world.pictures(key)
        assert numbers == list(range(len(numbers)))
        assert world.archive.timeline(key.channel, begin, now, 200).gaps == ()
    gaps = world.archive.timeline(last.channel, begin, now, 200).gaps
    assert {(gap.cause, gap.detail) for gap in gaps} == {("disk", "too_slow")}
    assert set(world.beginnings(last)) == {"key"}
    world.pass_time(70)
    assert code(world) == ""
    before = world.cameras[last][1].shed
    world.pass_time(10)
    assert world.cameras[last][1].shed == before
    assert [record.message for record in caplog.records if "too slow" in record.message] == [
        "volume too slow, recordings have gaps name=one"
    ]


def test_a_mount_that_answers_with_errors_is_offline_not_broken(make_world: Any) -> None:
    """A network share that is gone: its files say that they do not exist, or that they are stale."""
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=256 << 10)
    world.add_camera(size=2000)
    world.pass_time(4)
    files.unmounted.add(world.folder / "one")
    shelf = world.recorder._places[0].shelf

    def stale() -> None:
        raise OSError(errno.ESTALE, os.strerror(errno.ESTALE))

    for extent in shelf.open_extents.values():
        extent.file.sync = stale
    world.pass_time(1)
    assert code(world) == "volume_offline"
