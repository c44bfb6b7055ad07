"""What people set about GB/T 28181 devices reaches signalling, and through it the device."""

from __future__ import annotations

from typing import Any

from safecity.kit.errors import RefusedError
from safecity.model.facts.signal_calls import Answered, ApplySignal, ConfigureDevice, QueryDevice

CODE = "34020000001320000001"


async def told(house: Any) -> ApplySignal:
    await house.services.duties.push()
    return house.calls.of(ApplySignal)[-1]


async def test_digests_are_set_for_all_and_for_one_device(house: Any, admin: Any) -> None:
    made = await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"})
    said = await told(house)
    assert (said.identity.algorithms, said.devices[0].algorithms) == (("MD5",), ())
    assert (await admin.ok("PATCH", "settings", {"digests": ["MD5", "SM3"]}))["digests"] == ["MD5", "SM3"]
    patch = {"digests": ["SM3", "SHA-256", "SM3"]}
    assert (await admin.ok("PATCH", f"devices/{made['id']}", patch))["digests"] == ["SM3", "SHA-256"]
    said = await told(house)
    assert (said.identity.algorithms, said.devices[0].algorithms) == (("MD5", "SM3"), ("SM3", "SHA-256"))
    for wrong in ([], ["SHA-1"], ["MD5", "MD5"]):
        refused = await admin.ask("PATCH", "settings", {"digests": wrong})
        assert refused.status_code in (400, 422), wrong
    assert (await admin.ok("GET", "settings"))["digests"] == ["MD5", "SM3"]


async def test_the_configuration_of_a_device_is_read_without_its_passwords(house: Any, admin: Any) -> None:
    device = (await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"}))["id"]
    basic = {"Name": "gate", "Expiration": 86400, "HeartBeatInterval": 60, "Password": "secret"}
    body = {"SN": 3, "DeviceID": CODE, "Result": "OK", "BasicParam": basic, "OSDConfig": {"Item": [{"Password": "x"}]}}
    house.calls.answers[QueryDevice] = Answered(body=body, complete=False, received=2, total=3)
    types = "?types=BasicParam&types=OSDConfig&types=BasicParam&types=FrameMirror"
    seen = await admin.ok("GET", f"devices/{device}/configuration{types}")
    asked = house.calls.of(QueryDevice)[-1]
    assert (asked.command, asked.fields) == ("ConfigDownload", {"ConfigType": "BasicParam/OSDConfig/FrameMirror"})
    assert seen["parts"]["BasicParam"] == {"Name": "gate", "Expiration": 86400, "HeartBeatInterval": 60}
    assert seen["parts"]["OSDConfig"] == {"Item": [{}]}
    assert (seen["complete"], seen["received"], seen["total"]) == (False, 2, 3)


async def test_a_configuration_is_written_to_device_and_channel_and_to_nothing_else(house: Any, admin: Any) -> None:
    device = (await admin.ok("POST", "devices", {"kind": "gb28181", "code": CODE, "name": "gate"}))["id"]
    await house.catalogue(device, {"code": "34020000001310000001", "name": "gate"})
    channel = (await admin.ok("GET", "channels"))["items"][0]["id"]
    house.calls.answers[ConfigureDevice] = Answered(body={"Result": "OK"})
    wish = {"basic": {"name": "东门", "heartbeat_seconds": 30}}
    assert (await admin.ask("PATCH", f"devices/{device}/configuration", wish)).status_code == 204
    assert (
        await admin.ask("PATCH", f"channels/{channel}/configuration", {"parts": {"FrameMirror": 1}})
    ).status_code == 204
    first, second = house.calls.of(ConfigureDevice)
    assert (first.device, first.code) == (device, "")
    assert first.fields == {"BasicParam": {"Name": "东门", "HeartBeatInterval": 30}}
    assert (second.code, second.fields) == ("34020000001310000001", {"FrameMirror": 1})
    entries = (await admin.ok("GET", "audit"))["items"]
    assert any("BasicParam" in str(entry) for entry in entries)
    for wrong in ({"basic": {"expiration": 60}}, {"parts": {"DeviceUpgrade": {}}}, {"basic": {"password": "x"}}):
        assert (await admin.ask("PATCH", f"devices/{device}/configuration", wrong)).status_code == 422
    house.calls.answers[ConfigureDevice] = RefusedError("no", code="gb_control_failed")
    refused = await admin.ask("PATCH", f"devices/{device}/configuration", wish)
    assert (refused.is_error, refused.json()["code"]) == (True, "gb_control_failed")


async def test_a_pulled_camera_has_no_configuration_of_ours(admin: Any) -> None:
    url = "rtsp://192.0.2.1/live"
    device = (await admin.ok("POST", "devices", {"kind": "rtsp", "url": url, "name": "pulled"}))["id"]
    refused = await admin.ask("GET", f"devices/{device}/configuration")
    assert refused.json()["code"] == "configuration_not_offered"
