"""What vehicles took: kept once and whole, looked at for a purpose by who may, gone when its days are over."""

from __future__ import annotations

import asyncio
import dataclasses
import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from tests.unit.drivers_jt808.scene import Vehicle, open_scene

from safecity.core.upper.fleet import media
from safecity.core.upper.fleet.api import VehicleMedia, attachment
from safecity.kit.clock import rfc3339
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError, RefusedError, UnavailableError
from safecity.kit.ids import fresh
from safecity.model.facts.signal_calls import JtTerminal
from safecity.model.facts.vehicle_calls import (
    AttachmentBytes,
    KeepAttachment,
    KeepMedia,
    PhotographFrom,
    ReadAttachment,
    SayTerminal,
    TerminalDid,
    TerminalSaid,
)
from safecity.protocols.jt808.records import MediaAnswer, MediaData

PHONE, NAME = "13912345678", "皖A12345"
DAY = 86_400
JPEG = bytes.fromhex("ffd8ffc0000b080010002001011100ffd9")
"""The head of one, 32 x 16."""


@pytest.fixture
async def bus(house: Any, admin: Any) -> str:
    return str((await admin.ok("POST", "devices", {"kind": "jt808", "code": PHONE, "name": NAME}))["id"])


def taken(house: Any, bus: str, **more: Any) -> KeepMedia:
    now = house.clock.now_us()
    values: dict[str, Any] = {
        "device": bus, "number": 1, "channel": 2, "kind": "picture", "format": "jpeg", "cause": "collision",
        "at": now - 5_000_000, "seen": now, "data": JPEG, "longitude": 121.47, "latitude": 31.23,
    }  # fmt: skip
    return KeepMedia(**{**values, **more})


async def listed(client: Any, bus: str, **more: str) -> list[dict[str, Any]]:
    query = "&".join(f"{name}={value}" for name, value in ({"purpose": "security"} | more).items())
    return list((await client.ok("GET", f"devices/{bus}/media?{query}"))["items"])


async def lying(house: Any) -> list[str]:
    return [key async for key in house.services.blobs.keys(f"{media.FOLDER}/")]


async def somebody(house: Any, admin: Any, name: str, **grant: str) -> Any:
    user = {"username": name, "password": "correct horse battery", "grants": [grant]}
    await admin.ok("POST", "users", user)
    client = house.client()
    await client.sign_in(name)
    return client


async def test_a_picture_is_listed_with_its_cause_and_place_and_read_as_it_came(
    house: Any, admin: Any, bus: str
) -> None:
    assert await house.services.vehicle_media.keep(taken(house, bus))
    (one,) = await listed(admin, bus, reason="case 7")
    assert (one["channel"], one["kind"], one["cause"], one["shown"]) == (2, "picture", "collision", True)
    assert (one["longitude"], one["latitude"]) == (121.47, 31.23)
    assert (one["bytes"], one["sha256"]) == (len(JPEG), hashlib.sha256(JPEG).hexdigest())
    answer = await admin.ask("GET", f"devices/{bus}/media/{one['id']}?purpose=security")
    assert (answer.content, answer.headers["content-type"]) == (JPEG, "image/jpeg")
    assert answer.headers["x-content-type-options"] == "nosniff"
    looked, asked = (await admin.ok("GET", "audit"))["items"][:2]
    assert [one["action"] for one in (asked, looked)] == ["vehicle.replay"] * 2
    assert (asked["object"], asked["reason"], asked["details"]["purpose"]) == (bus, "case 7", "security")
    assert (looked["details"]["what"], looked["details"]["medium"]) == ("medium", one["id"])


async def test_what_comes_twice_is_kept_once_and_the_same_number_of_another_day_is_another(
    house: Any, admin: Any, bus: str
) -> None:
    first = taken(house, bus)
    both = await asyncio.gather(*(house.services.vehicle_media.keep(first) for _ in range(2)))
    assert sorted(both) == [False, True]
    assert not await house.services.vehicle_media.keep(taken(house, bus))
    assert await house.services.vehicle_media.keep(taken(house, bus, data=JPEG + b"\0"))
    assert len(await listed(admin, bus)) == 2
    await house.services.loose.sweep()
    assert len(await lying(house)) == 2


