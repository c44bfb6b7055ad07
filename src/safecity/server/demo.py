"""Bring the simulated city into the platform: its areas and devices, as an administrator would add them, once."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

from safecity.core.ground.access.api import Actor, Grant, Role
from safecity.core.ground.devices.api import NewDevice
from safecity.core.ground.places.api import area_by_code
from safecity.kit.errors import ConflictError
from safecity.sim.manifest import Manifest, read_manifest
from safecity.web.services import Services

logger = logging.getLogger(__name__)

AREAS = (("34", "安徽省"), ("3402", "芜湖市"), ("340202", "镜湖区"))
LOOK_SECONDS = 0.2


def platform_itself(now_us: int) -> Actor:
    """Who acts where nobody sits in front of a screen; stands in the audit log as `platform`."""
    return Actor(user="platform", name="platform", session="", grants=(Grant(role=Role.ADMINISTRATOR),), at=now_us)


async def import_demo(manifest_path: Path, services: Services) -> None:
    """Wait for the city's manifest and add what is not there yet. Does nothing once the demo was removed."""
    if (manifest_path.parent / "removed").exists():
        return
    while (manifest := read_manifest(manifest_path)) is None:  # noqa: ASYNC110 - another process writes it
        await asyncio.sleep(LOOK_SECONDS)
    who = platform_itself(services.clock.now_us())
    area = await _areas(services, who)
    added = await _devices(manifest, services, who, area)
    if added:
        logger.info("demo city brought in devices=%s", added)


async def _areas(services: Services, who: Actor) -> str:
    parent: str | None = None
    for code, name in AREAS:
        found = await services.database.read(lambda tx, code=code: area_by_code(tx, code))
        if found is None:
            found = await services.places.add_area(who, name=name, code=code, parent=parent, zone="Asia/Shanghai")
        parent = found.id
    assert parent is not None
    return parent


async def _devices(manifest: Manifest, services: Services, who: Actor, area: str) -> int:
    known, _ = await services.devices.page(who, after=None, limit=1000)
    codes = {device.code for device in known if device.code}
    urls = {device.url for device in known if device.url}
    added = 0
    for device in manifest.devices:
        if (device.code and device.code in codes) or (device.url and device.url in urls):
            continue
        new = NewDevice(
            kind=device.kind,
            name=device.name,
            code=device.code,
            password=device.password,
            username=device.username,
            url=device.url,
            sub_url=device.sub_url,
            area=area,
            transport=device.transport if device.kind == "gb28181" else "auto",
            demo=True,
        )
        try:
            await services.devices.add(who, new)
            added += 1
        except ConflictError as error:
            logger.warning("device of the demo city not added name=%s why=%s", device.name_en, error)
    return added
