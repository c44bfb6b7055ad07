"""The first run: what is found, tested and proposed; and the settings that may change later."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
from pathlib import Path
from typing import Annotated, Literal, cast

from fastapi import Query, Response
from pydantic import Field

from safecity.core.ground.access.api import PLATFORM, Action, Actor, authorize
from safecity.core.ground.devices.api import count
from safecity.core.ground.places.api import area_by_code, create_area, significant
from safecity.core.ground.settings.api import Platform, VolumeWish
from safecity.core.ground.timekeeping.api import servers_of
from safecity.core.ground.wizard.addresses import own_addresses, try_address
from safecity.core.ground.wizard.codes import divisions, lineage
from safecity.core.ground.wizard.menus import MENUS
from safecity.core.ground.wizard.proposals import check_platform, propose_platform
from safecity.kit.errors import InvalidError
from safecity.ports.database import Tx
from safecity.web.clock import ClockOut, clock_out
from safecity.web.guard import Here, Routes, Who
from safecity.web.ports_check import check_ports
from safecity.web.services import Services
from safecity.web.shapes import Answer, Ask, ClockSource, Digests, IfMatch, LanguageTag, Page, Text, read_revision, tag
from safecity.web.texts import sentence

routes = Routes("wizard")
VolumeLayout = Literal["auto", "channel", "shared"]
Host = Annotated[str, Field(max_length=253)]


class VolumeShape(Ask):
    """A place for recordings; a relative path lies in the data folder."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,31}$")]
    path: Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00-\x1f]+$")]
    max_gib: Annotated[float, Field(ge=0, le=1_000_000)] = 0
    layout: VolumeLayout = "auto"
    extent_mib: Annotated[int, Field(ge=4, le=1024)] = 64


class VolumeSet(Answer):
    """A volume as it is set."""

    name: str
    path: str
    max_gib: float
    layout: VolumeLayout
    extent_mib: int


class Remark(Answer):
    """`sentence` says the `code`."""

    code: str
    sentence: str


class Division(Answer):
    """Of GB/T 2260."""

    code: str
    name: str


SpecialDays = Annotated[dict[str, Literal["working", "saturday", "sunday"]], Field(max_length=400)]


class PlatformAsk(Ask):
    """Who we are; only what is sent changes.

    `digests`: what devices are offered to prove their passwords by, one challenge each, in this order. Devices that
    look at the first challenge alone know MD5 only: leave it in front while there are such.
    `day_kinds`: holidays, and weekends that are worked, by date (`2026-10-01`); what is usual on roads goes by them.
    `currency` (ISO 4217) of tolls, `hour_worth`: what an hour is worth to a driver, in minor units of it.
    """

    name: Text | None = None
    code: Annotated[str, Field(max_length=20)] | None = None
    domain: Annotated[str, Field(max_length=20)] | None = None
    public_host: Host | None = None
    area_code: Annotated[str, Field(max_length=12)] | None = None
    language: Literal["zh", "en", "zh-CN"] | None = None
    zone: Text | None = None
    clock_source: ClockSource | None = None
    ntp_server: Host | None = None
    retention_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    floor_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    digests: Digests | None = None
    alarm_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    audit_days: Annotated[int, Field(ge=0, le=3650)] | None = None
    day_kinds: SpecialDays | None = None
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")] | None = None
    hour_worth: Annotated[int, Field(ge=1, le=100_000_000)] | None = None


class PlatformOut(Answer):
    """As it is set now. `remarks` are what a person should look at again, `proposal` follows from the area code."""

    name: str
    code: str
    domain: str
    public_host: str
    area_code: str
    language: LanguageTag
    zone: str
    clock_source: ClockSource
    ntp_server: str
    retention_days: int
    floor_days: int
    digests: Digests
    alarm_days: int
    audit_days: int
    day_kinds: dict[str, str]
    currency: str
    hour_worth: int
    demo: bool
    wizard_done: bool
    volumes: list[VolumeSet]
    sip_port: int
    media_port: int
    remarks: list[Remark]
    revision: int


