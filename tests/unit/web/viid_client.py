"""A capture device, or another library, written without any of the platform's own code for its side."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

import httpx

CAMERA = "34020200001190000001"
LIBRARY = "34020000005030000001"
GATE = "34020200001210000001"
JSON = "application/VIID+JSON;charset=UTF-8"


def jpeg(width: int = 640, height: int = 480, tail: bytes = b"") -> bytes:
    size = height.to_bytes(2, "big") + width.to_bytes(2, "big")
    return b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x0b\x08" + size + b"\x01\x01\x11\x00" + tail + b"\xff\xd9"


def md5(text: str) -> str:
    return hashlib.md5(text.encode()).hexdigest()


def vehicle(number: int | str, plate: str = "皖A12B45", picture: bytes | None = None, **more: Any) -> dict[str, Any]:
    """`PassTime` is the clock of the tests: 2023-11-14T22:13:20Z."""
    fields: dict[str, Any] = {
        "MotorVehicleID": f"{CAMERA}0220231115061320{number:0>5}0200001",
        "InfoKind": 1,
        "SourceID": f"{CAMERA}02",
        "TollgateID": GATE,
        "DeviceID": CAMERA,
        "PassTime": "20231115061320",
        "LaneNo": 1,
        "HasPlate": "1",
        "PlateClass": "02",
        "PlateColor": "5",
        "PlateNo": plate,
        "PlateReliability": "97",
        "VehicleColor": "2",
        "Speed": 43,
        **more,
    }
    if picture is not None:
        entry = {"ImageID": "1", "Type": "01", "FileFormat": "Jpeg", "Data": base64.b64encode(picture).decode()}
        fields["SubImageList"] = {"SubImageInfoObject": [entry]}
    return fields


def vehicles(*many: dict[str, Any]) -> dict[str, Any]:
    return {"MotorVehicleListObject": {"MotorVehicleObject": list(many)}}


class ViidClient:
    """Speaks as `code` from `address`."""

    def __init__(
        self, app: Any, code: str, password: str, address: str = "10.0.0.5", port: int = 40000, username: str = ""
    ) -> None:
        transport = httpx.ASGITransport(app=app, client=(address, port), raise_app_exceptions=False)
        self.inner = httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1:8080")
        self.code = code
        self.username = username or code
        self.password = password

    async def ask(self, method: str, path: str, body: Any = None, **more: Any) -> httpx.Response:
        headers = {"User-Identify": self.code, "Content-Type": JSON, **more.pop("headers", {})}
        return await self.inner.request(method, f"/VIID/{path}", json=body, headers=headers, **more)

    def proof(
        self, challenge: str, verb: str, uri: str, *, nc: str = "00000001", cnonce: str = "abc", **bent: str
    ) -> str:
        """`Authorization` for a challenge, with whatever is bent in it."""
        said = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.removeprefix("Digest ")))
        values = {
            "username": self.username,
            "realm": said["realm"],
            "nonce": said["nonce"],
            "uri": uri,
            "opaque": said["opaque"],
        }
        values |= {name: text for name, text in bent.items() if name in values}
        ha1, ha2 = (
            md5(f"{values['username']}:{values['realm']}:{self.password}"),
            md5(f"{bent.get('method', verb)}:{values['uri']}"),
        )
        response = md5(f"{ha1}:{values['nonce']}:{nc}:{cnonce}:auth:{ha2}")
        pairs = ", ".join(f'{name}="{text}"' for name, text in values.items())
        return f'Digest {pairs}, qop=auth, nc={nc}, cnonce="{cnonce}", response="{response}", algorithm=MD5'

    async def register(self, call: str = "Register", wrapped: bool = True, **bent: str) -> httpx.Response:
        body = {f"{call}Object": {"DeviceID": self.code}} if wrapped else {"DeviceID": self.code}
        first = await self.ask("POST", f"System/{call}", body)
        assert first.status_code == 401, first.text
        proof = self.proof(first.headers["www-authenticate"], "POST", bent.pop("uri", f"/VIID/System/{call}"), **bent)
        return await self.ask("POST", f"System/{call}", body, headers={"Authorization": proof})

    async def keepalive(self) -> httpx.Response:
        return await self.ask("POST", "System/Keepalive", {"KeepaliveObject": {"DeviceID": self.code}})

    async def send(self, path: str, body: Any, method: str = "POST") -> list[tuple[str, int]]:
        """(Id, StatusCode) of each object."""
        answer = await self.ask(method, path, body)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == JSON
        listed = answer.json()["ResponseStatusListObject"]["ResponseStatusObject"]
        return [(one["Id"], one["StatusCode"]) for one in listed]
