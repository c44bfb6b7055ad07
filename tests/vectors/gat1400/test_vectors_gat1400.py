"""Bodies as devices and libraries of the field send them: read, and written back with nothing lost."""

from __future__ import annotations

import json
from typing import Any

import pytest

from safecity.protocols.gat1400.envelope import (
    Refused,
    Status,
    StatusCode,
    read_device_id,
    read_json,
    read_list,
    read_statuses,
    write_json,
    write_list,
    write_status,
    write_statuses,
    write_time,
)
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.pictures import sub_images
from safecity.protocols.gat1400.resources import BY_NAME, RESOURCES
from safecity.protocols.gat1400.subscriptions import Operation, read_notified, read_subscription
from safecity.protocols.gat1400.vehicles import read_vehicle

DEVICE = "34020000001190000001"
VEHICLE_ID = f"{DEVICE}022017110309200000001" + "0200001"
VEHICLE: dict[str, Any] = {
    "MotorVehicleID": VEHICLE_ID,
    "InfoKind": 1,
    "SourceID": f"{DEVICE}022017110309200000001",
    "TollgateID": "34020000001210000001",
    "DeviceID": DEVICE,
    "StorageUrl1": "http://10.0.0.9/1.jpg",
    "LeftTopX": 10,
    "LeftTopY": 20,
    "RightBtmX": 300,
    "RightBtmY": 400,
    "LaneNo": 2,
    "HasPlate": "1",
    "PlateClass": "02",
    "PlateColor": "5",
    "PlateNo": "皖A12B45",
    "PlateReliability": "97",
    "PassTime": "20171103092000",
    "Speed": 43.5,
    "Direction": "1",
    "VehicleColor": "2",
    "VehicleBrand": "7",
    "VehicleClass": "K33",
    "Sunvisor": 0,
    "VendorExtension": {"radar": [1, 2, {"deep": True}]},
    "MarkTime": "20171103092001",
    "SubImageList": {
        "SubImageInfoObject": [
            {
                "ImageID": f"{DEVICE}022017110309200000001",
                "EventSort": 4,
                "DeviceID": DEVICE,
                "StoragePath": "/a.jpg",
                "Type": "01",
                "FileFormat": "Jpeg",
                "ShotTime": "20171103092000",
                "Width": 1920,
                "Height": 1080,
                "Data": "",
            },
        ]
    },
}
CAPTURED = b'{"MotorVehicleListObject":{"MotorVehicleObject":[' + json.dumps(VEHICLE).encode() + b"]}}"


def one(path: str, body: Any) -> ViidObject:
    (found,) = read_list(RESOURCES[path.lower()], body)
    assert isinstance(found, ViidObject), found
    return found


def test_a_vehicle_of_the_field_is_read_and_written_back_without_loss() -> None:
    found = one("MotorVehicles", read_json(CAPTURED))
    assert found.id == VEHICLE_ID
    assert found.regular
    assert read_json(write_json(write_list(found.resource, [found.fields]))) == json.loads(CAPTURED)
    seen = read_vehicle(found)
    assert (seen.plate, seen.plate_colour, seen.colour, seen.lane) == ("皖A12B45", "blue", "white", 2)
    assert (seen.confidence, seen.speed_kmh, seen.direction) == (0.97, 43.5, "west_east")
    assert seen.at == 1_509_672_000_000_000  # 2017-11-03T01:20:00Z: the text was China's local time
    assert [image["Type"] for image in sub_images(dict(found.fields))] == ["01"]


@pytest.mark.parametrize(
    "body",
    [
        {"MotorVehicleListObject": {"MotorVehicleObject": [VEHICLE]}},
        {"MotorVehicleListObject": {"MotorVehicleObject": VEHICLE}},
        {"MotorVehicleObjectList": {"MotorVehicleObject": [VEHICLE]}},
        {"MotorVehicleList": [VEHICLE]},
        {"MotorVehicleList": {"MotorVehicleObject": [VEHICLE]}},
        {"MotorVehicleObject": VEHICLE},
        {"MotorVehicleObject": [VEHICLE]},
        {"motorvehiclelistobject": {"motorvehicleobject": [VEHICLE]}},
        [VEHICLE],
        VEHICLE,
    ],
    ids=range(10),
)
def test_every_wrapping_seen_in_the_field_holds_the_same_object(body: Any) -> None:
    assert one("MotorVehicles", read_json(json.dumps(body).encode())).fields == VEHICLE


@pytest.mark.parametrize("text", ["皖A12B45".encode("gb18030"), "皖A12B45".encode()])
def test_bytes_of_two_encodings_are_the_same_plate(text: bytes) -> None:
    raw = (
        b'\xef\xbb\xbf{"MotorVehicleID":"1","PlateNo":"'
        if text.startswith("皖".encode())
        else b'{"MotorVehicleID":"1","PlateNo":"'
    )
    assert read_vehicle(one("MotorVehicles", read_json(raw + text + b'"}'))).plate == "皖A12B45"


