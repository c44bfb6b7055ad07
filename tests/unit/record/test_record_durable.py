"""Points 1, 3 and 5 of the contract once more, from the side of the disk: what is on it is never taken for something
else, never thrown away because it is not understood, and never comes back after it was deleted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from powercut import PowerCut, PowerCutFiles

from safecity.backends.sqlitefile import open_file
from safecity.media.record.chunk import unpack_header
from safecity.media.record.extent import ExtentState, unpack_head
from safecity.media.record.recover import recover_shelf
from safecity.model.facts.media_calls import RecordPolicy

SECOND = 1_000_000


def no_commits(world: Any) -> None:
    """From now on the index of this life never comes."""
    world.recorder._places[0].shelf.index.commit = lambda: None


def only_extent(world: Any) -> Path:
    (found,) = (world.folder / "one" / "shelf-0").glob("*.sce")
    return found


@pytest.mark.parametrize("seed", range(6))
def test_point_2_the_first_seconds_on_a_new_volume_survive_a_cut(make_world: Any, seed: int) -> None:
    """Its folders are as young as its footage."""
    world = make_world(PowerCutFiles())
    key = world.add_camera(seed)
    world.pass_time(4)
    world.files.cut_at = world.files.operations + 3 + seed
    with pytest.raises(PowerCut):
        world.pass_time(60)
    world.cut_power(seed)
    died = world.clock.now_us()
    world.start()
    assert world.check().findings == []
    assert died - world.archive.chunks(key.channel, 0, 1 << 60)[-1].end <= 2 * SECOND


def test_point_3_a_tail_whose_header_was_torn_is_not_believed(world: Any) -> None:
    """The payload is whole, the header is not: nobody knows whose pictures these are."""
    key = world.add_camera(size=500)
    world.pass_time(10)
    no_commits(world)
    world.pass_time(3)
    world.die()
    extent = only_extent(world)
    content = bytearray(extent.read_bytes())
    last = content.rindex(b"SCCH")
    whole = unpack_header(content, last)
    assert whole is not None
    content[last + 36] ^= 1  # a byte of the channel
    extent.write_bytes(content)
    world.start()
    assert world.recorder._places[0].revived.adopted_chunks == 2
    numbers = world.pictures(key)
    assert numbers == list(range(len(numbers)))
    assert world.check().good


def test_point_3_an_extent_that_was_finished_in_the_last_second_is_adopted_to_its_end(make_world: Any) -> None:
    """Its head says closed, its row says open: the commit between never came."""
    world = make_world(extent_bytes=512 << 10)
    key = world.add_camera(size=1000)
    world.pass_time(12)
    extent = only_extent(world)
    no_commits(world)
    world.pass_time(15)
    world.die()
    head = unpack_head(extent.read_bytes()[:4096])
    assert head is not None
    assert head.state is ExtentState.CLOSED
    world.start()
    numbers = world.pictures(key)
    assert numbers == list(range(len(numbers)))
    assert len(numbers) > 25 * 25
    assert world.check().good


def test_point_5_an_extent_that_cannot_be_understood_stays_where_it_is(world: Any) -> None:
    key = world.add_camera(size=500)
    world.pass_time(10)
    world.die()
    extent = only_extent(world)
    content = bytearray(extent.read_bytes())
    content[:4096] = bytes(4096)
    extent.write_bytes(content)
    world.reopen()
    assert world.recorder._places[0].revived.unreadable == [extent.name]
    before = len(world.pictures(key))
    assert before > 8 * 25  # each chunk still explains itself
    world.pass_time(5)
    assert len(world.pictures(key)) > before + 3 * 25
    assert extent.read_bytes() == content
    assert list((world.folder / "one" / "free").iterdir()) == []


@pytest.mark.parametrize("guest", ["of another volume", "of a later version", "all its chunks damaged"])
def test_point_5_a_file_without_a_row_that_is_not_understood_is_not_ours_to_free(
    make_world: Any, tmp_path: Path, guest: str
) -> None:
    other = make_world()
    other.names = ["two"]
    other.recorder.close()
    other.start()
    other.add_camera(size=500)
    other.pass_time(10)
    other.recorder.close()
    (source,) = (tmp_path / "two" / "shelf-0").glob("*.sce")
    content = bytearray(source.read_bytes())
    if guest == "of a later version":
        content = content.replace(b"SCEX\x01", b"SCEX\x02").replace(b"SCCH\x01", b"SCCH\x02")
    if guest == "all its chunks damaged":
        for at in range(len(content)):
            if content.startswith(b"SCCH", at):
                content[at + 200] ^= 1
    world = other if guest == "all its chunks damaged" else make_world()
    if world is other:
        source.unlink()
        for path in source.parent.glob("index.db*"):
            path.unlink()
    else:
        world.recorder.close()
    shelf = tmp_path / world.names[0] / "shelf-0"
    (shelf / "0123456789abcdef.sce").write_bytes(content)
    world.start()
    assert world.recorder._places[0].revived.unreadable == ["0123456789abcdef.sce"]
    world.add_camera(size=500)
    world.pass_time(5)
    assert (shelf / "0123456789abcdef.sce").read_bytes() == content
    assert list((shelf.parent / "free").iterdir()) == []


@pytest.mark.parametrize("begun", ["empty", "blank", "headed"])
def test_point_5_an_extent_that_was_only_just_taken_goes_back_to_the_pool(world: Any, begun: str) -> None:
    """What a crash leaves of an extent into which nothing was written yet."""
    world.add_camera(size=500)
    world.pass_time(3)
    world.recorder.close()
    extent = only_extent(world)
    young = extent.with_name("fedcba9876543210.sce")
    head = extent.read_bytes()[:4096]
    young.write_bytes({"empty": b"", "blank": bytes(1 << 20), "headed": head + bytes(1 << 20)}[begun])
    world.start()
    assert not young.exists()
    assert (world.folder / "one" / "free" / young.name).exists()


def test_point_5_shelves_without_an_identity_are_a_disk_half_mounted_also_for_a_slot_that_knows_nothing(
    world: Any,
) -> None:
    """The slot's memory is lost as well: what lies there still says that this is no new folder."""
    world.add_camera()
    world.pass_time(5)
    world.recorder.close()
    identity = world.folder / "one" / "safecity-volume.json"
    text = identity.read_text()
    identity.unlink()
    (world.folder / "volumes.json").unlink()
    world.start()
    assert world.recorder.figures()[0].code == "volume_offline"
    assert not identity.exists()
    identity.write_text(text)
    world.clock.advance(11)
    world.recorder.turn()
    assert world.recorder.figures()[0].state == "ready"


