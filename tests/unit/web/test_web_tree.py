"""A level of the tree comes in parts, however many stand in it."""

from __future__ import annotations

from typing import Any

RECORDER = "34020000001180000001"


async def test_a_level_of_many_devices_comes_in_parts_that_leave_nobody_out(house: Any, admin: Any) -> None:
    """Many of one name, as vehicles and gates have them."""
    for number in range(8):
        device = {"kind": "gb28181", "code": f"3402000000132000000{number}", "name": f"gate {number // 3}"}
        await admin.ok("POST", "devices", device)
    await admin.ok("POST", "areas", {"name": "Wuhu", "code": "3402"})
    everyone = {one["id"] for one in (await admin.ok("GET", "devices"))["items"]}
    assert len(everyone) == 8
    found: list[dict[str, Any]] = []
    cursor, parts = "", 0
    while cursor is not None:
        part = await admin.ok("GET", f"tree?limit=3&cursor={cursor}")
        cursor, parts = part["next"], parts + 1
        found += part["items"]
    assert parts == 3
    assert [one["kind"] for one in found] == ["area"] + ["device"] * 8, "areas are told once, with the first part"
    assert {one["id"] for one in found[1:]} == everyone
    assert (await admin.ask("GET", "tree?cursor=nonsense")).json()["code"] == "cursor_invalid"


async def test_the_channels_of_a_large_recorder_come_in_parts_in_its_own_order(house: Any, admin: Any) -> None:
    device = (await admin.ok("POST", "devices", {"kind": "gb28181", "code": RECORDER, "name": "recorder"}))["id"]
    await house.online(device, RECORDER)
    channels = [{"code": f"3402000000131000000{number}", "name": f"gate {9 - number}"} for number in range(5)]
    await house.catalogue(device, *channels)
    names: list[str] = []
    cursor = ""
    while cursor is not None:
        part = await admin.ok("GET", f"tree?parent={device}&limit=2&cursor={cursor}")
        assert len(part["items"]) <= 2
        names += [one["name"] for one in part["items"]]
        cursor = part["next"]
    assert names == [one["name"] for one in channels]
    (whole,) = (await admin.ok("GET", "tree?limit=1"))["items"]
    assert whole["total"] == 5


async def test_who_looks_for_pictures_is_not_shown_a_yard_full_of_vehicles(house: Any, admin: Any) -> None:
    camera = {"kind": "gb28181", "code": "34020000001320000001", "name": "gate"}
    await admin.ok("POST", "devices", camera)
    for number in range(3):
        vehicle = {"kind": "jt808", "code": f"1390000000{number}", "name": f"taxi {number}"}
        await admin.ok("POST", "devices", vehicle)
    assert len((await admin.ok("GET", "tree"))["items"]) == 4
    part = await admin.ok("GET", "tree?pictures=true&limit=1")
    assert ([one["name"] for one in part["items"]], part["next"]) == (["gate"], None)
