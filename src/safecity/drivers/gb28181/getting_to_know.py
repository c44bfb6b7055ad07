"""What is asked of a device when it arrives: what it is, how it is, and its whole catalogue."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
from collections.abc import Callable
from typing import Any

import msgspec

from safecity.drivers.gb28181.asking import Asker, Reply
from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.store import SignalStore
from safecity.drivers.gb28181.translate import channel_fact
from safecity.kit.clock import Clock
from safecity.kit.errors import SafecityError
from safecity.protocols.gb28181.answers import (
    BasicParam,
    ConfigDownloadResponse,
    DeviceInfoResponse,
    DeviceStatusResponse,
)
from safecity.protocols.gb28181.codes import clean_code
from safecity.protocols.gb28181.queries import (
    CatalogQuery,
    ConfigDownloadQuery,
    DeviceInfoQuery,
    DeviceStatusQuery,
)
from safecity.protocols.gb28181.times import parse_local

logger = logging.getLogger(__name__)

AT_ONCE = 100
"""Devices asked at one time: after a power cut in a district they all come back together."""
SHORT_SECONDS = 6.0
"""How long a short answer may take; the first part of a catalogue may take longer."""
CHANNELS_PER_EVENT = 100
BYTES_PER_EVENT = 128 * 1024
"""Several events must fit into one frame of Calls, whatever a device writes into its fields."""
TRIES = 3
MAX_PATIENCE_SECONDS = 3600
"""A device that calls in more rarely is offline in between, whatever it says."""


class GettingToKnow:
    """`meet` when a device is here anew; `catalog` when somebody asks."""

    def __init__(
        self,
        directory: Directory,
        asker: Asker,
        store: SignalStore,
        clock: Clock,
        publish: Callable[..., None],
        spawn: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        self._directory = directory
        self._asker = asker
        self._store = store
        self._clock = clock
        self._publish = publish
        self._spawn = spawn
        self._turn = asyncio.Semaphore(AT_ONCE)
        self._meeting: set[str] = set()

    def meet(self, device: Device) -> None:
        """Ask it everything, when its turn comes."""
        if device.code not in self._meeting:
            self._meeting.add(device.code)
            self._spawn(self._meet(device))

    async def _meet(self, device: Device) -> None:
        try:
            async with self._turn:
                with contextlib.suppress(SafecityError):
                    await self.info(device)
                for attempt in range(TRIES):
                    try:
                        reply = await self.catalog(device)
                    except SafecityError as error:
                        logger.info("catalogue not got code=%s why=%s", device.code, error.code)
                    else:
                        if reply.complete:
                            break
                    if not device.is_online:
                        break
                    await asyncio.sleep((5.0 + 5.0 * random.random()) * (attempt + 1))
                await self._status(device)
                await self._heartbeat(device)
        finally:
            self._meeting.discard(device.code)

    async def catalog(self, device: Device) -> Reply:
        """The whole catalogue, published as `catalog.received`. What arrived counts even if some never came."""
        reply = await self._asker.ask(device, CatalogQuery(sn=device.next_sn(), device_id=device.code))
        device.catalog_at = self._clock.now_us()
        self._store.put_device(device.row())
        parts = packed([channel_fact(item) for item in reply.items if clean_code(item.device_id)])
        for number, some in enumerate(parts, 1):
            body: dict[str, Any] = {
                "device": device.id,
                "code": device.code,
                "batch": f"{device.code}-{device.catalog_at}",
                "last": number == len(parts),
                "complete": reply.complete,
                "received": reply.received,
                "total": reply.total,
                "items": some,
            }
            self._publish("catalog.received", device.id, body)
        return reply

    async def info(self, device: Device) -> Reply:
        """What the device is, published as `device.described`."""
        query = DeviceInfoQuery(sn=device.next_sn(), device_id=device.code)
        reply = await self._asker.ask(device, query, first_seconds=SHORT_SECONDS)
        info = reply.body
        if isinstance(info, DeviceInfoResponse):
            device.manufacturer, device.model = (info.manufacturer or "")[:64], (info.model or "")[:64]
            self._store.put_device(device.row())
            body = {
                "device": device.id,
                "code": device.code,
                "name": (info.device_name or "")[:128],
                "manufacturer": device.manufacturer,
                "model": device.model,
                "firmware": (info.firmware or "")[:64],
                "channels": info.channel,
            }
            self._publish("device.described", device.id, body)
        return reply

    async def _status(self, device: Device) -> None:
        try:
            query = DeviceStatusQuery(sn=device.next_sn(), device_id=device.code)
            reply = await self._asker.ask(device, query, first_seconds=SHORT_SECONDS)
        except SafecityError as error:
            logger.debug("device status not got code=%s why=%s", device.code, error.code)
            return
        status = reply.body
        there = parse_local(status.device_time) if isinstance(status, DeviceStatusResponse) else None
        if there is not None:
            device.clock_offset_ms = (there - self._clock.now_us()) // 1000
            self._store.put_device(device.row())

    async def _heartbeat(self, device: Device) -> None:
        """How often it means to call in. Who calls every five minutes is not gone after three."""
        try:
            query = ConfigDownloadQuery(sn=device.next_sn(), device_id=device.code)
            reply = await self._asker.ask(device, query, first_seconds=SHORT_SECONDS)
        except SafecityError as error:
            logger.debug("basic configuration not got code=%s why=%s", device.code, error.code)
            return
        if isinstance(reply.body, ConfigDownloadResponse) and reply.body.basic_param is not None:
            self.heartbeat_is(device, reply.body.basic_param)

    def heartbeat_is(self, device: Device, basic: BasicParam) -> None:
        """What its configuration says, where it makes sense."""
        interval, count = basic.heart_beat_interval, basic.heart_beat_count or 3
        if interval is not None and 0 < interval <= 3600 and 0 < count <= 60:
            device.be_patient(self._directory.patience, min(MAX_PATIENCE_SECONDS, interval * count))
            self._store.put_device(device.row())


def packed(facts: list[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The facts in portions for one event each, bounded in number and bytes; at least one portion."""
    parts: list[list[dict[str, Any]]] = [[]]
    held = 0
    for fact in facts:
        size = len(msgspec.msgpack.encode(fact))
        if parts[-1] and (len(parts[-1]) >= CHANNELS_PER_EVENT or held + size > BYTES_PER_EVENT):
            parts.append([])
            held = 0
        parts[-1].append(fact)
        held += size
    return parts