class ByLanguage(Answer):
    """A word in both languages."""

    zh: str
    en: str


class PathByLanguage(Answer):
    """A way through menus in both languages."""

    zh: list[str]
    en: list[str]


class MenuOut(Answer):
    """Where a maker hides the GB/T 28181 page and what its fields are called there; `notes` are codes of texts."""

    maker: str
    name: ByLanguage
    path: PathByLanguage
    fields: dict[str, ByLanguage]
    notes: list[str]


class StepOut(Answer):
    """A step of the first run, and whether it is done."""

    name: str
    done: bool


class WizardOut(Answer):
    """All that the pages of the first run show."""

    done: bool
    steps: list[StepOut]
    platform: PlatformOut
    menus: list[MenuOut]
    now_us: int


class AddressOut(Answer):
    """An address of this machine."""

    address: str
    interface: str
    kind: str
    proposed: bool


class AddressAsk(Ask):
    """What to test."""

    address: Host


class ClockAsk(Ask):
    """Servers to try, as they would be set."""

    ntp_server: Annotated[str, Field(min_length=1, max_length=253)]


class TestedOut(Answer):
    """`sentence` says the `code`."""

    address: str
    ok: bool
    code: str
    port: int
    sentence: str


class PortOut(Answer):
    """A port of ours, and whether something of ours answers on it."""

    name: str
    port: int
    last: int
    protocol: str
    ok: bool
    code: str
    sentence: str


class ProposalOut(Answer):
    """Proposed from an area code."""

    code: str
    domain: str
    areas: list[Division]


class RemovedOut(Answer):
    """How many devices went."""

    removed: int


class VolumesAsk(Ask):
    """All volumes; those left out are no longer written to."""

    volumes: Annotated[list[VolumeShape], Field(min_length=1, max_length=64)]


class VolumeState(Answer):
    """A volume as set, and what the disk says."""

    name: str
    path: str
    absolute: str
    max_gib: float
    layout: VolumeLayout
    extent_mib: int
    total_bytes: int
    free_bytes: int
    code: str
    sentence: str


@routes.get("/wizard", Action.SETTINGS_CHANGE)
async def see_wizard(who: Who, here: Here) -> WizardOut:
    """Where the first run stands."""
    platform = await here.settings.see(who)
    devices = await here.database.read(count)
    steps = [
        StepOut(name="address", done=bool(platform.public_host)),
        StepOut(name="platform", done=not check_platform(platform.code, platform.domain)),
        StepOut(name="volumes", done=bool(platform.volumes)),
        StepOut(name="camera", done=devices > 0),
        StepOut(name="demo", done=not platform.demo),
    ]
    menus = [MenuOut.model_validate(menu) for menu in MENUS]
    return WizardOut(
        done=platform.wizard_done, steps=steps, platform=_platform(here, platform, who),
        menus=menus, now_us=here.clock.now_us(),
    )  # fmt: skip


@routes.get("/wizard/addresses", Action.SETTINGS_CHANGE)
async def list_addresses(who: Who, here: Here) -> Page[AddressOut]:
    """Addresses found on the interfaces, the proposed one marked."""
    authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
    return Page(items=[AddressOut.model_validate(found) for found in await asyncio.to_thread(own_addresses)])


@routes.post("/wizard/addresses/test", Action.SETTINGS_CHANGE, once=False)
async def test_address(ask: AddressAsk, who: Who, here: Here) -> TestedOut:
    """Reach ourselves by it."""
    authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
    found = await try_address(ask.address, [here.web.http_port, here.web.media_port, here.web.sip_port])
    said = sentence(found.code, {"address": found.address, "port": found.port}, who.language) if found.code else ""
    return TestedOut(address=found.address, ok=found.ok, code=found.code, port=found.port, sentence=said)


