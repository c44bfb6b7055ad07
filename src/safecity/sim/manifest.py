"""What the simulated city tells the platform that shows it: which devices there are, and how to reach or admit them.

The file is JSON, written with mode 0600 because it holds passwords, and replaced whole:

    {"version": 1, "platform_code": "3402...", "devices": [
      {"kind": "gb28181", "name": "...", "name_en": "...", "area": "340202",
       "code": "3402...", "password": "...", "transport": "udp",
       "channels": [{"code": "...", "name": "...", "name_en": "...", "longitude": 118.3, "latitude": 31.3}]},
      {"kind": "rtsp", "name": "...", "name_en": "...", "area": "340202",
       "url": "rtsp://127.0.0.1:1234/1/main", "sub_url": "...", "username": "...", "password": "...",
       "channels": [{"code": "", "name": "...", ...}]}]}
"""

from __future__ import annotations

import os
from pathlib import Path

import msgspec
from msgspec import Struct


class ManifestChannel(Struct, kw_only=True, omit_defaults=True):
    """A place with a camera. Degrees, WGS-84."""

    code: str
    name: str
    name_en: str
    longitude: float
    latitude: float
    ptz: bool = False


class ManifestTollgate(Struct, kw_only=True, omit_defaults=True):
    """A place that records passages, and the device that reports for it. Lanes by direction, from the left."""

    code: str
    name: str
    name_en: str
    device: str
    longitude: float
    latitude: float
    lanes: list[str] = []
    max_speed_kmh: int = 60


class ManifestDevice(Struct, kw_only=True, omit_defaults=True):
    """A device as an administrator would add it. `kind` is `gb28181` or `gat1400` (code, password), or `rtsp` (url,
    password)."""

    kind: str
    name: str
    name_en: str
    area: str
    password: str
    code: str = ""
    username: str = ""
    transport: str = "udp"
    url: str = ""
    sub_url: str = ""
    channels: list[ManifestChannel] = []


class Manifest(Struct, kw_only=True):
    """The whole file."""

    devices: list[ManifestDevice]
    tollgates: list[ManifestTollgate] = []
    version: int = 1
    platform_code: str = ""
    rtsp_port: int = 0

    def device(self, code: str) -> ManifestDevice | None:
        """By code, or by name for devices without one."""
        return next((each for each in self.devices if code in (each.code, each.name_en)), None)


def read_manifest(path: Path) -> Manifest | None:
    """None where there is no usable one."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Manifest)
    except (OSError, msgspec.DecodeError):
        return None


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Replace the file; readers see the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_suffix(".new")
    data = msgspec.json.format(msgspec.json.encode(manifest), indent=2)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(data)
    fresh.replace(path)
