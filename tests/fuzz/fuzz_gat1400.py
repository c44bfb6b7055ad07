"""Bodies for a view library: anything is a list of objects, or refused with an InvalidError."""

from __future__ import annotations

import base64
import contextlib

from safecity.kit.errors import InvalidError
from safecity.protocols.gat1400.envelope import (
    read_device_id,
    read_json,
    read_list,
    read_statuses,
    write_json,
    write_list,
)
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.pictures import decode_picture, sniff, sub_images
from safecity.protocols.gat1400.resources import RESOURCES
from safecity.protocols.gat1400.subscriptions import read_notified, read_subscription
from safecity.protocols.gat1400.vehicles import read_vehicle

SEEDS = [
    '{"MotorVehicleListObject":{"MotorVehicleObject":[{"MotorVehicleID":"1","PassTime":"20171103092000","PlateNo":"皖A1",'
    '"SubImageList":{"SubImageInfoObject":[{"Type":"01","Data":"/9j/4A=="}]}}]}}'.encode(),
    b'{"FaceList":[{"FaceID":1,"EthicCode":"1"},{}]}',
    b'{"SubscribeListObject":{"SubscribeObject":[{"SubscribeID":"1","SubscribeDetail":"13","ReceiveAddr":"http://a/",'
    b'"EndTime":"20300101000000"}]}}',
    b'{"SubscribeNotificationListObject":{"SubscribeNotificationObject":[{"NotificationID":"1","InfoIDs":"1",'
    b'"DeviceList":{"APEObject":[{"ApeID":"1"}]}}]}}',
    b'{"RegisterObject":{"DeviceID":"34020000001190000001"}}',
    b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x04\x38\x07\x80\x01\x01\x11\x00",
]


def one_input(data: bytes) -> None:
    sniff(data)
    try:
        body = read_json(data)
    except InvalidError:
        return
    for attempt in (lambda: read_device_id(body, "RegisterObject"), lambda: read_statuses(body)):
        with contextlib.suppress(InvalidError):
            attempt()
    for resource in RESOURCES.values():
        try:
            found = read_list(resource, body)
        except InvalidError:
            continue
        for one in found:
            if isinstance(one, ViidObject):
                _look_at(one)


def _look_at(one: ViidObject) -> None:
    read_vehicle(one)
    read_notified(one)
    with contextlib.suppress(InvalidError):
        read_subscription(one)
    for image in sub_images(dict(one.fields)):
        with contextlib.suppress(InvalidError):
            decode_picture(image.get("Data", base64.b64encode(b"x").decode()))
    assert read_list(one.resource, read_json(write_json(write_list(one.resource, [one.fields]))))
