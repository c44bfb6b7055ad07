"""The view library at its door: what cameras and libraries of the field do, and what somebody hostile tries."""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlalchemy import text
from tests.unit.web.viid_client import CAMERA, GATE, JSON, LIBRARY, ViidClient, jpeg, vehicle, vehicles

from safecity.core.ground.images import store
from safecity.kit.errors import UnavailableError

OTHER = "34020300001190000002"


@pytest.fixture
async def city(house: Any, admin: Any) -> AsyncIterator[dict[str, Any]]:
    """Two districts; a camera and a library in the first, a camera in the second."""
    ids: dict[str, Any] = {"clients": []}
    for name, code in (("own", "340202"), ("foreign", "340203")):
        ids[f"{name}_area"] = (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
    await admin.ok(
        "POST", "tollgates", {"name": "gate", "code": GATE, "area": ids["own_area"], "lanes": [{"number": 1}]}
    )
    for name, code, area, address in (
        ("camera", CAMERA, "own_area", "10.0.0.5"),
        ("library", LIBRARY, "own_area", "10.0.0.6"),
        ("other", OTHER, "foreign_area", "10.0.0.7"),
    ):
        device = {"kind": "gat1400", "code": code, "name": name, "area": ids[area]}
        made = await admin.ok("POST", "devices", device)
        ids[f"{name}_id"] = made["id"]
        assert made["registration"]["port"] == 8080
        ids[name] = ViidClient(house.app, code, made["registration"]["password"], address)
        ids["clients"].append(ids[name])
    yield ids
    for client in ids["clients"]:
        await client.inner.aclose()


async def settle(house: Any) -> None:
    while await house.services.intake.step():
        pass


async def passages(admin: Any) -> list[dict[str, Any]]:
    return (await admin.ok("GET", "passages", params={"purpose": "security"}))["items"]


# --- logins --------------------------------------------------------------------------------------------------------


async def test_a_camera_registers_keeps_alive_asks_the_time_and_signs_off(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    camera = city["camera"]
    assert (await camera.keepalive()).status_code == 401  # so that it registers
    done = await camera.register()
    assert (done.status_code, done.json()["ResponseStatusObject"]["StatusCode"]) == (200, 0)
    assert (await camera.keepalive()).json()["ResponseStatusObject"]["StatusCode"] == 0
    told = (await camera.ask("GET", "System/Time")).json()["SystemTimeObject"]
    assert told["LocalTime"] == "20231115061320"
    await settle(house)
    assert (await admin.ok("GET", f"devices/{city['camera_id']}"))["state"] == "online"
    assert (await camera.register("UnRegister")).status_code == 200
    assert (await camera.keepalive()).status_code == 401
    await settle(house)
    assert (await admin.ok("GET", f"devices/{city['camera_id']}"))["state"] == "offline"


@pytest.mark.parametrize(
    "bent",
    [
        {"realm": "x"},
        {"opaque": "x"},
        {"nonce": "x"},
        {"method": "GET"},
        {"uri": "/VIID/System/Keepalive"},
        {"username": OTHER},
    ],
)
async def test_an_answer_to_another_question_is_refused(bent: dict[str, str], city: dict[str, Any]) -> None:
    assert (await city["camera"].register(**bent)).status_code == 401
    assert (await city["camera"].keepalive()).status_code == 401


async def test_a_recorded_login_cannot_be_played_again(city: dict[str, Any], house: Any) -> None:
    camera, body = city["camera"], {"RegisterObject": {"DeviceID": CAMERA}}
    first = await camera.ask("POST", "System/Register", body)
    proof = camera.proof(first.headers["www-authenticate"], "POST", "/VIID/System/Register")
    assert (await camera.ask("POST", "System/Register", body, headers={"Authorization": proof})).status_code == 200
    thief = ViidClient(house.app, CAMERA, "unknown", "10.9.9.9")
    again = await thief.ask("POST", "System/Register", body, headers={"Authorization": proof})
    assert again.status_code == 401
    assert "stale=true" in again.headers["www-authenticate"]
    assert (await thief.keepalive()).status_code == 401
    await thief.inner.aclose()


async def test_an_absolute_address_in_the_signature_is_accepted(city: dict[str, Any]) -> None:
    assert (await city["camera"].register(uri="http://127.0.0.1:8080/VIID/System/Register")).status_code == 200


async def test_a_registration_without_its_wrapping_is_accepted(city: dict[str, Any]) -> None:
    assert (await city["camera"].register(wrapped=False)).status_code == 200


async def test_guessing_locks_the_guesser_out_and_not_the_camera(house: Any, city: dict[str, Any]) -> None:
    guesser = ViidClient(house.app, CAMERA, "guess", "10.9.9.9")
    for _ in range(6):
        answer = await guesser.register()
    assert answer.status_code == 401
    assert "www-authenticate" not in answer.headers
    assert (await city["camera"].register()).status_code == 200
    await guesser.inner.aclose()


async def test_a_stranger_and_an_acquaintance_are_asked_alike(house: Any, city: dict[str, Any]) -> None:
    stranger = ViidClient(house.app, "34020200001199999999", "x", "10.9.9.8")
    asked = await stranger.ask("POST", "System/Register", {"RegisterObject": {"DeviceID": stranger.code}})
    known = await city["camera"].ask("POST", "System/Register", {"RegisterObject": {"DeviceID": CAMERA}})
    assert asked.headers["www-authenticate"].count("=") == known.headers["www-authenticate"].count("=")
    assert (await stranger.register()).status_code == 401
    await stranger.inner.aclose()


async def test_an_identity_cannot_be_taken_from_another_session(city: dict[str, Any]) -> None:
    await city["camera"].register()
    await city["other"].register()
    city["other"].code = CAMERA
    for answer in (
        await city["other"].keepalive(),
        await city["other"].ask("POST", "MotorVehicles", vehicles(vehicle(1))),
        await city["other"].ask("GET", "MotorVehicles"),
    ):
        assert answer.status_code == 403
    mixed = await city["camera"].ask("POST", "System/Keepalive", {"KeepaliveObject": {"DeviceID": OTHER}})
    assert mixed.status_code == 403


async def test_one_account_speaks_for_the_devices_that_name_it_and_for_no_other(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    for number in (1, 2):
        device = {
            "kind": "gat1400",
            "code": f"3402020000119000010{number}",
            "name": "x",
            "username": "gateway",
            "password": "of the gateway",
        }
        await admin.ok("POST", "devices", device)
    for code, status in (("34020200001190000101", 200), ("34020200001190000102", 200), (CAMERA, 401)):
        gateway = ViidClient(house.app, code, "of the gateway", "10.0.1.1", username="gateway")
        assert (await gateway.register()).status_code == status, code
        await gateway.inner.aclose()


async def test_who_is_silent_or_locked_out_must_register_anew(house: Any, admin: Any, city: dict[str, Any]) -> None:
    camera = city["camera"]
    await camera.register()
    house.clock.advance(200)
    assert (await camera.keepalive()).status_code == 200
    house.clock.advance(271)
    await house.services.presence.expire()
    await settle(house)
    await admin.sign_in("root")
    assert (await admin.ok("GET", f"devices/{city['camera_id']}"))["step"] == "device_keepalive"
    assert (await camera.keepalive()).status_code == 401
    await camera.register()
    await admin.ok("PATCH", f"devices/{city['camera_id']}", {"enabled": False})
    assert (await camera.keepalive()).status_code == 401
    assert (await camera.register()).status_code == 401
    await house.services.presence.expire()
    await settle(house)
    assert (await admin.ok("GET", f"devices/{city['camera_id']}"))["state"] == "offline"


class _Away:
    """A bus that takes nothing for a while."""

    async def publish(self, events: Any) -> int:
        raise UnavailableError("no bus", code="bus_unavailable")


async def test_what_the_bus_does_not_take_about_presence_is_told_when_it_does(
    house: Any, admin: Any, city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    camera, other, presence = city["camera"], city["other"], house.services.presence

    async def states() -> list[str]:
        await settle(house)
        await admin.sign_in("root")
        return [(await admin.ok("GET", f"devices/{city[name]}"))["state"] for name in ("camera_id", "other_id")]

    with monkeypatch.context() as away:
        away.setattr(presence, "_bus", _Away())
        assert (await camera.register()).status_code == 503
    assert (await camera.keepalive()).status_code == 401, "so that it registers anew"
    await camera.register()
    await other.register()
    assert await states() == ["online", "online"]
    with monkeypatch.context() as away:
        away.setattr(presence, "_bus", _Away())
        assert (await camera.register("UnRegister")).status_code == 503
        house.clock.advance(271)
        with pytest.raises(UnavailableError):
            await presence.expire()
    await presence.expire()
    assert await states() == ["offline", "offline"]


# --- objects -------------------------------------------------------------------------------------------------------


async def test_a_passage_with_its_picture_comes_back_as_it_came(house: Any, admin: Any, city: dict[str, Any]) -> None:
    camera = city["camera"]
    await camera.register()
    sent = vehicle(1, picture=jpeg(), VendorExtension={"radar": [1, {"deep": True}]})
    assert await camera.send("MotorVehicles", vehicles(sent)) == [(sent["MotorVehicleID"], 0)]
    back = await camera.ask("GET", f"MotorVehicles/{sent['MotorVehicleID']}")
    assert back.json() == {"MotorVehicleObject": sent}
    (passage,) = await passages(admin)
    assert (passage["plate"], passage["plate_colour"], passage["lane"], passage["speed_kmh"]) == (
        "皖A12B45",
        "blue",
        1,
        43,
    )
    assert passage["tollgate_name"] == "gate"
    shown = await admin.ask("GET", f"passages/{passage['id']}/pictures/0", params={"purpose": "security"})
    assert shown.content == jpeg()


@pytest.mark.parametrize(
    "wrap",
    [
        vehicles,
        lambda one: {"MotorVehicleListObject": {"MotorVehicleObject": one}},
        lambda one: {"MotorVehicleObjectList": {"MotorVehicleObject": [one]}},
        lambda one: {"MotorVehicleList": [one]},
        lambda one: [one],
        lambda one: one,
    ],
)
async def test_every_wrapping_of_the_field_is_taken(wrap: Any, city: dict[str, Any]) -> None:
    await city["camera"].register()
    assert [code for _, code in await city["camera"].send("MotorVehicles", wrap(vehicle(1)))] == [0]


async def test_the_same_passage_ten_times_is_one_and_its_picture_is_kept_once(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await city["camera"].register()
    for _ in range(10):
        assert [
            code for _, code in await city["camera"].send("MotorVehicles", vehicles(vehicle(1, picture=jpeg())))
        ] == [0]
    # Under ten numbers it is ten sights of one vehicle.
    await city["camera"].send("MotorVehicles", vehicles(*(vehicle(number) for number in range(2, 11))))
    (passage,) = await passages(admin)
    assert (passage["sightings"], passage["pictures"]) == (10, 1)
    assert len([key async for key in house.services.blobs.keys("passages/")]) == 1


async def test_one_bad_object_has_its_own_status_and_the_others_are_kept(admin: Any, city: dict[str, Any]) -> None:
    await city["camera"].register()
    body = vehicles(vehicle(1), {"PlateNo": "no id"}, vehicle(2, plate="皖C99999"), vehicle("x" * 65))
    assert [code for _, code in await city["camera"].send("MotorVehicles", body)] == [0, 8, 0, 8]
    assert len(await passages(admin)) == 2


@pytest.mark.parametrize(
    ("picture", "reason"),
    [
        (jpeg(0, 0), "empty"),
        (jpeg(8192, 6144), "pixels"),
        (b"no picture", "format"),
        (jpeg(tail=bytes(9 << 20)), "large"),
    ],
)
async def test_a_bad_picture_is_left_out_and_said_so_and_the_passage_stays(
    picture: bytes, reason: str, house: Any, admin: Any, city: dict[str, Any]
) -> None:
    await city["camera"].register()
    answer = await city["camera"].ask("POST", "MotorVehicles", vehicles(vehicle(1, picture=picture)))
    (status,) = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
    assert (status["StatusCode"], reason in status["StatusString"]) == (0, True)
    (passage,) = await passages(admin)
    assert passage["pictures"] == 0
    assert [key async for key in house.services.blobs.keys("passages/")] == []


@pytest.mark.slow
async def test_ten_thousand_objects_in_one_request_are_kept(house: Any, admin: Any, city: dict[str, Any]) -> None:
    await city["camera"].register()
    faces = [{"FaceID": f"{CAMERA}{number:028d}", "DeviceID": CAMERA, "InfoKind": 1} for number in range(10_000)]
    answer = await city["camera"].send("Faces", {"FaceListObject": {"FaceObject": faces}})
    assert [code for _, code in answer] == [0] * 10_000
    listed = await city["camera"].ask("GET", "Faces", params={"RecordStartNo": 9_951, "PageRecordNum": 100})
    assert len(listed.json()["FaceListObject"]["FaceObject"]) == 50
    more = {"FaceListObject": {"FaceObject": [*faces, {"FaceID": "1"}]}}
    assert (await city["camera"].ask("POST", "Faces", more)).status_code == 413


async def test_a_body_of_20_megabytes_is_refused_by_its_length_alone(house: Any, city: dict[str, Any]) -> None:
    await city["camera"].register()
    read: list[int] = []

    async def never() -> AsyncIterator[bytes]:
        read.append(1)
        yield b" "

    headers = {"User-Identify": CAMERA, "Content-Type": "application/json", "Content-Length": str(20 << 20)}
    refused = await city["camera"].inner.post("/VIID/Images", content=never(), headers=headers)
    assert refused.status_code == 413
    assert refused.json()["ResponseStatusObject"]["StatusCode"] == 4
    streamed = await city["camera"].inner.post(
        "/VIID/Images", content=_pieces(20), headers={"User-Identify": CAMERA, "Content-Type": "application/json"}
    )
    assert streamed.status_code == 413


async def test_who_is_not_known_yet_cannot_make_us_read_much(city: dict[str, Any]) -> None:
    for call in ("Register", "Keepalive"):
        answer = await city["camera"].inner.post(
            f"/VIID/System/{call}", content=_pieces(4), headers={"Content-Type": "application/json"}
        )
        assert answer.status_code == 413


async def _pieces(megabytes: int) -> AsyncIterator[bytes]:
    for _ in range(megabytes):
        yield bytes(1 << 20)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "MotorVehicles", b"{", 400),
        ("POST", "MotorVehicles", b"{}", 400),
        ("POST", "MotorVehicles", b"[" * 4000, 400),
        ("GET", "Nothing", b"", 404),
        ("POST", "Tollgates", b"{}", 405),
        ("PUT", "APEs", b'{"APEObject":{"ApeID":"1","Password":"new"}}', 400),
        ("GET", "MotorVehicles?Owner=me", b"", 400),
        ("GET", "MotorVehicles?1%3D1--=x", b"", 400),
        ("GET", "MotorVehicles/unknown", b"", 404),
        ("DELETE", "MotorVehicles", b"", 400),
        ("PUT", "SubscribeNotifications", b"{}", 405),
        ("GET", "Images/1/2/3", b"", 404),
    ],
)
async def test_whatever_is_wrong_is_answered_in_the_words_of_the_standard(
    method: str, path: str, body: bytes, status: int, city: dict[str, Any]
) -> None:
    await city["camera"].register()
    headers = {"User-Identify": CAMERA, "Content-Type": "application/VIID+JSON"}
    answer = await city["camera"].inner.request(method, f"/VIID/{path}", content=body, headers=headers)
    assert answer.status_code == status, answer.text
    assert answer.json()["ResponseStatusObject"]["StatusCode"] > 0


XML = """<?xml version="1.0" encoding="{0}"?>
<v:MotorVehicleListObject xmlns:v="http://www.example.org/VIID">
{1}
</v:MotorVehicleListObject>"""


def as_xml(name: str, value: Any) -> str:
    """In the form that some clients write."""
    if isinstance(value, list):
        return "".join(as_xml(name, one) for one in value)
    inner = "".join(as_xml(*one) for one in value.items()) if isinstance(value, dict) else str(value)
    return f"<{name}>{inner}</{name}>"


@pytest.mark.parametrize(("declared", "charset"), [("UTF-8", "utf-8"), ("GB2312", "gb18030")])
async def test_a_client_that_writes_xml_is_read_and_answered_in_json(
    admin: Any, city: dict[str, Any], declared: str, charset: str
) -> None:
    await city["camera"].register()
    both = [vehicle(1, picture=jpeg()), vehicle(2, PassTime="20231115061420")]
    body = XML.format(declared, as_xml("MotorVehicleObject", both)).encode(charset)
    headers = {"User-Identify": CAMERA, "Content-Type": f"application/VIID+XML;charset={declared}"}
    answer = await city["camera"].inner.request("POST", "/VIID/MotorVehicles", content=body, headers=headers)
    assert answer.headers["content-type"] == "application/VIID+JSON;charset=UTF-8"
    listed = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
    assert [one["StatusCode"] for one in listed] == [0, 0]
    found = (await admin.ok("GET", "passages", params={"purpose": "traffic"}))["items"]
    assert [(one["plate"], one["speed_kmh"], one["pictures"]) for one in found] == [
        ("皖A12B45", 43, 0),
        ("皖A12B45", 43, 1),
    ]
    kept = (await city["camera"].ask("GET", f"MotorVehicles/{vehicle(1)['MotorVehicleID']}")).json()
    assert kept["MotorVehicleObject"]["SubImageList"]["SubImageInfoObject"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('<!DOCTYPE a [<!ENTITY x "y">]><MotorVehicleListObject>&x;</MotorVehicleListObject>', 400, 5),
        ("not XML at all", 400, 5),
        ("<a>" * 100 + "</a>" * 100, 400, 5),
        ("<FaceListObject/>", 400, 8),
    ],
)
async def test_xml_that_is_dangerous_or_none_is_refused(
    city: dict[str, Any], body: str, status: int, code: int
) -> None:
    await city["camera"].register()
    headers = {"User-Identify": CAMERA, "Content-Type": "application/VIID+XML"}
    answer = await city["camera"].inner.request("POST", "/VIID/MotorVehicles", content=body.encode(), headers=headers)
    assert (answer.status_code, answer.json()["ResponseStatusObject"]["StatusCode"]) == (status, code)


async def test_what_a_person_believes_is_never_in_the_database(house: Any, city: dict[str, Any]) -> None:
    await city["camera"].register()
    face = {"FaceID": "1", "EthicCode": "99", "Religion": "secret-faith", "GenderCode": "1"}
    await city["camera"].send("Faces", {"FaceListObject": {"FaceObject": [face]}})
    back = (await city["camera"].ask("GET", "Faces/1")).json()["FaceObject"]
    assert back == {"FaceID": "1", "GenderCode": "1"}


async def test_what_a_camera_sent_others_cannot_read_change_or_take_back(admin: Any, city: dict[str, Any]) -> None:
    for name in ("camera", "library", "other"):
        await city[name].register()
    sent = vehicle(1)
    await city["camera"].send("MotorVehicles", vehicles(sent))
    await city["camera"].send("Faces", {"FaceListObject": {"FaceObject": [{"FaceID": "1"}]}})
    path = f"MotorVehicles/{sent['MotorVehicleID']}"
    assert (await city["library"].ask("GET", path)).status_code == 200  # its area
    assert (await city["library"].ask("GET", "Faces/1")).status_code == 404  # tells of a person
    assert (await city["other"].ask("GET", path)).status_code == 404
    for query, count in (
        ("PlateNo=皖A·12B45", 1),
        ("PlateNo=皖A12B46", 0),
        (f"TollgateID={GATE}", 1),
        ("DeviceID=1", 0),
    ):
        listed = (await city["library"].ask("GET", f"MotorVehicles?{query}")).json()
        assert len(listed["MotorVehicleListObject"]["MotorVehicleObject"]) == count, query
    for query in ("", f"?DeviceID={CAMERA}", f"?MotorVehicleID={sent['MotorVehicleID']}", "?PassTime>=20200101000000"):
        found = (await city["other"].ask("GET", f"MotorVehicles{query}")).json()
        assert found["MotorVehicleListObject"]["MotorVehicleObject"] == [], query
    await city["other"].ask("DELETE", f"MotorVehicles?IDList={sent['MotorVehicleID']}")
    await city["other"].send("MotorVehicles", vehicles(vehicle(1, plate="皖Z00000")))
    assert (await city["camera"].ask("GET", path)).json()["MotorVehicleObject"] == sent
    # It speaks for its own district only: what it says of this tollgate is filed where it stands itself.
    assert {(one["plate"], one["tollgate_name"]) for one in await passages(admin)} == {
        ("皖A12B45", "gate"),
        ("皖Z00000", ""),
    }


async def test_what_a_library_reads_is_written_down_and_what_is_restricted_is_not_for_it(
    admin: Any, city: dict[str, Any]
) -> None:
    for name in ("camera", "library"):
        await city[name].register()
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    (gate,) = (await admin.ok("GET", "tollgates"))["items"]
    await admin.ok("PATCH", f"tollgates/{gate['id']}", {"restricted": True})
    await city["camera"].send("MotorVehicles", vehicles(vehicle(2)))
    found = (await city["library"].ask("GET", f"MotorVehicles?DeviceID={CAMERA}")).json()
    ids = [one["MotorVehicleID"] for one in found["MotorVehicleListObject"]["MotorVehicleObject"]]
    assert ids == [vehicle(1)["MotorVehicleID"]]
    assert (await city["camera"].ask("GET", f"MotorVehicles/{vehicle(2)['MotorVehicleID']}")).status_code == 200
    (record,) = [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"] == "passage.see"]
    assert (record["object"], record["details"]["what"]) == (city["library_id"], "MotorVehicle")


async def test_what_a_library_looks_for_holds_up_nobody_who_files_and_is_shown_only_when_written_down(
    city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("camera", "library"):
        await city[name].register()
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1)))
    search, writing = store.search, list[bool]()

    def watched(tx: Any, *arguments: Any) -> Any:
        writing.append(not tx.row(text("PRAGMA query_only"))["query_only"])
        return search(tx, *arguments)

    monkeypatch.setattr(store, "search", watched)
    assert (await city["library"].ask("GET", "MotorVehicles?RecordStartNo=1000000")).status_code == 200
    assert writing == [False]

    def full(*_: Any, **__: Any) -> None:
        raise UnavailableError("the disk is full", code="disk_full")

    monkeypatch.setattr("safecity.core.ground.images.service.note", full)
    refused = await city["library"].ask("GET", f"MotorVehicles/{vehicle(1)['MotorVehicleID']}")
    assert (refused.status_code, "12B45" in refused.text) == (503, False)