@routes.get("/wizard/ports", Action.SETTINGS_CHANGE)
async def list_ports(who: Who, here: Here) -> Page[PortOut]:
    """Every port that must be open towards cameras and browsers."""
    authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
    found = await check_ports(here.web.http_port, here.web.media_port, here.web.sip_port, _rtp_ports(here))
    return Page(
        items=[
            PortOut(**one, sentence=sentence(one["code"], one, who.language) if one["code"] else "") for one in found
        ]
    )


@routes.get("/wizard/proposal", Action.SETTINGS_CHANGE)
async def propose(who: Who, here: Here, area_code: Annotated[str, Query(max_length=12)]) -> ProposalOut:
    """Platform code and domain for an area code, and the names of the areas above it."""
    found = propose_platform(significant(area_code)[:8])
    areas = [Division(code=code, name=name) for code, name in lineage(significant(area_code), who.language)]
    return ProposalOut(code=found.code, domain=found.domain, areas=areas)


@routes.get("/wizard/divisions", Action.SETTINGS_CHANGE)
async def list_divisions(who: Who, parent: Annotated[str, Query(max_length=6)] = "") -> Page[Division]:
    """Provinces, and cities of a province."""
    return Page(items=[Division(code=code, name=name) for code, name in divisions(parent, who.language)])


@routes.post("/wizard/clock/test", Action.SETTINGS_CHANGE, once=False)
async def test_clock(ask: ClockAsk, who: Who, here: Here) -> ClockOut:
    """Ask time servers before they are chosen: what each says, and how far the clock is off by them."""
    authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
    return clock_out(await here.timekeeper.test(ask.ntp_server), who.language)


