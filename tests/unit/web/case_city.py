"""Two districts, their checkpoints and people, for tests of cases."""

from __future__ import annotations

import base64
from typing import Any

from safecity.kit.clock import rfc3339

GATE, FAR_GATE = "34020000001210000001", "34020000001210000002"
CAMERA = "34020000001320000001"
PASSWORD = "correct horse battery"
PLATE = "皖A12B45"
DAY = 86_400


def jpeg(tail: bytes = b"") -> bytes:
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08\x02\x58\x03\x20\x01\x01\x11\x00" + tail + b"\xff\xd9"


async def client_of(house: Any, name: str) -> Any:
    client = house.client()
    await client.sign_in(name)
    return client


async def two_districts(house: Any, admin: Any) -> dict[str, Any]:
    """Two districts with a checkpoint each, a camera in the first, and people: an investigator and colleagues of the
    first district, one of the second."""
    ids: dict[str, Any] = {}
    for name, code, gate in (("own", "340202", GATE), ("foreign", "340203", FAR_GATE)):
        ids[f"{name}_area"] = (await admin.ok("POST", "areas", {"name": name, "code": code}))["id"]
        values = {
            "name": f"{name} gate", "code": gate, "area": ids[f"{name}_area"], "retention_days": 2,
            "longitude": 118.37, "latitude": 31.33,
        }  # fmt: skip
        ids[name] = (await admin.ok("POST", "tollgates", values))["id"]
    device = await admin.ok(
        "POST", "devices", {"kind": "gb28181", "code": CAMERA, "name": "north", "area": ids["own_area"]}
    )
    await house.online(device["id"], CAMERA)
    await house.catalogue(device["id"], {"code": CAMERA, "name": "north"})
    ids["channel"] = (await admin.ok("GET", "channels"))["items"][0]["id"]
    for name, role, area in (
        ("investigator", "operator", "own"), ("colleague", "operator", "own"), ("outsider", "operator", "own"),
        ("chief", "supervisor", "own"), ("stranger", "supervisor", "foreign"), ("viewer", "viewer", "own"),
    ):  # fmt: skip
        grants = [{"role": role, "area": ids[f"{area}_area"]}]
        ids[name] = (await admin.ok("POST", "users", {"username": name, "password": PASSWORD, "grants": grants}))["id"]
    return ids


def wish(city: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {
        "number": "A3402-0017", "title": "Stolen lorry", "purpose": "security", "ground": "CPL art. 54",
        "area": city["own_area"], "readers": [f"user:{city['colleague']}"], **more,
    }  # fmt: skip


async def passes(
    house: Any, admin: Any, reference: str, *, gate: str = GATE, plate: str = PLATE, later: float = 60
) -> str:
    """Something passes now, and so many seconds go by; the passage."""
    pictures = [{"kind": "01", "data": base64.b64encode(jpeg(reference.encode())).decode()}]
    one = {
        "tollgate": gate, "reference": reference, "source": "camera", "at": rfc3339(house.clock.now_us()),
        "plate": plate, "pictures": pictures,
    }  # fmt: skip
    await admin.ok("POST", "sightings", {"items": [one]})
    house.clock.advance(later)
    found = await admin.ok("GET", "passages", params={"purpose": "security", "plate": plate})
    return found["items"][0]["id"]


async def blobs(house: Any, prefix: str) -> list[str]:
    return [key async for key in house.services.blobs.keys(prefix)]


async def entries(client: Any, case: str) -> list[dict[str, Any]]:
    return (await client.ok("GET", f"cases/{case}/entries"))["items"]


async def audited(admin: Any, prefix: str) -> list[dict[str, Any]]:
    return [one for one in (await admin.ok("GET", "audit"))["items"] if one["action"].startswith(prefix)]