async def test_a_camera_that_sees_nothing_takes_the_same_bytes_and_each_time_it_is_another_picture(
    house: Any, admin: Any, bus: str
) -> None:
    """Terminals count from 1 whenever they are switched on, so that the number is no help."""
    keep = house.services.vehicle_media.keep
    first = taken(house, bus, cause="robbery")
    assert await keep(first)
    house.clock.advance(3600)
    assert not await keep(msgspec.structs.replace(first, seen=house.clock.now_us())), "the answer was lost: the same"
    again = taken(house, bus, cause="robbery")
    assert await keep(again)
    timeless = taken(house, bus, at=house.clock.now_us())
    assert not await keep(timeless), "one that does not say when may be either"
    await admin.sign_in("root")  # the session is over
    assert [one["at"] for one in await listed(admin, bus)] == [rfc3339(one.at) for one in (again, first)]


@pytest.mark.parametrize("data", [b"<html><script>alert(1)</script>", b"\xff\xd8 and nothing", b"GIF89a\1\0\1\0", b""])
async def test_what_only_says_that_it_is_a_jpeg_is_kept_but_never_shown(
    house: Any, admin: Any, bus: str, data: bytes
) -> None:
    await house.services.vehicle_media.keep(taken(house, bus, data=data))
    (one,) = await listed(admin, bus)
    assert (one["format"], one["shown"]) == ("jpeg", False)
    answer = await admin.ask("GET", f"devices/{bus}/media/{one['id']}?purpose=security")
    assert (answer.content, answer.headers["content-type"]) == (data, "application/octet-stream")
    assert answer.headers["content-disposition"].startswith("attachment;")