@pytest.mark.parametrize("path", sorted(RESOURCES))
def test_every_resource_of_the_table_keeps_what_it_does_not_know(path: str) -> None:
    resource = RESOURCES[path]
    fields = {resource.key: "34020000001190000001", "Unknown": {"List": [1, "二", None, 2.5]}, "DeviceID": DEVICE}
    found = one(path, write_list(resource, [fields]))
    assert found.fields == fields
    assert BY_NAME[resource.name] is resource


def test_what_a_person_believes_or_descends_from_is_left_at_the_door() -> None:
    face = {
        "FaceID": "1",
        "EthicCode": "01",
        "Religion": "x",
        "NationCode": "11",
        "NationalityCode": "CN",
        "Password": "s",
        "SubImageList": {
            "SubImageInfoObject": [{"ImageID": "2", "FeatureInfoObject": {"EthnicGroup": 3, "Vendor": "v"}}]
        },
    }
    found = one("Faces", {"FaceListObject": {"FaceObject": [face]}})
    text = json.dumps(found.fields)
    assert not any(word in text for word in ("Ethic", "Ethnic", "Religion", "NationCode", "Password"))
    assert found.fields["NationalityCode"] == "CN"
    assert set(found.dropped) == {"EthicCode", "Religion", "NationCode", "Password", "EthnicGroup"}


def test_one_bad_object_does_not_take_the_others_with_it() -> None:
    body = {"FaceListObject": {"FaceObject": [{"FaceID": "1"}, {"Name": "no id"}, 7, {"FaceID": "x" * 65}]}}
    good, *bad = read_list(RESOURCES["faces"], body)
    assert isinstance(good, ViidObject)
    assert [type(item) for item in bad] == [Refused] * 3


def test_answers_are_written_one_way_and_read_in_all() -> None:
    now = 1_509_672_000_000_000
    statuses = [Status("/VIID/Faces", id="1"), Status("/VIID/Faces", StatusCode.JSON_CONTENT, "FaceID", id="2")]
    answer = write_statuses(statuses, now)
    assert write_json(answer) == (
        b'{"ResponseStatusListObject":{"ResponseStatusObject":[{"Id":"1","RequestURL":"/VIID/Faces","StatusCode":0,'
        b'"StatusString":"OK","LocalTime":"20171103092000"},{"Id":"2","RequestURL":"/VIID/Faces","StatusCode":8,'
        b'"StatusString":"FaceID","LocalTime":"20171103092000"}]}}'
    )
    assert read_statuses(answer) == [("1", 0), ("2", 8)]
    assert read_statuses(write_status(Status("/VIID/System/Register"), now)) == [("", 0)]
    assert read_statuses({"ResponseStatusListObject": {"ResponseStatusObject": {"StatusCode": "0", "Id": "a"}}}) == [
        ("a", 0)
    ]
    assert write_time("3402", now)["SystemTimeObject"]["LocalTime"] == "20171103092000"


@pytest.mark.parametrize(
    "body",
    [{"RegisterObject": {"DeviceID": DEVICE}}, {"DeviceID": DEVICE}, {"registerobject": {"deviceid": int(DEVICE)}}],
)
def test_a_registration_is_read_with_and_without_its_wrapping(body: Any) -> None:
    assert read_device_id(body, "RegisterObject") == DEVICE


def test_a_subscription_and_its_notification() -> None:
    subscribe = {
        "SubscribeID": "650101000001032017110309200000001",
        "Title": "vehicles",
        "SubscribeDetail": "13,7",
        "ResourceClass": 0,
        "ResourceURI": "34020000001210000001",
        "ReceiveAddr": "http://10.1.1.1:80/VIID/SubscribeNotifications",
        "BeginTime": "20171103000000",
        "EndTime": "20171104000000",
        "ReportInterval": 5,
        "OperateType": 0,
        "SubscribeStatus": 0,
        "ResultImageDeclare": "-1",
    }
    wanted = read_subscription(one("Subscribes", {"SubscribeListObject": {"SubscribeObject": [subscribe]}}))
    noon = 1_509_681_600_000_000
    where = {"device": DEVICE, "tollgate": "34020000001210000001"}
    assert wanted.wants("MotorVehicle", now=noon, **where)
    assert not wanted.wants("Face", now=noon, **where)
    assert not wanted.wants("MotorVehicle", now=noon + 86_400_000_000, **where)
    assert not wanted.wants("MotorVehicle", now=noon, device=DEVICE, tollgate="other")
    assert wanted.images == frozenset()
    notice = {
        "NotificationID": "650101000001042017110309200000001",
        "SubscribeID": wanted.id,
        "Title": "t",
        "TriggerTime": "20171103092000",
        "InfoIDs": "1;2",
        "ExecuteOperation": 3,
        "MotorVehicleObjectList": {"MotorVehicleObject": [VEHICLE, {"PlateNo": "lost"}]},
        "DeviceList": {"APEObject": {"ApeID": DEVICE, "Password": "secret"}},
    }
    operation, objects, lost = read_notified(
        one("SubscribeNotifications", {"SubscribeNotificationObjectList": [notice]})
    )
    assert operation is Operation.DELETE
    assert [item.resource.name for item in objects] == ["APE", "MotorVehicle"]
    assert "Password" not in objects[0].fields
    assert lost == 1
