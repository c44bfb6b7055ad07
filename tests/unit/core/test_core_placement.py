"""A slot that keeps dying gives its channels away, under a higher epoch; one that dies once does not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from safecity.backends.database import SqlDatabase, open_database
from safecity.backends.leases import SqlLeases
from safecity.core.ground.channels.api import Board, Channel, add, find, remove_of_device, save
from safecity.core.ground.duties.placement import FAILING, UNFIT_US, Placed, Placement, moves
from safecity.core.ground.settings.api import DESIRED, get, touch_desired
from safecity.kit.clock import FakeClock
from safecity.kit.ids import fresh
from safecity.model.facts.media_calls import StreamState
from safecity.model.values.media import Quality

SLOTS = ("media-0", "media-1", "media-2")
DEVICE = fresh("dv")


class Node:
    """Slots as the supervisor sees them, channels as control placed them."""

    def __init__(self, database: SqlDatabase) -> None:
        self.database = database
        self.clock = FakeClock()
        self.states = dict.fromkeys(SLOTS, "running")
        self.moved: list[str] = []
        self.placement = self.start()

    def start(self) -> Placement:
        async def processes() -> list[dict[str, Any]]:
            return [{"name": name, "state": state} for name, state in self.states.items()]

        leases = SqlLeases(self.database)
        self.placement = Placement(self.database, leases, self.clock, SLOTS, processes, self.moved.extend)
        return self.placement

    async def add(self, slot: str, count: int = 1) -> list[str]:
        ids = [fresh("ch") for _ in range(count)]

        def work(tx: Any) -> None:
            for number, one in enumerate(ids):
                add(tx, Channel(id=one, device=DEVICE, code=f"{slot}-{number}-{one}", name="x", slot=slot))
            touch_desired(tx)

        await self.database.write(work)
        return ids

    async def where(self, channel: str) -> tuple[str, int]:
        found = await self.database.read(lambda tx: find(tx, channel))
        assert found is not None
        return found.slot, found.epoch

    async def revision(self) -> int:
        return await self.database.read(lambda tx: int(get(tx, DESIRED, 0)))

    async def fail(self, slot: str) -> None:
        self.states[slot] = FAILING
        await self.placement.look()

    async def heal(self, slot: str, after: int = 61_000_000) -> None:
        self.states[slot] = "running"
        self.clock.advance(after / 1_000_000)
        await self.placement.look()


@pytest.fixture
async def node(tmp_path: Path) -> AsyncIterator[Node]:
    database = open_database(f"sqlite:///{tmp_path}/control.db")
    yield Node(database)
    await database.close()


async def test_channels_of_a_slot_that_keeps_dying_move_under_a_higher_epoch(node: Node) -> None:
    ids = await node.add("media-0", 6)
    (other,) = await node.add("media-1")
    await node.placement.look()
    node.states["media-0"] = "starting"  # died once: it is restarted in place
    await node.placement.look()
    assert {await node.where(one) for one in ids} == {("media-0", 1)}
    revision = await node.revision()
    await node.fail("media-0")
    places = [await node.where(one) for one in ids]
    assert {epoch for _, epoch in places} == {2}
    assert {slot for slot, _ in places} == {"media-1", "media-2"}, "spread over all that are fit"
    assert await node.where(other) == ("media-1", 1)
    assert sorted(node.moved) == sorted(ids)
    assert await node.revision() > revision, "the slots and signal are told"


async def test_what_moved_stays_where_it_is_and_comes_back_only_if_that_slot_fails_too(node: Node) -> None:
    (one,) = await node.add("media-0")
    await node.placement.look()
    node.states["media-2"] = FAILING
    await node.fail("media-0")
    assert await node.where(one) == ("media-1", 2)
    await node.heal("media-0", UNFIT_US + 1)
    assert await node.where(one) == ("media-1", 2)
    await node.fail("media-1")
    assert await node.where(one) == ("media-0", 3)


async def test_a_channel_that_kills_its_slot_does_not_wander_through_all(node: Node) -> None:
    (one,) = await node.add("media-0")
    await node.placement.look()
    await node.fail("media-0")
    first, _ = await node.where(one)
    await node.heal("media-0")
    await node.fail(first)
    second, epoch = await node.where(one)
    assert second not in ("media-0", first)
    assert epoch == 3
    await node.heal(first)
    await node.fail(second)
    assert await node.where(one) == (second, 3), "every slot failed within ten minutes: it is restarted where it is"


async def test_with_one_slot_nothing_moves(tmp_path: Path) -> None:
    database = open_database(f"sqlite:///{tmp_path}/control.db")
    node = Node(database)
    node.states = {"media-0": FAILING}
    (one,) = await node.add("media-0")
    await node.placement.look()
    await node.placement.look()
    assert await node.where(one) == ("media-0", 1)
    await database.close()


async def test_a_control_that_starts_while_a_slot_is_failing_moves_its_channels_all_the_same(node: Node) -> None:
    """Nobody took a lease for them yet: the epoch is counted up from what the channel says."""
    (one,) = await node.add("media-0")
    await node.database.write(lambda tx: save(tx, replace(find(tx, one) or pytest.fail("gone"), epoch=7)))
    await node.fail("media-0")
    assert (await node.where(one))[1] == 8


async def test_a_control_that_died_between_the_lease_and_the_channel_finds_them_in_step_again(node: Node) -> None:
    (one,) = await node.add("media-0")
    await node.placement.look()
    leases = SqlLeases(node.database)
    await leases.ended("media-0")
    await leases.take([f"channel/{one}"], "media-2", now=node.clock.now_us())
    node.start()
    await node.placement.look()
    assert await node.where(one) == ("media-2", 2)
    assert node.moved == [one]


async def test_channels_that_come_later_and_go_are_followed(node: Node) -> None:
    await node.placement.look()
    ids = await node.add("media-0", 2)
    await node.placement.look()
    leases = SqlLeases(node.database)
    assert sorted(lease.name for lease in await leases.held("media-0")) == sorted(f"channel/{one}" for one in ids)

    def gone(tx: Any) -> None:
        remove_of_device(tx, DEVICE)
        touch_desired(tx)

    await node.database.write(gone)
    await node.fail("media-0")
    assert node.moved == []


@given(
    st.lists(st.sampled_from(SLOTS), min_size=1, max_size=60),
    st.sampled_from(SLOTS),
    st.sets(st.sampled_from(SLOTS)),
)
def test_moves_touch_the_failing_slot_alone_and_burden_nobody_alone(
    slots: list[str], failing: str, fit: set[str]
) -> None:
    placed = [Placed(fresh("ch"), slot, 1) for slot in slots]
    found = moves(placed, failing, fit)
    targets = fit - {failing}
    assert set(found) == ({one.channel for one in placed if one.slot == failing} if targets else set())
    assert set(found.values()) <= targets
    if targets:
        load = {slot: slots.count(slot) + list(found.values()).count(slot) for slot in targets}
        before = {slot: slots.count(slot) for slot in targets}
        fair = max(1, -(-sum(load.values()) * 5 // 4 // len(targets)) + 1)
        assert all(load[slot] <= max(before[slot], fair) for slot in targets)


def test_what_an_old_slot_still_says_does_not_hide_what_the_new_one_shows() -> None:
    board = Board()
    channel = fresh("ch")
    board.stream("media-1", StreamState(channel, Quality.MAIN, "running", True))
    board.stream("media-0", StreamState(channel, Quality.MAIN, "idle", False))
    assert board.streams_of(channel)["main"].state == "running"
    board.slot_gone("media-0")
    assert board.streams_of(channel)["main"].state == "running"
    board.slot_gone("media-1")
    assert board.streams_of(channel) == {}
