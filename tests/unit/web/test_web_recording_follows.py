"""A recording that somebody started by hand belongs to the channel, not to the slot it was on when it began."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from safecity.core.ground.channels.api import find, save
from safecity.core.ground.settings.api import touch_desired
from safecity.model.facts.media_calls import Applied, ApplyAssignments, StaleEpoch, StartRecording, StopRecording

CODE = "34020000001320000001"


async def channel_of(house: Any, admin: Any) -> str:
    device = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "Gate"})
    await house.online(device["id"], CODE)
    await house.catalogue(device["id"], {"code": CODE, "name": "Gate"})
    (channel,) = (await admin.ok("GET", "channels"))["items"]
    return str(channel["id"])


async def move(house: Any, channel: str) -> tuple[str, str]:
    """(slot before, slot now)."""

    def work(tx: Any) -> tuple[str, str]:
        found = find(tx, channel)
        to = {"media-0": "media-1", "media-1": "media-0"}[found.slot]
        save(tx, replace(found, slot=to, epoch=found.epoch + 1))
        touch_desired(tx)
        return found.slot, to

    return await house.services.database.write(work)


async def told(house: Any, slot: str) -> dict[str, Any]:
    """What the slot hears now, by channel."""
    house.calls.asked.clear()
    await house.services.duties.push()
    said = [message for to, message in house.calls.asked if to == slot and isinstance(message, ApplyAssignments)]
    return {one.channel: one for message in said for one in message.assignments}


async def test_a_recording_by_hand_goes_along_when_its_channel_moves(house: Any, admin: Any) -> None:
    channel = await channel_of(house, admin)
    await admin.ok("POST", f"channels/{channel}/recording", {"seconds": 3600})
    (asked,) = house.calls.of(StartRecording)
    before, now = await move(house, channel)
    assert (await told(house, now))[channel].demand == asked
    house.services.duties._pushed.clear()
    assert channel not in await told(house, before)
    house.calls.asked.clear()
    await admin.ok("DELETE", f"channels/{channel}/recording")
    assert [to for to, message in house.calls.asked if isinstance(message, StopRecording)] == [now]
    assert (await told(house, now))[channel].demand is None


async def test_a_recording_whose_time_is_over_follows_nobody(house: Any, admin: Any) -> None:
    channel = await channel_of(house, admin)
    await admin.ok("POST", f"channels/{channel}/recording", {"seconds": 60})
    house.clock.advance(61)
    _, now = await move(house, channel)
    assert (await told(house, now))[channel].demand is None


async def test_a_slot_that_is_gone_is_asked_for_nothing_later(house: Any, admin: Any) -> None:
    channel = await channel_of(house, admin)
    house.calls.down = set(house.services.web.slots)
    assert (await admin.ask("POST", f"channels/{channel}/recording", {})).status_code == 503
    house.calls.down = set()
    _, now = await move(house, channel)
    assert (await told(house, now))[channel].demand is None, "whoever was told no gets no surprise"


async def test_epochs_of_a_backup_are_counted_on_from_what_the_slot_has_seen(house: Any, admin: Any) -> None:
    channel = await channel_of(house, admin)
    found = await house.services.database.read(lambda tx: find(tx, channel))
    house.calls.answers[ApplyAssignments] = lambda message: Applied(
        tuple(StaleEpoch(one.channel, one.epoch, 7) for one in message.assignments if one.epoch < 7)
    )
    assert (await told(house, found.slot))[channel].epoch < 7
    assert (await told(house, found.slot))[channel].epoch == 8
    assert await told(house, found.slot) == {}, "then it is content"
