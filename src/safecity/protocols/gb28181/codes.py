"""The 20-digit device code (GB/T 28181, annex D of 2016, annex E of 2022) and what its digits say.

Many devices carry codes that do not conform, and codes repeat under different devices: inside the platform a code
is an opaque key, unique only as the pair (device, channel). `GbCode` is for codes that we issue or must judge.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

MAX_CODE: Final = 64
"""Longest code taken from a device, in characters; anything longer is cut off from all lookups."""

TYPES: Final[dict[int, str]] = {
    111: "dvr", 112: "video_server", 113: "encoder", 114: "decoder", 115: "video_matrix", 116: "audio_matrix",
    117: "alarm_controller", 118: "nvr", 120: "image_collection", 121: "tollgate", 122: "multi_lens_camera",
    123: "parking", 124: "people_access", 125: "security_check", 130: "hvr",
    131: "camera", 132: "ip_camera", 133: "display", 134: "alarm_input", 135: "alarm_output", 136: "voice_input",
    137: "voice_output", 138: "mobile_transmission", 139: "other", 140: "alarm_relay", 141: "barrier", 142: "door",
    143: "credential_reader",
    200: "platform", 201: "web", 202: "media_distribution", 203: "proxy", 204: "security", 205: "alarm_server",
    206: "database", 207: "gis", 208: "management", 209: "access_gateway", 210: "media_storage",
    211: "signalling_gateway", 215: "business_group", 216: "virtual_organisation",
    500: "image_application", 502: "analysis_system", 503: "image_database", 505: "analysis_device",
}  # fmt: skip


class NodeKind(StrEnum):
    """What a catalogue item is, told by its code (4.5)."""

    AREA = "area"
    SYSTEM = "system"
    BUSINESS_GROUP = "business_group"
    VIRTUAL_ORGANISATION = "virtual_organisation"
    DEVICE = "device"


@dataclass(frozen=True, slots=True)
class GbCode:
    """A conforming code: centre 8, industry 2, type 3, [2022] network 1, serial 6 (before 2022: serial 7)."""

    value: str

    def __post_init__(self) -> None:
        if len(self.value) != 20 or not (self.value.isascii() and self.value.isdigit()):
            raise ValueError(f"not a 20-digit device code: {self.value[:40]!r}")

    @property
    def centre(self) -> str:
        """Eight digits: province, city, district, unit."""
        return self.value[:8]

    @property
    def industry(self) -> int:
        return int(self.value[8:10])

    @property
    def type(self) -> int:
        return int(self.value[10:13])

    @property
    def network(self) -> int:
        """Only meaningful since 2022."""
        return int(self.value[13])

    @property
    def serial(self) -> str:
        """The six digits all versions have."""
        return self.value[14:]

    @property
    def type_name(self) -> str:
        """A word of `TYPES`, or the range it falls in."""
        return type_name(self.type)


def make_code(centre: str, industry: int, kind: int, serial: int, network: int = 0) -> GbCode:
    """A code of ours; `centre` is padded with zeros to 8 digits."""
    return GbCode(f"{centre:0<8}{industry:02d}{kind:03d}{network:d}{serial:06d}")


def type_name(number: int) -> str:
    """The word for a type number, `platform_side`, `user` and the like for ranges without one."""
    known = TYPES.get(number)
    if known:
        return known
    if 111 <= number <= 130:
        return "main_device"
    if 131 <= number <= 199:
        return "peripheral"
    if 200 <= number <= 299:
        return "platform_side"
    if 300 <= number <= 499:
        return "user"
    return "unknown"


def clean_code(text: str) -> str:
    """The key made of what a device wrote: outer whitespace and NULs gone, cut at `MAX_CODE`."""
    return text.strip("\x00 \t\r\n")[:MAX_CODE]


def node_kind(code: str) -> NodeKind:
    """What stands behind a code of a catalogue; anything odd is a device, so that it is at least shown."""
    if code.isascii() and code.isdigit():
        if len(code) in (2, 4, 6, 8):
            return NodeKind.AREA
        if len(code) == 20:
            number = int(code[10:13])
            if number == 215:
                return NodeKind.BUSINESS_GROUP
            if number == 216:
                return NodeKind.VIRTUAL_ORGANISATION
            if 200 <= number <= 299:
                return NodeKind.SYSTEM
    return NodeKind.DEVICE


def is_video_channel(code: str) -> bool:
    """Whether the item can be asked for pictures: cameras, and codes that say nothing."""
    if node_kind(code) is not NodeKind.DEVICE:
        return False
    if len(code) != 20 or not (code.isascii() and code.isdigit()):
        return True
    number = int(code[10:13])
    return number in (131, 132, 121, 122) or number == 0 or not (111 <= number <= 199 or 300 <= number <= 505)


def domain_of(code: str) -> str:
    """The SIP domain that belongs to a platform code: its first ten digits."""
    return code[:10]