@routes.put("/wizard/platform", Action.SETTINGS_CHANGE)
async def put_platform(
    ask: PlatformAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> PlatformOut:
    """Set who we are; an area code also makes the areas down to it."""
    return tag(response, await _change(here, who, ask, read_revision(if_match)))


@routes.put("/wizard/volumes", Action.SETTINGS_CHANGE)
async def put_volumes(ask: VolumesAsk, who: Who, here: Here, if_match: IfMatch = None) -> Page[VolumeState]:
    """Set where recordings go; each place is tried first."""
    authorize(who, Action.SETTINGS_CHANGE, PLATFORM)
    wishes = tuple(VolumeWish(**volume.model_dump()) for volume in ask.volumes)
    known = {volume.path for volume in (await here.settings.see(who)).volumes}
    states = [
        await asyncio.to_thread(_try_volume, here.web.data_dir, wish, who.language, new=wish.path not in known)
        for wish in wishes
    ]
    bad = next((state for state in states if state.code), None)
    if bad is not None:
        raise InvalidError("volume", code=bad.code, params={"volume": bad.name, "path": bad.absolute})
    await here.settings.change(who, revision=read_revision(if_match), volumes=wishes)
    here.duties.look_again()
    return Page(items=states)


@routes.get("/wizard/volumes", Action.SETTINGS_CHANGE)
async def list_volumes(who: Who, here: Here) -> Page[VolumeState]:
    """Where recordings go, and what the disks say."""
    platform = await here.settings.see(who)
    return Page(
        items=[await asyncio.to_thread(_try_volume, here.web.data_dir, v, who.language) for v in platform.volumes]
    )


@routes.post("/wizard/finish", Action.SETTINGS_CHANGE)
async def finish_wizard(who: Who, here: Here, response: Response) -> PlatformOut:
    """The first run is over."""
    platform = await here.settings.change(who, wizard_done=True)
    return tag(response, _platform(here, platform, who))


@routes.post("/demo/remove", Action.DEVICE_DELETE)
async def remove_demo(who: Who, here: Here) -> RemovedOut:
    """Remove the simulated city with all its devices."""
    gone = await here.devices.remove_demo(who)
    await here.tollgates.remove_demo(who)
    here.duties.look_again()
    here.hub.changed([("device", "")])
    if here.on_demo_removed is not None:
        await here.on_demo_removed()
    return RemovedOut(removed=gone)


@routes.get("/settings", Action.SETTINGS_SEE)
async def see_settings(who: Who, here: Here, response: Response) -> PlatformOut:
    """What may be changed while running."""
    return tag(response, _platform(here, await here.settings.see(who), who))


@routes.patch("/settings", Action.SETTINGS_CHANGE)
async def change_settings(
    ask: PlatformAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> PlatformOut:
    """Change some of it."""
    return tag(response, await _change(here, who, ask, read_revision(if_match)))


async def _change(here: Services, who: Actor, ask: PlatformAsk, revision: int | None) -> PlatformOut:
    changes = {name: value for name, value in ask.given().items() if value is not None}
    servers_of(changes.get("ntp_server", ""))
    if "language" in changes:
        changes["language"] = "en" if changes["language"] == "en" else "zh"
    if changes.get("code") and "domain" not in changes:
        changes["domain"] = changes["code"][:10]
    authorize(who, Action.SETTINGS_CHANGE, PLATFORM)

    def work(tx: Tx) -> Platform:
        if changes.get("area_code"):
            _make_areas(tx, who, changes["area_code"])
        return here.settings.set(tx, who, changes, revision)

    platform = await here.database.write(work)
    here.duties.look_again()
    here.timekeeper.look_again()
    return _platform(here, platform, who)


def _rtp_ports(here: Services) -> list[int]:
    """Those that the supervisor opened, which knows them even where any free ones were asked for."""
    with contextlib.suppress(OSError, ValueError, TypeError):
        found = json.loads((here.web.run_dir / "state.json").read_bytes()).get("rtp_ports")
        if found:
            return [int(port) for port in found[:20_000]]
    first, last = here.web.rtp_ports
    return list(range(first, last + 1))


def _make_areas(tx: Tx, who: Actor, area_code: str) -> None:
    above = None
    for code, name in lineage(significant(area_code), "zh"):
        found = area_by_code(tx, code)
        above = found or create_area(tx, who, name=name or code, code=code, above=above, zone="")


def _platform(here: Services, platform: Platform, who: Actor) -> PlatformOut:
    values = {name: getattr(platform, name) for name in PlatformOut.model_fields if hasattr(platform, name)}
    values["volumes"] = [VolumeSet.model_validate(volume) for volume in platform.volumes]
    values["language"] = "en" if platform.language == "en" else "zh-CN"
    remarks = [
        Remark(code=code, sentence=sentence(code, {}, who.language))
        for code in check_platform(platform.code, platform.domain)
    ]
    return PlatformOut(**values, sip_port=here.web.sip_port, media_port=here.web.media_port, remarks=remarks)


def _try_volume(data_dir: Path, wish: VolumeWish, language: str, *, new: bool = False) -> VolumeState:
    """Only a `new` place is made: a known one that is missing is a disk that is not mounted, and must stay missing."""
    path = (data_dir / wish.path).absolute()
    code, total, free = "", 0, 0
    try:
        if new or path.is_relative_to(data_dir.absolute()):
            path.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = path / ".safecity-probe"
        probe.write_bytes(b"x")
        probe.unlink()
        usage = shutil.disk_usage(path)
        total, free = usage.total, usage.free
        if free < 1 << 30:
            code = "volume_too_small"
    except OSError:
        code = "volume_not_writable"
    said = sentence(code, {"volume": wish.name, "path": str(path)}, language) if code else ""
    return VolumeState(
        name=wish.name, path=wish.path, absolute=str(path), max_gib=wish.max_gib,
        layout=cast("VolumeLayout", wish.layout), extent_mib=wish.extent_mib, total_bytes=total, free_bytes=free,
        code=code, sentence=said,
    )  # fmt: skip
