"""What registers or is pulled: cameras, recorders, platforms below us. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

from safecity.kit.errors import InvalidError

LEAST_TOKEN: Final = 20
MOST_TOKEN: Final = 200


class DeviceKind(StrEnum):
    """How we speak with it."""

    GB28181 = "gb28181"
    RTSP = "rtsp"
    GAT1400 = "gat1400"
    JT808 = "jt808"
    HTTP = "http"
    AIS = "ais"

    @property
    def gives_pictures(self) -> bool:
        """Whether channels to look at hang below such a device."""
        return self in (DeviceKind.GB28181, DeviceKind.RTSP)

    @property
    def may_give_pictures(self) -> bool:
        """Whether they may: some vehicle terminals have cameras, most have none."""
        return self is DeviceKind.JT808


TRANSPORTS: Final = {
    DeviceKind.GB28181: ("udp", "tcp_passive", "tcp_active"),
    DeviceKind.RTSP: ("auto", "tcp", "udp"),
    DeviceKind.GAT1400: ("tcp",),
    DeviceKind.JT808: ("tcp", "udp"),
    DeviceKind.HTTP: ("tcp",),
    DeviceKind.AIS: ("auto",),
}
"""How what a device sends may come, the usual way first. Of a vehicle terminal it is its pictures."""


class DeviceState(StrEnum):
    """Presence, as the duty `signal` (or the pulling slot) sees it."""

    NEVER = "never"
    ONLINE = "online"
    OFFLINE = "offline"
    REFUSED = "refused"


@dataclass(frozen=True, kw_only=True, slots=True)
class Device:
    """`name_given`: a person named it, so its own words no longer rename it. `url` carries no credentials.

    `told_by`, `told_run`, `told_number`: which duty told the state, in which of its runs, and where in that.
    `position_seconds`: how often it is to tell where it is (a body camera, a patrol car); 0: never.
    `digests`: what it may prove its password by, in the order it is offered; empty: as the platform has it.
    """

    id: str
    kind: DeviceKind
    name: str
    code: str = ""
    area: str | None = None
    area_path: str = "/"
    organisation: str | None = None
    organisation_path: str = "/"
    manufacturer: str = ""
    model: str = ""
    firmware: str = ""
    url: str = ""
    sub_url: str = ""
    username: str = ""
    transport: str = "auto"
    charset: str = "GB18030"
    position_seconds: int = 0
    digests: list[str] = field(default_factory=list[str])
    enabled: bool = True
    demo: bool = False
    name_given: bool = True
    state: DeviceState = DeviceState.NEVER
    state_since: int = 0
    state_code: str = ""
    told_by: str = ""
    told_run: str = ""
    told_number: int = 0
    address: str = ""
    user_agent: str = ""
    version: str = ""
    created_at: int = 0
    revision: int = 1


def check_transport(kind: DeviceKind, transport: str) -> str:
    """The usual one where none is named. InvalidError `choice`."""
    choices = TRANSPORTS[kind]
    if transport and transport not in choices:
        raise InvalidError(transport[:40], code="choice", params={"field": "transport", "choices": "|".join(choices)})
    return transport or choices[0]


def check_code(code: str) -> str:
    """A 20-digit device code (GB/T 28181, annex D). InvalidError `gb_code`."""
    code = code.strip()
    if len(code) != 20 or not (code.isascii() and code.isdigit()):
        raise InvalidError("not a code of 20 digits", code="gb_code", params={"given": code[:40]})
    return code


def check_phone(phone: str) -> str:
    """The phone number that a vehicle terminal speaks under, without zeros in front. InvalidError `jt_phone`."""
    phone = phone.strip()
    digits = phone.lstrip("0")
    if not (phone.isascii() and phone.isdigit() and len(digits) >= 5 and len(phone) <= 20):
        raise InvalidError("not a phone number", code="jt_phone", params={"given": phone[:40]})
    return digits


def check_mmsi(mmsi: str) -> str:
    """The nine digits that a ship's station is known by (ITU-R M.585). InvalidError `ais_mmsi`."""
    mmsi = mmsi.strip()
    if not (len(mmsi) == 9 and mmsi.isascii() and mmsi.isdigit() and int(mmsi)):
        raise InvalidError("not an MMSI", code="ais_mmsi", params={"given": mmsi[:40]})
    return mmsi


def check_beacon(code: str) -> str:
    """What something that tells positions over HTTP is called there. InvalidError `beacon_code`."""
    code = code.strip()
    if not (1 <= len(code) <= 40 and code.isascii() and all(c.isalnum() or c in "._-" for c in code)):
        raise InvalidError("not a name for a device", code="beacon_code", params={"given": code[:40]})
    return code


def check_token(secret: str) -> str:
    """What a program proves itself by: long, since nothing else slows down who guesses it, and of what a header carries
    (RFC 6750, 2.1) without the dot that parts it from the name. InvalidError `beacon_secret`."""
    good = secret.isascii() and all(c.isalnum() or c in "-_~+/=" for c in secret)
    if not (good and LEAST_TOKEN <= len(secret) <= MOST_TOKEN):
        raise InvalidError("no token", code="beacon_secret", params={"least": LEAST_TOKEN, "most": MOST_TOKEN})
    return secret


def check_choice(name: str, value: str, choices: tuple[str, ...]) -> str:
    """InvalidError `choice` with what is possible."""
    if value not in choices:
        raise InvalidError(
            f"{name}: {value[:40]!r}", code="choice", params={"field": name, "choices": "|".join(choices)}
        )
    return value


def split_url(url: str) -> tuple[str, str, str]:
    """(url without credentials, username, password). InvalidError `rtsp_url` for anything but a plain RTSP URL."""
    bad = InvalidError("not an RTSP URL", code="rtsp_url", params={"given": ""})
    url = url.strip()
    if len(url) > 1000 or any(ord(c) <= 32 or ord(c) == 127 for c in url):
        raise bad
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise bad from error
    if parts.scheme not in ("rtsp", "rtsps") or not parts.hostname or parts.fragment:
        raise bad
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    netloc = host if port is None else f"{host}:{port}"
    clean = urlunsplit((parts.scheme, netloc, parts.path, parts.query, ""))
    return clean, unquote(parts.username or ""), unquote(parts.password or "")
