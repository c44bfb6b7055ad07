"""The platform's own identity, volumes and habits, as administrators set them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import asdict, dataclass, field, replace
from typing import Any, cast
from zoneinfo import ZoneInfo

from safecity.core.ground.access.api import PLATFORM, Action, Actor, authorize
from safecity.core.ground.audit.api import note
from safecity.core.ground.settings import store
from safecity.kit.daykinds import good_days
from safecity.kit.errors import ConflictError, InvalidError
from safecity.ports.database import Database, Tx

_CURRENCY = re.compile(r"[A-Z]{3}")
_SERVERS = re.compile(r"[0-9A-Za-z.\-:\[\],; ]{1,253}")
DIGESTS = ("MD5", "SHA-256", "SM3")
LEAST_AUDIT_DAYS = 180
"""The law asks for half a year of logs (Cybersecurity Law of the People's Republic of China, article 21)."""
MAX_SPECIAL_DAYS = 400
MAX_HOUR_WORTH = 100_000_000
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
    alarm_days, audit_days   how long alarms, and the log of who did or watched what, are kept; 0: for ever
    clock_source   who keeps the clock that devices are told the time by: `system` (the machine's own time service),
                   `ntp` (the same, measured against `ntp_server`); `manual`: devices keep the time they have
    ntp_server     up to four servers, by name or address, with commas between
    digests        how devices prove their passwords: what they are offered, in this order
    day_kinds      dates that are another kind of day than their day of the week says: `working`, `saturday`, `sunday`
    currency       of what roads cost (ISO 4217)
    hour_worth     what an hour is worth to a driver, minor units of it: routes weigh tolls by that
    revision       how often it was set; 0: all is as the settings file says
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
    alarm_days: int = 180
    audit_days: int = 365
    volumes: tuple[VolumeWish, ...] = ()
    digests: tuple[str, ...] = ("MD5",)
    day_kinds: dict[str, str] = field(default_factory=dict[str, str])
    currency: str = "CNY"
    hour_worth: int = 3_000
    wizard_done: bool = False
    demo: bool = False
    revision: int = 0

    def __post_init__(self) -> None:
        _need(not self.code or (len(self.code) == 20 and _digits(self.code)), "code")
        _need(not self.domain or (len(self.domain) in (10, 20) and _digits(self.domain)), "domain")
        _need(not self.public_host or _HOST.fullmatch(self.public_host) is not None, "public_host")
        _need(not self.ntp_server or _SERVERS.fullmatch(self.ntp_server) is not None, "ntp_server")
        _need(self.language in ("zh", "en"), "language")
        _need(self.clock_source in ("system", "ntp", "manual"), "clock_source")
        _need(0 <= self.retention_days <= 3650, "retention_days")
        _need(0 <= self.floor_days <= 3650, "floor_days")
        _need(0 <= self.alarm_days <= 3650, "alarm_days")
        _need(self.audit_days == 0 or LEAST_AUDIT_DAYS <= self.audit_days <= 3650, "audit_days")
        _need(len(self.day_kinds) <= MAX_SPECIAL_DAYS and good_days(self.day_kinds), "day_kinds")
        _need(_CURRENCY.fullmatch(self.currency) is not None, "currency")
        _need(1 <= self.hour_worth <= MAX_HOUR_WORTH, "hour_worth")
        _need(1 <= len(self.name) <= 100, "name")
        _need(0 < len(self.digests) == len(set(self.digests)) and set(self.digests) <= set(DIGESTS), "digests")
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
        self.guards: list[Callable[[Tx, Platform, Platform], None]] = []
        """Asked before a change, with what was and what is to be; they raise where something stands in the way."""

    def platform(self, tx: Tx) -> Platform:
        """As set, else as the settings file says."""
        raw = cast("dict[str, Any]", store.get(tx, "platform", {}))
        known = {name: value for name, value in raw.items() if name in Platform.__dataclass_fields__}
        if "volumes" in known:
            known["volumes"] = tuple(VolumeWish(**volume) for volume in known["volumes"])
        if "digests" in known:
            known["digests"] = tuple(known["digests"])
        return replace(self._defaults, **known, revision=store.revision_of(tx, "platform"))

    async def read(self) -> Platform:
        """For the platform's own use, without asking who."""
        return await self._database.read(self.platform)

    async def see(self, who: Actor) -> Platform:
        """For somebody."""
        authorize(who, Action.SETTINGS_SEE, PLATFORM)
        return await self.read()

    async def change(self, who: Actor, *, revision: int | None = None, **changes: Any) -> Platform:
        """Set some fields; everything that must hear of it is told. ConflictError where `revision` is not the last."""
        authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
        return await self._database.write(lambda tx: self.set(tx, who, changes, revision))

    def set(self, tx: Tx, who: Actor, changes: dict[str, Any], revision: int | None = None) -> Platform:
        """Inside a transaction of somebody who may."""
        old = self.platform(tx)
        if revision is not None and revision != old.revision:
            raise ConflictError("changed meanwhile", code="changed_meanwhile")
        new = replace(old, **changes, revision=old.revision + 1)
        for guard in self.guards:
            guard(tx, old, new)
        raw = cast("dict[str, Any]", store.get(tx, "platform", {}))
        fields = asdict(new)
        raw.update({name: fields[name] for name in changes})
        store.put(tx, "platform", raw)
        store.touch_desired(tx)
        note(tx, who, Action.SETTINGS_CHANGE, PLATFORM, changed=", ".join(sorted(changes)))
        return new
