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
LOOK_SECONDS = 0.5


def platform_itself(now_us: int) -> Actor:
    """Who acts where nobody sits in front of a screen; stands in the audit log as `platform`."""
    return Actor(user="platform", name="platform", session="", grants=(Grant(role=Role.ADMINISTRATOR),), at=now_us)


async def import_demo(folder: Path, services: Services) -> None:
    """Watch `folder` for manifests (`*.json`) and add what is not there yet, until cancelled or the demo is removed.

    The city writes `manifest.json`; `safecity sim cameras --data` writes others for load tests.
    """
    done: set[tuple[str, int]] = set()
    while not (folder / "removed").exists():
        for path in sorted(folder.glob("*.json")):  # noqa: ASYNC240 - a handful of small local files
            key = (path.name, path.stat().st_mtime_ns)
            manifest = None if key in done else read_manifest(path)
            if manifest is None:
                continue
            done.add(key)
            who = platform_itself(services.clock.now_us())
            area = await _areas(services, who)
            added = await _devices(manifest, services, who, area)
            await _tollgates(manifest, services, who, area)
            if added:
                logger.info("simulated devices brought in file=%s devices=%s", path.name, added)
        await asyncio.sleep(LOOK_SECONDS)


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
    known, _ = await services.devices.page(who, after=None, limit=100_000)
    codes = {(device.kind, device.code) for device in known if device.code}
    urls = {device.url for device in known if device.url}
    added = 0
    for device in manifest.devices:
        if (device.code and (device.kind, device.code) in codes) or (device.url and device.url in urls):
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
            transport="auto" if device.kind == "rtsp" else device.transport,
            demo=True,
        )
        try:
            await services.devices.add(who, new)
            added += 1
        except ConflictError as error:
            logger.warning("device of the demo city not added name=%s why=%s", device.name_en, error)
    return added


async def _tollgates(manifest: Manifest, services: Services, who: Actor, area: str) -> None:
    known, _ = await services.tollgates.page(who, after=None, limit=10_000)
    codes = {gate.code for gate in known}
    for gate in manifest.tollgates:
        if gate.code in codes:
            continue
        lanes = [
            {"number": number, "direction": direction, "max_speed_kmh": gate.max_speed_kmh}
            for number, direction in enumerate(gate.lanes, start=1)
        ]
        values = {
            "code": gate.code, "name": gate.name, "area": area, "longitude": gate.longitude, "latitude": gate.latitude,
            "lanes": lanes, "retention_days": 7,
        }  # fmt: skip
        try:
            await services.tollgates.add(who, values, demo=True)
        except ConflictError as error:
            logger.warning("checkpoint of the demo city not added name=%s why=%s", gate.name_en, error)
