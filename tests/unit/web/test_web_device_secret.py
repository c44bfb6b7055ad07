"""A stored password is never sent to an address it was not given for."""

from __future__ import annotations

from typing import Any

from safecity.core.ground.devices.api import everything


async def secret(house: Any, device: str) -> str:
    rows = await house.services.database.read(everything)
    sealed = next(found for one, found in rows if one.id == device)
    return house.services.vault.open(sealed, device)


async def test_moving_a_camera_to_another_host_forgets_its_password(house: Any, admin: Any) -> None:
    body = {"kind": "rtsp", "name": "gate", "url": "rtsp://192.0.2.7:554/main", "username": "u", "password": "secret"}
    device = (await admin.ok("POST", "devices", body))["id"]
    await admin.ok("PATCH", f"devices/{device}", {"url": "rtsp://192.0.2.7:554/other"})
    assert await secret(house, device) == "secret", "another path of the same camera keeps it"
    await admin.ok("PATCH", f"devices/{device}", {"url": "rtsp://203.0.113.9:554/main"})
    assert await secret(house, device) == ""


async def test_a_password_given_with_the_new_address_is_kept(house: Any, admin: Any) -> None:
    body = {"kind": "rtsp", "name": "gate", "url": "rtsp://192.0.2.7/main", "username": "u", "password": "secret"}
    device = (await admin.ok("POST", "devices", body))["id"]
    await admin.ok("PATCH", f"devices/{device}", {"url": "rtsp://203.0.113.9/main", "password": "fresh"})
    assert await secret(house, device) == "fresh"