async def test_the_list_is_newest_first_in_parts(house: Any, admin: Any, bus: str) -> None:
    now = house.clock.now_us()
    for number in (3, 1, 4, 2, 5):  # a terminal sends late what it kept, and two may be of one moment
        await house.services.vehicle_media.keep(taken(house, bus, number=number, at=now + number // 2 * 1_000_000))
    found, cursor = list[int](), ""
    for _ in range(3):
        part = await admin.ok("GET", f"devices/{bus}/media?purpose=traffic&limit=2&cursor={cursor}")
        found += [one["number"] for one in part["items"]]
        cursor = part["next"]
    assert cursor is None
    assert sorted(found[:2]) == [4, 5]
    assert sorted(found[2:4]) == [2, 3]
    assert found[4:] == [1]


async def test_nobody_looks_into_a_cabin_without_a_purpose_a_right_or_from_another_district(
    house: Any, admin: Any, bus: str
) -> None:
    south = await admin.ok("POST", "areas", {"name": "South", "code": "35"})
    north = await admin.ok("POST", "areas", {"name": "North", "code": "34"})
    await admin.ok("PATCH", f"devices/{bus}", {"area": south["id"]}, headers={"if-match": '"1"'})
    await house.services.vehicle_media.keep(taken(house, bus))
    (one,) = await listed(admin, bus)
    path = f"devices/{bus}/media/{one['id']}"
    for ask in (f"devices/{bus}/media", path, f"{path}?purpose=curiosity"):
        assert (await admin.ask("GET", ask)).status_code == 422
    viewer = await somebody(house, admin, "viewer", role="viewer")
    assert (await viewer.ask("GET", f"{path}?purpose=traffic")).status_code == 403
    stranger = await somebody(house, admin, "north", role="operator", area=north["id"])
    for ask in (path, f"devices/{bus}/media"):
        assert (await stranger.ask("GET", f"{ask}?purpose=traffic")).status_code == 404
    # It moves to the other district: what it took before stays with those of the first one.
    await admin.ok("PATCH", f"devices/{bus}", {"area": north["id"]}, headers={"if-match": '"2"'})
    assert await listed(stranger, bus) == []
    assert (await stranger.ask("GET", f"{path}?purpose=traffic")).status_code == 404
    other = await admin.ok("POST", "devices", {"kind": "jt808", "code": "13912345679"})
    assert (await admin.ask("GET", f"devices/{other['id']}/media/{one['id']}?purpose=traffic")).status_code == 404


@pytest.fixture
async def outsider(house: Any, admin: Any, bus: str) -> Any:
    """An operator for whom the camera in the cabin (2) is none; the one at the door is 1."""
    await admin.ok("POST", f"devices/{bus}/cameras", {"numbers": [1, 2]})
    cabin = next(one for one in (await admin.ok("GET", f"channels?device={bus}"))["items"] if one["code"] == "2")
    mark = {"if-match": f'"{cabin["revision"]}"'}
    await admin.ok("PATCH", f"channels/{cabin['id']}", {"tags": ["cabin"]}, headers=mark)
    grants = [{"role": "supervisor"}, {"role": "viewer", "tags": ["cabin"], "deny": True}]
    await admin.ok("POST", "users", {"username": "outsider", "password": "correct horse battery", "grants": grants})
    client = house.client()
    await client.sign_in("outsider")
    return client


async def test_what_a_camera_took_is_for_whoever_may_look_through_it(
    house: Any, admin: Any, bus: str, outsider: Any
) -> None:
    for number, channel in enumerate((1, 2, 1, 2, 9)):
        await house.services.vehicle_media.keep(taken(house, bus, number=number, channel=channel))
    assert [one["channel"] for one in await listed(admin, bus)] == [9, 2, 1, 2, 1]
    assert [one["channel"] for one in await listed(outsider, bus)] == [9, 1, 1]
    assert [one["channel"] for one in await listed(outsider, bus, limit="2")] == [9, 1]
    assert (await admin.ok("GET", "audit"))["items"][0]["details"]["shown"] == 2, "as many as were told"
    inside = next(one for one in await listed(admin, bus) if one["channel"] == 2)
    assert (await outsider.ask("GET", f"devices/{bus}/media/{inside['id']}?purpose=traffic")).status_code == 404


async def test_nor_is_it_asked_to_take_one_or_to_send_its_recordings_elsewhere(
    house: Any, admin: Any, bus: str, outsider: Any
) -> None:
    house.calls.answers[PhotographFrom] = TerminalDid()
    house.calls.answers[SayTerminal] = TerminalSaid()
    wish = {"purpose": "security"}
    assert (await outsider.ask("POST", f"devices/{bus}/picture", {**wish, "channel": 2})).status_code == 404
    await outsider.ok("POST", f"devices/{bus}/picture", {**wish, "channel": 1})
    assert house.calls.of(PhotographFrom) == [PhotographFrom(bus, 1)]
    path, wish = f"devices/{bus}/message", {**wish, "confirm": NAME}
    for message in ("8801", "9205", "9206", "9208"):
        for fields in ({"channel": 2}, {"channel": 0}, {}):  # 0 and none mean all of them
            answer = await outsider.ask("POST", path, {**wish, "message": message, "fields": fields})
            assert (answer.status_code, message) == (404, message)
        answer = await outsider.ask("POST", path, {**wish, "message": message, "fields": {"channel": 1}})
        assert answer.status_code == (404 if message == "9208" else 200), "attachments may be of any camera"
    assert len(house.calls.of(SayTerminal)) == 3
    await admin.ok("POST", path, {**wish, "message": "9208", "fields": {}})


async def test_it_goes_when_its_days_are_over_bytes_and_all(house: Any, admin: Any, bus: str) -> None:
    await house.services.vehicle_media.keep(taken(house, bus))
    house.clock.advance(29 * DAY)
    await house.services.vehicle_media.keep(taken(house, bus, number=2))
    await house.services.retention.step()
    assert len(await lying(house)) == 2
    house.clock.advance(DAY)
    await admin.sign_in("root")  # the session is long over
    assert [one["number"] for one in await listed(admin, bus)] == [2]  # not seen any more, though not yet swept
    await house.services.retention.step()
    assert len(await lying(house)) == 1
    await house.services.retention.step()
    assert [one["number"] for one in await listed(admin, bus)] == [2]


async def test_it_goes_with_its_vehicle_and_that_of_others_stays(house: Any, admin: Any, bus: str) -> None:
    other = await admin.ok("POST", "devices", {"kind": "jt808", "code": "13912345679"})
    for device in (bus, other["id"]):
        await house.services.vehicle_media.keep(taken(house, device))
    await admin.ok("DELETE", f"devices/{bus}")
    await house.services.retention.step()
    assert len(await lying(house)) == 1
    assert len(await listed(admin, other["id"])) == 1


async def test_where_nothing_is_to_be_kept_nothing_is(house: Any, bus: str) -> None:
    here = house.services
    nothing = VehicleMedia(here.database, here.blobs, here.loose, here.clock, 0)
    assert not await nothing.keep(taken(house, bus))
    assert await lying(house) == []


async def test_a_death_between_the_bytes_and_their_row_leaves_nothing_and_the_picture_comes_again(
    house: Any, admin: Any, bus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def died(*_: Any) -> None:
        raise asyncio.CancelledError

    with monkeypatch.context() as patched:
        patched.setattr(media.table, "add", died)
        with pytest.raises(asyncio.CancelledError):
            await house.services.vehicle_media.keep(taken(house, bus))
    assert len(await lying(house)) == 1
    house.services.loose._under_way.clear()  # as after a start
    assert await house.services.loose.sweep() == 1
    assert await lying(house) == []
    assert await house.services.vehicle_media.keep(taken(house, bus))
    assert len(await listed(admin, bus)) == len(await lying(house)) == 1


async def test_a_full_disk_is_no_picture(house: Any, admin: Any, bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def full(*_: Any) -> None:
        raise UnavailableError("no room", code="blobs_unavailable")

    with monkeypatch.context() as patched:
        patched.setattr(house.services.blobs, "put", full)
        with pytest.raises(UnavailableError):
            await house.services.vehicle_media.keep(taken(house, bus))
    assert await listed(admin, bus) == []


@pytest.mark.parametrize("cause", ["robbery", "collision", "ordered"])
async def test_a_vehicle_that_takes_all_day_fills_no_disk_and_what_somebody_waits_for_still_has_room(
    house: Any, bus: str, monkeypatch: pytest.MonkeyPatch, cause: str
) -> None:
    monkeypatch.setattr(media, "MAX_PER_DAY", 2)
    keep = house.services.vehicle_media.keep
    for number in (1, 2):
        await keep(taken(house, bus, number=number, cause="timer"))
    with pytest.raises(ExhaustedError, match="too many"):
        await keep(taken(house, bus, number=3, cause="timer"))
    assert not await keep(taken(house, bus, number=2, cause="timer")), "known, so that the terminal hears of it"
    assert await keep(taken(house, bus, number=3, cause=cause))
    house.clock.advance(DAY + 1)
    assert await keep(taken(house, bus, number=4, cause="timer"))


async def test_of_a_vehicle_that_is_not_there_nothing_is_kept(house: Any, admin: Any, bus: str) -> None:
    await admin.ok("DELETE", f"devices/{bus}")
    with pytest.raises(NotFoundError):
        await house.services.vehicle_media.keep(taken(house, bus))
    assert await lying(house) == []


async def test_from_the_terminals_bytes_to_the_disk_and_where_the_answer_was_lost_once(
    house: Any, admin: Any, bus: str, tmp_path: Path
) -> None:
    async def keep(fact: KeepMedia) -> None:
        await house.services.vehicle_media.keep(fact)

    known = (JtTerminal(bus, PHONE),)
    (tmp_path / "signal").mkdir()
    scene = await open_scene(tmp_path / "signal", house.clock, terminals=known, keep_media=keep)
    try:
        vehicle = Vehicle(scene)
        vehicle.come_in()
        body = MediaData(media_id=9, kind=0, format=0, event=2, channel=1, location=vehicle.fix(), data=JPEG * 200)
        vehicle.say(body)
        for _ in range(2):
            while scene.platform.media._tasks:
                await asyncio.gather(*scene.platform.media._tasks)
            scene.platform.store.flush()
            assert vehicle.heard()[-1] == MediaAnswer(media_id=9)
            assert len(await lying(house)) == 1, "on the disk before it is said"
            vehicle.repeat()  # it did not hear that
    finally:
        await scene.platform.close()
        scene.file.close()
    (one,) = await listed(admin, bus)
    assert (one["number"], one["cause"], one["longitude"], one["shown"]) == (9, "robbery", 121.47, True)
    answer = await admin.ask("GET", f"devices/{bus}/media/{one['id']}?purpose=security")
    assert answer.content == JPEG * 200


async def test_a_picture_is_asked_for_with_a_purpose_and_written_down(house: Any, admin: Any, bus: str) -> None:
    house.calls.answers[PhotographFrom] = TerminalDid(media=(7, 8))
    wish = {"channel": 3, "purpose": "security", "reason": "SOS"}
    assert await admin.ok("POST", f"devices/{bus}/picture", wish) == {"numbers": [7, 8]}
    assert house.calls.of(PhotographFrom) == [PhotographFrom(bus, 3)]
    answered, asked = (await admin.ok("GET", "audit"))["items"][:2]
    assert (asked["action"], asked["reason"], answered["outcome"]) == ("vehicle.replay", "SOS", "done")
    assert (asked["details"]["purpose"], asked["details"]["channel"]) == ("security", 3)
    assert (await admin.ask("POST", f"devices/{bus}/picture", {"channel": 3})).status_code == 422
    assert (await admin.ask("POST", f"devices/{bus}/picture", {**wish, "channel": 0})).status_code == 422
    house.calls.answers[PhotographFrom] = RefusedError("2", code="terminal_no_camera")
    answer = await admin.ask("POST", f"devices/{bus}/picture", wish)
    assert (answer.status_code, answer.json()["code"]) == (502, "terminal_no_camera")
    viewer = await somebody(house, admin, "viewer", role="viewer")
    assert (await viewer.ask("POST", f"devices/{bus}/picture", wish)).status_code == 403


def test_a_row_says_all_that_the_terminal_said() -> None:
    """Whoever adds a field to the one has to think of the other."""
    said = set(KeepMedia.__struct_fields__) - {"data"}
    assert said <= {field.name for field in dataclasses.fields(media.VehicleMedium)}


# --- attachments of alarms --------------------------------------------------------------------------------------


def attached(bus: str, house: Any, data: bytes, **more: Any) -> KeepAttachment:
    now = house.clock.now_us()
    values: dict[str, Any] = {
        "device": bus, "number": 7, "event": fresh("ev"), "name": "00_1_6501_0.jpg", "kind": "picture",
        "format": "jpeg", "at": now - 5_000_000, "seen": now, "size": len(data),
        "digest": hashlib.sha256(data).digest(), "spool": "x", "longitude": 121.47, "latitude": 31.23,
    }  # fmt: skip
    return KeepAttachment(**{**values, **more})


async def pieces(data: bytes, size: int = 100_000) -> AsyncIterator[bytes]:
    for at in range(0, len(data), size):
        yield data[at : at + size]


async def alarmed(house: Any, bus: str) -> str:
    """An alarm of active safety is raised; the fact that it is raised by."""
    body = {
        "device": bus, "channel": "", "code": PHONE, "priority": 3, "method": 5, "type": "jsatl-65-1",
        "event_type": None, "time_us": house.clock.now_us(), "description": "", "longitude": None, "latitude": None,
        "attachments": 2,
    }  # fmt: skip
    event = await house.publish("alarm.received", bus, body)
    return str(event.id)


async def test_attachments_stand_with_the_alarm_that_they_belong_to(house: Any, admin: Any, bus: str) -> None:
    event = await alarmed(house, bus)
    (alarm,) = (await admin.ok("GET", "alarms"))["items"]
    film = bytes(range(256)) * 5000
    media_of = house.services.vehicle_media
    picture = JPEG + bytes(200_000)
    assert await media_of.attach(attached(bus, house, picture, event=event), pieces(picture))
    more = {"event": event, "name": "02_1_6501_1.h264", "kind": "video", "format": "h264"}
    assert await media_of.attach(attached(bus, house, film, **more), pieces(film))
    assert not await media_of.attach(attached(bus, house, film, **more), pieces(b"never read"))
    items = {one["kind"]: one for one in await listed(admin, bus)}
    assert {(one["cause"], one["alarm"], one["alarm_kind"]) for one in items.values()} == {
        ("alarm", alarm["id"], alarm["kind"])
    }
    assert [(items[kind]["name"], items[kind]["shown"]) for kind in ("picture", "video")] == [
        ("00_1_6501_0.jpg", True), ("02_1_6501_1.h264", False),
    ]  # fmt: skip
    path = f"devices/{bus}/media/{items['video']['id']}?purpose=security"
    whole = await admin.ask("GET", path)
    assert (whole.status_code, whole.content) == (200, film)
    assert whole.headers["content-disposition"].startswith("attachment;")
    part = await admin.ask("GET", path, headers={"range": "bytes=100-199"})
    assert (part.status_code, part.content) == (206, film[100:200])
    shown = await admin.ask("GET", f"devices/{bus}/media/{items['picture']['id']}?purpose=security")
    assert (shown.content, shown.headers["content-type"]) == (picture, "image/jpeg")


async def test_files_of_an_alarm_whose_bytes_are_the_same_are_kept_each(house: Any, admin: Any, bus: str) -> None:
    """Two cameras that are covered, and an alarm after the next start with the same number."""
    attach, event = house.services.vehicle_media.attach, await alarmed(house, bus)
    files = [attached(bus, house, JPEG, event=event, name=name) for name in ("00_1_6501_0.jpg", "00_2_6501_1.jpg")]
    files.append(attached(bus, house, JPEG, event=await alarmed(house, bus)))
    for fact in files:
        assert await attach(fact, pieces(JPEG))
        assert not await attach(fact, pieces(b"never read"))
    assert len(await listed(admin, bus)) == len(await lying(house)) == 3


async def test_an_attachment_of_which_the_alarm_is_not_known_stands_there_too(house: Any, admin: Any, bus: str) -> None:
    await house.services.vehicle_media.attach(attached(bus, house, JPEG, name="a" * 300 + "\u202e"), pieces(JPEG))
    (one,) = await listed(admin, bus)
    assert (one["alarm"], one["alarm_kind"], len(one["name"])) == (None, "", 100)


async def test_an_attachment_is_for_whoever_may_look_through_its_camera_and_may_be_of_any_where_it_names_none(
    house: Any, admin: Any, bus: str, outsider: Any
) -> None:
    for channel in (0, 1, 2, 64):
        data = JPEG + bytes((channel,))
        await house.services.vehicle_media.attach(attached(bus, house, data, channel=channel), pieces(data))
    everything = {one["channel"]: one["id"] for one in await listed(admin, bus)}
    assert set(everything) == {0, 1, 2, 64}
    assert [one["channel"] for one in await listed(outsider, bus)] == [1]
    for channel, medium in everything.items():
        answer = await outsider.ask("GET", f"devices/{bus}/media/{medium}?purpose=traffic")
        assert answer.status_code == (200 if channel == 1 else 404)


@pytest.mark.parametrize("came", [b"", b"abc", b"abcdefg", b"abcdeX"])
async def test_bytes_that_are_not_what_was_said_leave_nothing(house: Any, admin: Any, bus: str, came: bytes) -> None:
    fact = attached(bus, house, b"abcdef")
    with pytest.raises(InvalidError) as refused:
        await house.services.vehicle_media.attach(fact, pieces(came))
    assert refused.value.code == "attachment_differs"
    assert await listed(admin, bus) == []
    assert await lying(house) == []
    assert await house.services.vehicle_media.attach(fact, pieces(b"abcdef"))
    await house.services.loose.sweep()
    assert len(await lying(house)) == 1


async def test_a_vehicle_brings_so_much_a_day(house: Any, bus: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media, "MAX_ATTACHED_PER_DAY", 10)
    media_of = house.services.vehicle_media
    assert await media_of.keep(taken(house, bus, data=bytes(100))), "what it took otherwise does not count"
    assert await media_of.attach(attached(bus, house, b"abcdef"), pieces(b"abcdef"))
    with pytest.raises(ExhaustedError) as full:
        await media_of.attach(attached(bus, house, b"ghijk"), pieces(b"ghijk"))
    assert full.value.code == "vehicle_attachments_full"
    assert await media_of.attach(attached(bus, house, b"ghij"), pieces(b"ghij"))
    house.clock.advance(DAY + 1)
    assert await media_of.attach(attached(bus, house, b"ghijk"), pieces(b"ghijk"))


async def test_bytes_are_asked_of_signalling_until_it_has_no_more() -> None:
    data = bytes(range(200))

    class Signalling:
        async def call(self, address: str, message: ReadAttachment, *, timeout: float) -> AttachmentBytes:
            assert (address, message.spool) == ("signal", "s")
            return AttachmentBytes(data[message.offset : message.offset + 64])

    got = [piece async for piece in attachment(Signalling(), "s")]  # type: ignore[arg-type]
    assert (b"".join(got), len(got)) == (data, 4)