async def test_a_correction_and_a_withdrawal_reach_the_passage(admin: Any, city: dict[str, Any]) -> None:
    camera = city["camera"]
    await camera.register()
    sent = vehicle(1)
    await camera.send("MotorVehicles", vehicles(sent))
    await camera.send("MotorVehicles", vehicles(vehicle(1, plate="皖A12B46")), "PUT")
    assert [one["plate"] for one in await passages(admin)] == ["皖A12B46"]
    gone = await camera.ask("DELETE", f"MotorVehicles?IDList={sent['MotorVehicleID']},unknown")
    assert gone.status_code == 200
    assert await passages(admin) == []


async def test_a_corrected_device_leaves_no_second_passage_and_a_withdrawal_takes_all(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    camera = city["camera"]
    await camera.register()
    await camera.send("MotorVehicles", vehicles(vehicle(1, picture=jpeg())))
    await camera.send("MotorVehicles", vehicles(vehicle(1, DeviceID=OTHER)), "PUT")
    (passage,) = await passages(admin)
    assert (passage["sightings"], passage["pictures"]) == (1, 1)
    shown = await admin.ask("GET", f"passages/{passage['id']}/pictures/0", params={"purpose": "security"})
    assert shown.content == jpeg()
    await camera.ask("DELETE", f"MotorVehicles?IDList={vehicle(1)['MotorVehicleID']}")
    assert await passages(admin) == []
    await house.services.loose.sweep()
    assert [key async for key in house.services.blobs.keys("passages/")] == []


async def test_pictures_that_come_after_the_words_are_shown_with_the_passage(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    """Some cameras say at once what passed, and the same again with its pictures."""
    camera = city["camera"]
    await camera.register()
    await camera.send("MotorVehicles", vehicles(vehicle(1)))
    (first,) = await passages(admin)
    for tail in (b"1", b"2"):
        await camera.send("MotorVehicles", vehicles(vehicle(1, picture=jpeg(tail=tail))), "PUT")
    (passage,) = await passages(admin)
    assert (passage["id"], passage["pictures"], passage["sightings"]) == (first["id"], 2, 1)
    shown = [
        (await admin.ask("GET", f"passages/{passage['id']}/pictures/{number}", params={"purpose": "security"})).content
        for number in range(2)
    ]
    assert shown == [jpeg(tail=b"1"), jpeg(tail=b"2")]


async def test_no_picture_outlives_what_showed_it(
    house: Any, admin: Any, city: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safecity.core.ground.passages.filing.MAX_PICTURES", 3)
    camera = city["camera"]
    await camera.register()
    for number in range(6):
        await camera.send("MotorVehicles", vehicles(vehicle(1, picture=jpeg(tail=b"%d" % number))), "PUT")
    house.clock.advance(31 * 86_400)
    here = house.services
    assert await here.images.sweep() == 1
    assert await here.passages.sweep() == 1
    await here.loose.sweep()
    assert [key async for key in here.blobs.keys("passages/")] == []


async def test_a_plate_that_was_seen_at_no_tollgate_goes_with_its_passage(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    camera = city["camera"]
    await camera.register()
    await camera.send("MotorVehicles", vehicles(vehicle(1, TollgateID="", picture=jpeg())))
    house.clock.advance(7 * 86_400 + 1)
    await admin.sign_in("root")
    assert await passages(admin) == []
    await camera.register()
    listed = (await camera.ask("GET", "MotorVehicles")).json()
    assert listed["MotorVehicleListObject"]["MotorVehicleObject"] == []


async def test_an_object_is_still_read_when_its_passage_has_taken_the_pictures(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    """A passage is kept from when it was seen first; what another camera says of it later is kept a little longer."""
    camera = city["camera"]
    await camera.register()
    await camera.send("MotorVehicles", vehicles(vehicle(1)))
    house.clock.advance(86_400)
    await camera.register()
    late = vehicle(2, picture=jpeg())
    await camera.send("MotorVehicles", vehicles(late))
    house.clock.advance(29 * 86_400 + 1)
    await house.services.passages.sweep()
    await camera.register()
    back = (await camera.ask("GET", f"MotorVehicles/{late['MotorVehicleID']}")).json()["MotorVehicleObject"]
    assert back["PlateNo"] == late["PlateNo"]


async def test_a_picture_stays_as_long_as_the_passage_that_shows_it(
    house: Any, admin: Any, city: dict[str, Any]
) -> None:
    camera = city["camera"]
    await camera.register()
    (gate,) = (await admin.ok("GET", "tollgates"))["items"]
    await admin.ok("PATCH", f"tollgates/{gate['id']}", {"retention_days": 300})
    await camera.send("MotorVehicles", vehicles(vehicle(1)))
    await admin.ok("PATCH", f"tollgates/{gate['id']}", {"retention_days": 1})
    await camera.send("MotorVehicles", vehicles(vehicle(2, picture=jpeg())))
    house.clock.advance(2 * 86_400)
    assert await house.services.images.sweep() == 1
    await admin.sign_in("root")
    (passage,) = await passages(admin)
    shown = await admin.ask("GET", f"passages/{passage['id']}/pictures/0", params={"purpose": "security"})
    assert (passage["pictures"], shown.content) == (1, jpeg())


@pytest.mark.parametrize(
    "clock",
    ["19700101080000", "20991231235959", "20231115061320", "yesterday", "", "9999-12-31T23:59:59-23:59"],
)
async def test_a_camera_whose_clock_is_wrong_is_heard(clock: str, admin: Any, city: dict[str, Any]) -> None:
    await city["camera"].register()
    await city["camera"].send("MotorVehicles", vehicles(vehicle(1, PassTime=clock)))
    (passage,) = await passages(admin)
    assert passage["at"].startswith("2023-11-14T22:13:20")
    assert passage["clock_doubtful"] is (clock != "20231115061320")


async def test_an_image_is_uploaded_in_two_steps(city: dict[str, Any]) -> None:
    camera = city["camera"]
    await camera.register()
    text = base64.b64encode(jpeg())
    assert (await camera.ask("POST", "Images/7/Data", headers={"x": "y"})).status_code in (400, 404)
    await camera.send("Images", {"ImageListObject": {"ImageObject": [{"ImageID": "7", "Title": "t"}]}})
    put = await camera.inner.post("/VIID/Images/7/Data", content=text, headers={"User-Identify": CAMERA})
    assert put.status_code == 200, put.text
    assert (await camera.ask("GET", "Images/7/Data")).content == text
    assert (await camera.ask("GET", "Images/7/Info")).json()["ImageObject"]["Title"] == "t"
    for bad in (b"****", base64.b64encode(b"no picture"), base64.b64encode(jpeg(0, 0))):
        refused = await camera.inner.post("/VIID/Images/7/Data", content=bad, headers={"User-Identify": CAMERA})
        assert refused.status_code == 400
    assert (await city["camera"].ask("GET", "Images/7/Data")).content == text


async def test_what_was_uploaded_is_taken_back_without_its_words_and_comes_again(
    house: Any, city: dict[str, Any]
) -> None:
    camera, library = city["camera"], city["library"]
    await camera.register()
    await library.register()
    text = base64.b64encode(jpeg()).decode()
    whole = {"ImageListObject": {"ImageObject": [{"ImageID": "7", "Title": "t", "Data": text}]}}
    await camera.send("Images", whole)
    assert (await library.ask("DELETE", "Images/7/Data")).status_code == 404, "it is not the library's"
    for _ in range(2):
        gone = await camera.ask("DELETE", "Images/7/Data")
        assert (gone.status_code, gone.json()["ResponseStatusObject"]["StatusCode"]) == (200, 0)
    assert (await camera.ask("GET", "Images/7/Data")).status_code == 404
    assert (await camera.ask("GET", "Images/7/Info")).json()["ImageObject"]["Title"] == "t"
    assert [key async for key in house.services.blobs.keys("images/")] == []
    await camera.send("Images", whole)
    assert (await camera.ask("GET", "Images/7/Data")).text == text


TABLE = {
    "APEs": ("APE", "ApeID", "GET POST"),
    "Persons": ("Person", "PersonID", "GET POST PUT DELETE"),
    "Faces": ("Face", "FaceID", "GET POST PUT DELETE"),
    "MotorVehicles": ("MotorVehicle", "MotorVehicleID", "GET POST PUT DELETE"),
    "NonMotorVehicles": ("NonMotorVehicle", "NonMotorVehicleID", "GET POST PUT DELETE"),
    "Things": ("Thing", "ThingID", "GET POST PUT DELETE"),
    "Scenes": ("Scene", "SceneID", "GET POST PUT DELETE"),
    "VideoSlices": ("VideoSlice", "VideoID", "GET POST PUT DELETE"),
    "Images": ("Image", "ImageID", "GET POST PUT DELETE"),
    "Files": ("File", "FileID", "GET POST PUT DELETE"),
    "Cases": ("Case", "CaseID", "GET POST PUT DELETE"),
    "Dispositions": ("Disposition", "DispositionID", "GET POST PUT DELETE"),
    "DispositionNotifications": ("DispositionNotification", "NotificationID", "GET POST DELETE"),
    "Subscribes": ("Subscribe", "SubscribeID", "GET POST PUT DELETE"),
    "SubscribeNotifications": ("SubscribeNotification", "NotificationID", "GET POST DELETE"),
    "AnalysisRules": ("AnalysisRule", "RuleID", "GET POST PUT DELETE"),
    "VideoLabels": ("VideoLabel", "VideoLabelID", "GET POST PUT DELETE"),
    "VehiclesFlows": ("VehiclesFlow", "FlowID", "POST"),
    "VIIDServers": ("VIIDServer", "VIIDServerID", "GET"),
    "APSs": ("APS", "ApsID", "GET"),
    "Tollgates": ("Tollgate", "TollgateID", "GET"),
    "Lanes": ("Lane", "LaneId", "GET"),
}
"""Chapter 7 of GA/T 1400.4: path, name, identifier, methods on the list."""
FIELDS = {
    "Dispositions": {"EndTime": "20301231000000", "TargetFeature": "张三"},
    "Subscribes": {"SubscribeDetail": "13", "ReceiveAddr": "http://10.0.0.6/x", "EndTime": "20301231000000"},
}


async def test_every_resource_of_the_table_takes_what_it_is_to_take_and_gives_it_back(city: dict[str, Any]) -> None:
    await city["library"].register()
    for path in TABLE:
        await _there_and_back(city["library"], path)


async def _there_and_back(library: ViidClient, path: str) -> None:
    name, key, methods = TABLE[path]
    ours = methods in ("GET", "GET POST")  # what people here set up is what is told of
    told = "GET" in methods and path != "SubscribeNotifications"  # what those carry is what is kept
    sent = {key: "7", **FIELDS.get(path, {})}

    def body(**more: str) -> dict[str, Any]:
        return {f"{name}ListObject": {f"{name}Object": [{**sent, **more}]}}

    async def listed() -> list[dict[str, Any]]:
        answer = await library.ask("GET", f"{path}?{key}=7")
        assert answer.status_code == 200, (path, answer.text)
        return answer.json()[f"{name}ListObject"][f"{name}Object"]

    for method in {"POST", "PUT", "DELETE", "GET"} - set(methods.split()):
        assert (await library.ask(method, path, body())).status_code in (400, 405), (method, path)
    if "POST" in methods:
        assert await library.send(path, body()) == [("7", 0)], path
    if not told or ours:
        return
    assert [one[key] for one in await listed()] == ["7"], path
    assert (await library.ask("GET", f"{path}/7")).json()[f"{name}Object"][key] == "7", path
    if "PUT" in methods:
        assert await library.send(path, body(Title="new"), "PUT") == [("7", 0)], path
        assert [one["Title"] for one in await listed()] == ["new"], path
    assert (await library.ask("DELETE", f"{path}?IDList=7")).status_code == 200, path
    assert [one for one in await listed() if one.get("SubscribeStatus") != 1] == [], path


async def test_an_image_that_comes_whole_lies_beside_its_words_and_not_among_them(
    house: Any, city: dict[str, Any]
) -> None:
    camera = city["camera"]
    await camera.register()
    text = base64.b64encode(jpeg()).decode()
    for title in ("first", "second"):
        image = {"ImageID": "7", "Title": title, "Data": text, "Vendor": {"FeatureData": "x" * 300_000}}
        answer = await camera.ask("POST", "Images", {"ImageListObject": {"ImageObject": [image]}})
        (status,) = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
        assert (status["StatusCode"], status["StatusString"]) == (0, "OK, pictures left out: large")
    (listed,) = (await camera.ask("GET", "Images")).json()["ImageListObject"]["ImageObject"]
    assert listed == {"ImageID": "7", "Title": "second", "Vendor": {}}, "a list of a hundred must not be gigabytes"
    assert (await camera.ask("GET", "Images/7/Data")).text == text
    await camera.send("Images", {"ImageListObject": {"ImageObject": [{"ImageID": "7", "Title": "third"}]}}, "PUT")
    assert (await camera.ask("GET", "Images/7/Data")).text == text
    assert len([key async for key in house.services.blobs.keys("images/")]) == 1
    bad = {"ImageID": "8", "Data": base64.b64encode(b"no picture").decode()}
    answer = await camera.ask("POST", "Images", {"ImageListObject": {"ImageObject": [bad]}})
    assert "left out: format" in answer.text


async def test_what_we_know_of_our_own_is_told_within_the_areas(city: dict[str, Any]) -> None:
    for name in ("camera", "library", "other"):
        await city[name].register()
    gates = (await city["library"].ask("GET", "Tollgates")).json()["TollgateListObject"]["TollgateObject"]
    assert [gate["TollgateID"] for gate in gates] == [GATE]
    assert (await city["library"].ask("GET", f"Tollgates/{GATE}")).json()["TollgateObject"]["PlaceCode"] == "340202"
    lanes = (await city["library"].ask("GET", "Lanes")).json()["LaneListObject"]["LaneObject"]
    assert [lane["LaneNo"] for lane in lanes] == [1]
    apes = (await city["library"].ask("GET", "APEs")).json()["APEListObject"]["APEObject"]
    assert {ape["ApeID"] for ape in apes} == {CAMERA, LIBRARY}
    assert "assword" not in json.dumps(apes)
    assert (await city["other"].ask("GET", "Tollgates")).json()["TollgateListObject"]["TollgateObject"] == []
    assert (await city["other"].ask("GET", f"Tollgates/{GATE}")).status_code == 404


async def test_a_filter_on_our_own_is_obeyed(admin: Any, city: dict[str, Any]) -> None:
    second = "34020200001210000002"
    more = {"name": "second", "code": second, "area": city["own_area"], "lanes": [{"number": 1}, {"number": 2}]}
    await admin.ok("POST", "tollgates", more)
    library = city["library"]
    await library.register()

    async def listed(query: str, name: str, key: str) -> list[Any]:
        answer = await library.ask("GET", query)
        return [one[key] for one in answer.json()[f"{name}ListObject"][f"{name}Object"]]

    assert await listed(f"Lanes?TollgateID={second}", "Lane", "LaneId") == [1, 2]
    assert await listed(f"Lanes?TollgateID={GATE}", "Lane", "LaneId") == [1]
    assert await listed(f"APEs?DeviceID={CAMERA}", "APE", "ApeID") == [CAMERA]
    for number, end in ((1, "20231201"), (2, "20231202")):
        fields = {
            "SubscribeID": f"{number}", "SubscribeDetail": "13", "ReceiveAddr": "http://10.0.0.6/", "OperateType": 0,
            "BeginTime": f"2023110{number}000000", "EndTime": f"{end}000000",
        }  # fmt: skip
        await library.send("Subscribes", {"SubscribeListObject": {"SubscribeObject": [fields]}})
    assert await listed("Subscribes?SubscribeID=2", "Subscribe", "SubscribeID") == ["2"]
    assert await listed("Subscribes?BeginTime=20231101000000", "Subscribe", "SubscribeID") == ["1"]
    assert await listed("Subscribes?BeginTime>=20231101000000&RecordStartNo=2", "Subscribe", "SubscribeID") == ["2"]


async def test_what_is_past_its_time_is_gone(house: Any, admin: Any, city: dict[str, Any]) -> None:
    camera = city["camera"]
    await camera.register()
    await camera.send("Faces", {"FaceListObject": {"FaceObject": [{"FaceID": "1"}]}})
    house.clock.advance(7 * 86_400 + 1)
    await camera.register()
    assert (await camera.ask("GET", "Faces/1")).status_code == 404  # before anything was swept
    assert await house.services.images.sweep() == 1


async def test_a_list_says_how_many_there_are_and_which_part_it_is(house: Any, city: dict[str, Any]) -> None:
    camera = city["camera"]
    await camera.register()
    await camera.send("MotorVehicles", vehicles(*(vehicle(number, PassTime="20231115061300") for number in range(7))))

    async def part(**asked: Any) -> tuple[int, int, int, int]:
        said = (await camera.ask("GET", "MotorVehicles", params=asked)).json()["MotorVehicleListObject"]
        return said["TotalNum"], said["RecordStartNo"], said["PageRecordNum"], len(said["MotorVehicleObject"])

    assert await part() == (7, 1, 100, 7)
    assert await part(PageRecordNum=3) == (7, 1, 3, 3)
    assert await part(RecordStartNo=7, PageRecordNum=3) == (7, 7, 3, 1)
    assert await part(RecordStartNo=8, PageRecordNum=3) == (7, 8, 3, 0)
    assert await part(PageRecordNum=1000) == (7, 1, 100, 7), "no page has more"
    assert await part(PlateNo="nobody's", PageRecordNum=1) == (0, 1, 1, 0), "of what fits"
    assert await part(MotorVehicleID=vehicle(1)["MotorVehicleID"], PageRecordNum=1) == (1, 1, 1, 1)
    # Of what lies in no table of objects, too; and never of what the asker may not see.
    await city["library"].register()
    listed = (await city["library"].ask("GET", "Tollgates", params={"PageRecordNum": 1})).json()
    assert listed["TollgateListObject"]["TotalNum"] == len(listed["TollgateListObject"]["TollgateObject"])
    stranger = (await camera.ask("GET", "Faces")).json()["FaceListObject"]
    assert (stranger["TotalNum"], stranger["FaceObject"]) == (0, [])


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/VIAS/System/Time", 404), ("POST", "/VIAS/Tasks", 404), ("DELETE", "/VIAS/Tasks/1", 404),
        ("GET", "/VIID/Archives", 404), ("POST", "/VIID/ArchiveLibraries", 404),
        ("PUT", "/VIID/VehicleArchives/1", 404),
        ("POST", "/VIID/System/Time", 405), ("GET", "/VIID/System/Register", 405),
    ],
)  # fmt: skip
async def test_what_is_not_offered_is_said_in_the_words_of_the_standard(
    city: dict[str, Any], method: str, path: str, status: int
) -> None:
    answer = await city["camera"].inner.request(method, path, json={})
    said = answer.json()["ResponseStatusObject"]
    assert (answer.status_code, said["StatusCode"], said["RequestURL"]) == (status, 4, path)
    assert answer.headers["content-type"] == JSON
