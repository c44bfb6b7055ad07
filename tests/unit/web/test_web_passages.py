"""Tollgates, sightings of other systems, and who may look at passages for what."""

from __future__ import annotations

import base64
from typing import Any

import pytest

GATE = "34020000001210000001"
NOW = "2023-11-14T22:13:20Z"  # of the clock in these tests


def jpeg(width: int = 640, height: int = 480, tail: bytes = b"") -> bytes:
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08" + size + b"\x01\x01\x11\x00" + tail + b"\xff\xd9"


def sighting(reference: str, **more: Any) -> dict[str, Any]:
    return {"tollgate": GATE, "reference": reference, "source": "transponder", "at": NOW, "plate": "皖A·12B45", **more}


@pytest.fixture
async def city(house: Any, admin: Any) -> dict[str, Any]:
    """Two districts with a tollgate each, and people who may do this or that in the first."""
    ids: dict[str, Any] = {}
    for name, code, gate in (("own", "340202", GATE), ("foreign", "340203", "34020000001210000002")):
        ids[f"{name}_area"] = (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        values = {
            "name": f"{name} gate",
            "code": gate,
            "area": ids[f"{name}_area"],
            "lanes": [{"number": 1}, {"number": 2}],
        }
        ids[name] = (await admin.ok("POST", "tollgates", values))["id"]
    for role in ("reporter", "viewer", "operator"):
        grants = [{"role": role, "area": ids["own_area"]}]
        await admin.ok("POST", "users", {"username": role, "password": "correct horse battery", "grants": grants})
    return ids


async def client_of(house: Any, name: str) -> Any:
    client = house.client()
    await client.sign_in(name)
    return client


async def passages(client: Any, **asked: Any) -> list[dict[str, Any]]:
    return (await client.ok("GET", "passages", params={"purpose": "traffic", **asked}))["items"]


async def test_a_transponder_reader_a_laser_and_a_camera_report_one_passage(house: Any, city: dict[str, Any]) -> None:
    machine, operator = await client_of(house, "reporter"), await client_of(house, "operator")
    picture = {"kind": "01", "data": base64.b64encode(jpeg()).decode()}
    batch = {
        "items": [
            sighting("a", speed_kmh=None),
            sighting("b", source="laser", plate="", lane=None, speed_kmh=71.5, at="2023-11-14T22:13:20.5Z"),
            sighting("c", source="camera", lane=2, plate="皖A12845", confidence=0.4, pictures=[picture]),
            sighting("d", plate="皖C99999"),
        ]
    }
    assert [one["outcome"] for one in (await machine.ok("POST", "sightings", batch))["items"]] == [
        "new", "fused", "fused", "new",
    ]  # fmt: skip
    found = await passages(operator)
    assert sorted((one["plate"], one["sightings"], one["speed_kmh"]) for one in found) == [
        ("皖A12B45", 3, 71.5), ("皖C99999", 1, None),
    ]  # fmt: skip
    fused = next(one for one in found if one["sightings"] == 3)
    whole = await operator.ok("GET", f"passages/{fused['id']}", params={"purpose": "traffic"})
    assert [one["source"] for one in whole["seen_by"]] == ["transponder", "laser", "camera"]
    assert whole["shown_by"] == [{"number": 0, "kind": "01", "width": 640, "height": 480}]
    shown = await operator.ask("GET", f"passages/{fused['id']}/pictures/0", params={"purpose": "traffic"})
    assert shown.content == jpeg()
    assert shown.headers["content-type"] == "image/jpeg"
    assert (
        await operator.ask("GET", f"passages/{fused['id']}/pictures/1", params={"purpose": "traffic"})
    ).status_code == 404


async def test_a_batch_sent_again_is_filed_once_and_a_correction_takes_the_place_of_what_was_said(
    house: Any, city: dict[str, Any]
) -> None:
    machine, operator = await client_of(house, "reporter"), await client_of(house, "operator")
    picture = {"kind": "01", "data": base64.b64encode(jpeg()).decode()}
    batch = {"items": [sighting("a", pictures=[picture])]}

    async def outcome() -> str:
        return (await machine.ok("POST", "sightings", batch))["items"][0]["outcome"]

    assert await outcome() == "new"
    house.clock.advance(1)
    assert [await outcome() for _ in range(9)] == ["known"] * 9
    assert len([key async for key in house.services.blobs.keys("passages/")]) == 1
    batch["items"][0]["plate"] = "皖A12B46"
    assert await outcome() == "corrected"
    (one,) = await passages(operator)
    assert (one["plate"], one["sightings"], one["pictures"]) == ("皖A12B46", 1, 2)


async def test_nobody_reports_for_a_tollgate_that_is_not_theirs_and_then_nothing_is_filed(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    machine, viewer = await client_of(house, "reporter"), await client_of(house, "viewer")
    batch = {"items": [sighting("a"), sighting("b", tollgate=city["foreign"])]}
    refused = await machine.ask("POST", "sightings", batch)
    assert (refused.status_code, refused.json()["code"]) == (404, "sighting_nowhere")
    assert await passages(admin) == []
    assert (await viewer.ask("POST", "sightings", {"items": [sighting("a")]})).status_code == 403
    assert (await machine.ask("GET", "passages", params={"purpose": "traffic"})).status_code == 403


async def test_looking_needs_a_purpose_that_the_passage_was_kept_for(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await admin.ok("PATCH", f"tollgates/{city['own']}", {"purposes": ["traffic"]})
    machine, operator = await client_of(house, "reporter"), await client_of(house, "operator")
    await machine.ok("POST", "sightings", {"items": [sighting("a")]})
    assert (await operator.ask("GET", "passages")).status_code == 422
    (one,) = await passages(operator)
    assert await passages(operator, purpose="security") == []
    wrong = await operator.ask("GET", f"passages/{one['id']}", params={"purpose": "security"})
    assert wrong.status_code == 404
    logged = [record for record in (await admin.ok("GET", "audit"))["items"] if record["action"] == "passage.see"]
    assert {record["details"]["purpose"] for record in logged} == {"traffic", "security"}


async def test_what_is_restricted_is_for_administrators_and_what_is_past_its_time_for_nobody(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await admin.ok("PATCH", f"tollgates/{city['own']}", {"restricted": True, "retention_days": 1})
    machine, operator = await client_of(house, "reporter"), await client_of(house, "operator")
    picture = {"kind": "01", "data": base64.b64encode(jpeg()).decode()}
    await machine.ok("POST", "sightings", {"items": [sighting("a", pictures=[picture])]})
    (one,) = await passages(admin)
    assert await passages(operator) == []
    for path in (f"passages/{one['id']}", f"passages/{one['id']}/pictures/0"):
        assert (await operator.ask("GET", path, params={"purpose": "traffic"})).status_code == 404
    house.clock.advance(86_400)
    await admin.sign_in("root")
    assert await passages(admin) == []  # before anything was swept
    assert await house.services.passages.sweep() == 1
    assert [key async for key in house.services.blobs.keys("passages/")] == []


async def test_passages_of_another_district_are_not_there(house: Any, admin: Any, city: dict[str, Any]) -> None:
    operator = await client_of(house, "operator")
    await admin.ok("POST", "sightings", {"items": [sighting("a", tollgate=city["foreign"])]})
    (one,) = await passages(admin)
    assert await passages(operator) == []
    assert (await operator.ask("GET", f"passages/{one['id']}", params={"purpose": "traffic"})).status_code == 404


@pytest.mark.parametrize(
    ("asked", "count"),
    [({}, 5), ({"plate": "皖A*"}, 4), ({"plate": "皖A1000?"}, 4), ({"plate": "皖a·10001"}, 1), ({"plate": "%"}, 5),
     ({"plate": "皖C_"}, 0), ({"start": "2023-11-14T22:13:23Z"}, 2), ({"end": "2023-11-14T22:13:20Z"}, 0)],
)  # fmt: skip
async def test_passages_are_found_by_plate_and_time(
    asked: dict[str, str], count: int, house: Any, admin: Any, city: dict[str, Any]
) -> None:
    items = [
        sighting(str(number), plate=f"皖A1000{number}" if number else "皖CXYZ12", at=f"2023-11-14T22:13:2{number}Z")
        for number in range(5)
    ]
    await admin.ok("POST", "sightings", {"items": items})
    assert len(await passages(admin, **asked)) == count


async def test_pages_follow_one_another_without_a_gap(house: Any, admin: Any, city: dict[str, Any]) -> None:
    items = [sighting(str(number), plate=f"皖{'ABCDEFGHJK'[number]}{number}{number}9{number}7") for number in range(10)]
    await admin.ok("POST", "sightings", {"items": items})
    found: list[str] = []
    cursor = ""
    while True:
        page = await admin.ok("GET", "passages", params={"purpose": "traffic", "limit": 3, "cursor": cursor})
        found += [one["plate"] for one in page["items"]]
        cursor = page["next"]
        if cursor is None:
            break
    assert sorted(found) == sorted(one["plate"] for one in items)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (jpeg(0, 0), "empty"),
        (jpeg(9000, 6000), "pixels"),
        (b"not a picture", "format"),
        (jpeg(tail=bytes(9 << 20)), None),
    ],
)
async def test_bad_pictures_are_refused_in_words(
    data: bytes, reason: str | None, house: Any, admin: Any, city: dict[str, Any]
) -> None:
    picture = {"kind": "01", "data": base64.b64encode(data).decode()}
    refused = await admin.ask("POST", "sightings", {"items": [sighting("a", pictures=[picture])]})
    assert refused.status_code in (400, 413, 422)
    if reason:
        assert refused.json()["params"]["reason"] == reason
    assert await passages(admin) == []


async def test_a_body_beyond_the_limit_is_refused_before_it_is_read(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    big = b" " * (17 << 20)
    refused = await admin.inner.post("/api/v1/sightings", content=big, headers={"x-csrf-token": admin.me["csrf"]})
    assert refused.status_code == 413


async def test_a_tollgate_is_checked_and_changes_under_its_revision(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    for bad in (
        {"code": "123"}, {"lanes": [{"number": 1}, {"number": 1}]}, {"longitude": 118.0}, {"purposes": []},
        {"lanes": [{"number": 1, "max_speed_kmh": 900}]}, {"reporters": ["dv_00000000000000000000000000"]},
        {"lanes": [{"number": 1, "channel": "ch_00000000000000000000000000"}]},
    ):  # fmt: skip
        answer = await admin.ask("POST", "tollgates", {"name": "x", **bad})
        assert answer.status_code in (400, 404, 422), bad
    taken = await admin.ask("POST", "tollgates", {"name": "x", "code": GATE})
    assert taken.json()["code"] == "tollgate_code_taken"
    stale = await admin.ask("PATCH", f"tollgates/{city['own']}", {"name": "y"}, headers={"if-match": '"7"'})
    assert stale.status_code == 412
    changed = await admin.ok("PATCH", f"tollgates/{city['own']}", {"name": "y", "longitude": 118.3, "latitude": 31.3})
    assert (changed["name"], changed["revision"], len(changed["lanes"])) == ("y", 2, 2)
    busy = await admin.ask("DELETE", f"areas/{city['own_area']}")
    assert busy.json()["code"] == "area_in_use"
    await admin.ok("DELETE", f"tollgates/{city['own']}")
    assert (await admin.ask("GET", f"tollgates/{city['own']}")).status_code == 404
