"""The platform's own identity, volumes and habits, as administrators set them."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, replace
from typing import Any, cast
from zoneinfo import ZoneInfo

from safecity.core.ground.access.api import PLATFORM, Action, Actor, authorize
from safecity.core.ground.audit.api import note
from safecity.core.ground.settings import store
from safecity.kit.errors import InvalidError
from safecity.ports.database import Database, Tx

_HOST = re.compile(r"[0-9A-Za-z.\-:\[\]]{1,253}")


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeWish:
    """A place for recordings. `max_gib` 0: all of it."""

    name: str
    path: str
    max_gib: float = 0.0
    layout: str = "auto"
    extent_mib: int = 64


@dataclass(frozen=True, kw_only=True, slots=True)
class Platform:
    """Who we are and how we keep things.

    code, domain   20 digits of the platform (GB/T 28181 annex D), and its SIP domain of 10
    public_host    what cameras and browsers reach
    clock_source   `system`, `ntp` or `manual`: what we tell devices the time by
    """

    name: str = "Safecity"
    code: str = ""
    domain: str = ""
    public_host: str = ""
    area_code: str = ""
    language: str = "zh"
    zone: str = "Asia/Shanghai"
    clock_source: str = "system"
    ntp_server: str = ""
    retention_days: int = 30
    floor_days: int = 1
    volumes: tuple[VolumeWish, ...] = ()
    wizard_done: bool = False
    demo: bool = False

    def __post_init__(self) -> None:
        _need(not self.code or (len(self.code) == 20 and _digits(self.code)), "code")
        _need(not self.domain or (len(self.domain) in (10, 20) and _digits(self.domain)), "domain")
        _need(not self.public_host or _HOST.fullmatch(self.public_host) is not None, "public_host")
        _need(not self.ntp_server or _HOST.fullmatch(self.ntp_server) is not None, "ntp_server")
        _need(self.language in ("zh", "en"), "language")
        _need(self.clock_source in ("system", "ntp", "manual"), "clock_source")
        _need(0 <= self.retention_days <= 3650, "retention_days")
        _need(0 <= self.floor_days <= 3650, "floor_days")
        _need(1 <= len(self.name) <= 100, "name")
        _need(len({v.name for v in self.volumes}) == len(self.volumes) <= 64, "volumes")
        try:
            ZoneInfo(self.zone)
        except (KeyError, ValueError, OSError) as error:
            raise InvalidError("unknown time zone", code="zone_unknown", params={"zone": self.zone[:40]}) from error


def _digits(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="setting_invalid", params={"setting": name})


class Settings:
    """Reads and changes `Platform`."""

    def __init__(self, database: Database, defaults: Platform) -> None:
        self._database = database
        self._defaults = defaults

    def platform(self, tx: Tx) -> Platform:
        """As set, else as the settings file says."""
        raw = cast("dict[str, Any]", store.get(tx, "platform", {}))
        known = {name: value for name, value in raw.items() if name in Platform.__dataclass_fields__}
        if "volumes" in known:
            known["volumes"] = tuple(VolumeWish(**volume) for volume in known["volumes"])
        return replace(self._defaults, **known)

    async def read(self) -> Platform:
        """For the platform's own use, without asking who."""
        return await self._database.read(self.platform)

    async def see(self, who: Actor) -> Platform:
        """For somebody."""
        authorize(who, Action.SETTINGS_SEE, PLATFORM)
        return await self.read()

    async def change(self, who: Actor, **changes: Any) -> Platform:
        """Set some fields; everything that must hear of it is told."""
        authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
        return await self._database.write(lambda tx: self.set(tx, who, changes))

    def set(self, tx: Tx, who: Actor, changes: dict[str, Any]) -> Platform:
        """Inside a transaction of somebody who may."""
        new = replace(self.platform(tx), **changes)
        raw = cast("dict[str, Any]", store.get(tx, "platform", {}))
        fields = asdict(new)
        raw.update({name: fields[name] for name in changes})
        store.put(tx, "platform", raw)
        store.touch_desired(tx)
        note(tx, who, Action.SETTINGS_CHANGE, PLATFORM, changed=", ".join(sorted(changes)))
        return new
