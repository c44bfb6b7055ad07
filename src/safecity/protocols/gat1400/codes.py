"""Identifiers (GA/T 1400.1): what their length and digits say. Real devices send other texts; those are kept as they
are, and only said to be irregular."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from safecity.protocols.gat1400.times import local_text

MAX_ID: Final = 64
"""Longest identifier taken, in characters."""


class IdKind(StrEnum):
    """Kinds by length."""

    DEVICE = "device"  # 20 digits
    PUBLIC = "public"  # 33: case, disposition, subscription, notification, rule
    BASIC = "basic"  # 41: video slice, image, file
    SEMANTIC = "semantic"  # 48: person, vehicle, face and the like
    IRREGULAR = "irregular"


_LENGTHS = {20: IdKind.DEVICE, 33: IdKind.PUBLIC, 41: IdKind.BASIC, 48: IdKind.SEMANTIC}
DEVICE_TYPES: Final = {
    119: "ape", 120: "aps", 121: "tollgate", 200: "platform", 502: "application", 503: "library", 504: "analysis",
}  # fmt: skip
"""Of digits 11 to 13; 200 is that of a platform in GB/T 28181, which comes by its one code here, too."""
PUBLIC_KINDS: Final = {"case": 1, "disposition": 2, "subscription": 3, "notification": 4, "rule": 5}
BASIC_KINDS: Final = {"video": 1, "image": 2, "file": 3, "other": 99}
SEMANTIC_KINDS: Final = {
    "person": 1, "motor_vehicle": 2, "non_motor_vehicle": 3, "thing": 4, "scene": 5, "face": 6, "label": 7, "other": 99,
}  # fmt: skip


def kind_of(text: str) -> IdKind:
    """By its form alone."""
    return _LENGTHS.get(len(text), IdKind.IRREGULAR) if text.isascii() and text.isdigit() else IdKind.IRREGULAR


def device_type(code: str) -> str:
    """`ape`, `tollgate`, `library` and the like of a 20-digit code, empty for others."""
    return DEVICE_TYPES.get(int(code[10:13]), "") if kind_of(code) is IdKind.DEVICE else ""


def clean_id(value: object) -> str:
    """What a device wrote as an identifier, without outer blanks; empty for what cannot be one."""
    if isinstance(value, bool) or not isinstance(value, str | int):
        return ""
    text = str(value).strip("\x00 \t\r\n")
    return text if len(text) <= MAX_ID and text.isprintable() else ""


def public_id(organisation: str, kind: str, us: int, serial: int) -> str:
    """33 digits: police organisation 12, kind 2, local time 14, serial 5."""
    return f"{organisation[:12]:0<12}{PUBLIC_KINDS[kind]:02d}{local_text(us)}{serial % 100_000:05d}"


def basic_id(device: str, kind: str, us: int, serial: int) -> str:
    """41 digits: device 20, kind 2, local time 14, serial 5."""
    return f"{device[:20]:0<20}{BASIC_KINDS[kind]:02d}{local_text(us)}{serial % 100_000:05d}"


def semantic_id(device: str, kind: str, us: int, serial: int) -> str:
    """48 digits: the image it was seen in, kind 2, serial 5."""
    return f"{basic_id(device, 'image', us, serial)}{SEMANTIC_KINDS[kind]:02d}{serial % 100_000:05d}"
