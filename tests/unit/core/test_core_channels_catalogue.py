"""Catalogues of all kinds become channels; placement is sticky and fair; one word says how a channel stands."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import Any

from safecity.core.ground.channels.decide import Channel, apply_catalogue, apply_notice, place, standing
from safecity.core.ground.devices.decide import DeviceState
from safecity.kit.ids import fresh
from safecity.model.facts.media_calls import StreamState
from safecity.model.values.media import Quality

DEVICE = Channel(id="", device=fresh("dv"), code="", name="", area_path="/34/")
NVR = "34020000001180000001"
CAMERA = "34020000001320000001"


def item(code: str, **more: Any) -> dict[str, Any]:
    return {"code": code, "name": f"camera {code[-1]}", "status": "ON", **more}


def test_channels_appear_with_the_area_of_their_device() -> None:
    change = apply_catalogue([], [item(CAMERA, ptz_type=1, stream_number="0/1")], device=DEVICE, whole=True)
    (channel,) = change.added
    assert (channel.code, channel.name, channel.area_path, channel.ptz) == (CAMERA, "camera 1", "/34/", True)
    assert channel.qualities == ("main", "sub")
    assert channel.id.startswith("ch_")


def test_directories_and_the_recorder_itself_are_no_channels() -> None:
    items = [item("3402"), item("34020000002150000001"), item(NVR), item(CAMERA, parent_id=NVR)]
    assert [c.code for c in apply_catalogue([], items, device=DEVICE, whole=True).added] == [CAMERA]


def test_a_camera_that_lists_only_itself_is_its_own_channel() -> None:
    assert len(apply_catalogue([], [item(NVR)], device=DEVICE, whole=True).added) == 1


def test_the_same_catalogue_twice_changes_nothing() -> None:
    items = [item(CAMERA), item(CAMERA[:-1] + "2")]
    known = apply_catalogue([], items, device=DEVICE, whole=True).added
    again = apply_catalogue(known, items, device=DEVICE, whole=True)
    assert (again.added, again.changed) == ((), ())


def test_what_a_whole_catalogue_leaves_out_stays_but_is_not_present() -> None:
    known = apply_catalogue([], [item(CAMERA), item(CAMERA[:-1] + "2")], device=DEVICE, whole=True).added
    (gone,) = apply_catalogue(known, [item(CAMERA)], device=DEVICE, whole=True).changed
    assert (gone.code, gone.present) == (CAMERA[:-1] + "2", False)
    assert apply_catalogue(known, [item(CAMERA)], device=DEVICE, whole=False).changed == ()


def test_a_name_that_a_person_gave_outlives_the_device() -> None:
    known = [
        replace(
            apply_catalogue([], [item(CAMERA)], device=DEVICE, whole=True).added[0], name="East gate", name_given=True
        )
    ]
    assert apply_catalogue(known, [item(CAMERA, name="IPC")], device=DEVICE, whole=True).changed == ()


def test_a_flood_of_channels_and_doubled_codes_is_bounded() -> None:
    items = [item(f"3402000000132{n:07d}") for n in range(20_050)] + [item(CAMERA)] * 10
    added = apply_catalogue([], items, device=DEVICE, whole=True).added
    assert len(added) == 20_000
    assert len({c.code for c in added}) == 20_000


def test_hostile_names_lose_their_control_characters() -> None:
    (channel,) = apply_catalogue([], [item(CAMERA, name="a\x00b\r\n" + "<b>'" * 99)], device=DEVICE, whole=True).added
    assert channel.name.startswith("ab<b>'")
    assert len(channel.name) <= 100


def test_notices_change_states_and_never_delete() -> None:
    known = apply_catalogue([], [item(CAMERA)], device=DEVICE, whole=True).added
    assert apply_notice(known, "OFF", [item(CAMERA)])[0].announced == "OFF"
    assert apply_notice(known, "DEL", [item(CAMERA)])[0].present is False
    assert apply_notice(known, "DEL", [item(CAMERA[:-1] + "9")]) == []


def test_placement_is_sticky_and_no_slot_carries_much_more_than_its_share() -> None:
    load = {f"media-{n}": 0 for n in range(4)}
    placed: dict[str, str] = {}
    for _ in range(400):
        channel = fresh("ch")
        placed[channel] = place(channel, load)
        load[placed[channel]] += 1
    assert max(Counter(placed.values()).values()) <= 126
    assert min(load.values()) > 50
    empty = dict.fromkeys(load, 1000)
    first = next(iter(placed))
    assert place(first, empty) == place(first, dict(reversed(list(empty.items()))))
    assert place(first, {}) == ""


def test_one_word_says_how_a_channel_stands() -> None:
    channel = apply_catalogue([], [item(CAMERA)], device=DEVICE, whole=True).added[0]

    def state(name: str, step: str = "") -> StreamState:
        return StreamState(channel.id, Quality.MAIN, name, True, step)

    def said(device: DeviceState, *streams: StreamState, pulled: bool = False) -> tuple[str, str]:
        found = standing(channel, device, streams, pulled=pulled)
        return found.state, found.step

    assert said(DeviceState.NEVER) == ("never", "device_never_registered")
    assert said(DeviceState.OFFLINE, state("lost", "x")) == ("offline", "device_offline")
    assert said(DeviceState.OFFLINE, state("running")) == ("running", "")
    assert said(DeviceState.ONLINE) == ("idle", "")
    assert said(DeviceState.ONLINE, state("lost", "gb_no_packet")) == ("lost", "gb_no_packet")
    assert said(DeviceState.NEVER, state("lost", "rtsp_timeout"), pulled=True) == ("lost", "rtsp_timeout")
    off = replace(channel, announced="OFF")
    assert standing(off, DeviceState.ONLINE, (), pulled=False).state == "offline"