def test_point_5_another_disk_that_takes_the_place_under_way_is_noticed_and_left_alone(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files)
    key = world.add_camera()
    world.pass_time(5)
    path = world.folder / "one" / "safecity-volume.json"
    ours, other = files.entries[path], PowerCutFiles()
    other.write_text(
        path, '{"format": 1, "uuid": "01234567-89ab-7def-8123-456789abcdef", "generation": 4}', replace=True
    )
    files.entries[path] = other.entries[path]
    world.pass_time(6)
    assert world.recorder.figures()[0].code == "volume_foreign"
    written = [one for one in files.log if one.startswith(("write", "create", "rename"))]
    world.pass_time(15)
    assert [one for one in files.log if one.startswith(("write", "create", "rename"))] == written
    files.entries[path] = ours
    world.pass_time(15)
    assert world.recorder.figures()[0].state == "ready"
    assert world.archive.chunks(key.channel, 0, 1 << 60)


def test_point_5_no_extent_is_made_where_the_disk_has_just_gone(make_world: Any) -> None:
    """Between two looks at the mount an extent is needed: it must not fill the system's disk below the mount point."""
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=256 << 10)
    world.add_camera(size=1100)
    world.pass_time(6)  # just looked; the first extent is full in two seconds
    files.unmounted.add(world.folder / "one")
    files.log.clear()
    world.pass_time(4)
    assert world.recorder.figures()[0].code == "volume_offline"
    assert [one for one in files.log if one.startswith(("create", "rename"))] == []


def test_point_5_an_extent_is_free_on_the_disk_before_it_is_in_the_pool(make_world: Any) -> None:
    files = PowerCutFiles()
    world = make_world(files, extent_bytes=256 << 10)
    world.add_camera(size=1500, policy=RecordPolicy(retention_days=1))
    world.pass_time(30)
    rename, seen = files.rename, []

    def spy(source: Path, target: Path) -> None:
        if target.parent.name == "free":
            head = unpack_head(bytes(files.entries[source].durable[:4096]))
            seen.append(head.state if head else None)
        rename(source, target)

    files.rename = spy
    world.clock.advance(86_400 * 2)
    world.pass_time(3)
    assert seen
    assert set(seen) == {ExtentState.FREE}


@pytest.mark.parametrize("seed", range(4))
def test_point_5_what_was_erased_on_request_is_gone_from_the_media_before_it_is_said_to_be(
    make_world: Any, seed: int
) -> None:
    """A cut right after the answer, and the index lost on top: the media must not remember."""
    world = make_world(PowerCutFiles())
    key = world.add_camera(seed, size=500)
    begin = world.clock.now_us()
    world.pass_time(30)
    done = world.recorder.erase(key.channel, begin + 5 * SECOND, begin + 15 * SECOND, "order 2")
    world.recorder._run_commands()
    assert done.result(0) > 0
    world.cut_power(seed)
    shelf = world.folder / "one" / "shelf-0"
    for path in shelf.glob("index.db*"):
        path.unlink()
    recover_shelf(shelf, open_file, files=world.files, now_us=0)
    inside = world.archive.chunks(key.channel, begin + 6 * SECOND, begin + 14 * SECOND)
    assert inside == []
    assert world.archive.chunks(key.channel, begin, begin + 4 * SECOND)
    world.start()
