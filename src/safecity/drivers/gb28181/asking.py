"""Questions to devices: send the query, gather the answer that comes back as other MESSAGEs with the same SN."""

from __future__ import annotations

import asyncio
from collections.abc import Hashable
from dataclasses import dataclass, field
from typing import Any

from msgspec import structs

from safecity.drivers.gb28181.directory import Device
from safecity.drivers.gb28181.link import Link
from safecity.kit.errors import Param, RefusedError, UnavailableError
from safecity.protocols.gb28181.answers import (
    CatalogResponse,
    ConfigDownloadResponse,
    PresetItem,
    PresetResponse,
    RecordInfoResponse,
    RecordItem,
)
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.catalog import CatalogItem
from safecity.protocols.gb28181.collector import IDLE_SECONDS, Collected
from safecity.protocols.gb28181.manscdp import command_of
from safecity.protocols.gb28181.queries import ConfigDownloadQuery

FIRST_SECONDS = 10.0
"""How long the first message of an answer may take."""
MAX_OPEN = 20_000
_LISTS = {
    CatalogResponse: "device_list",
    RecordInfoResponse: "record_list",
    PresetResponse: "preset_list",
}


@dataclass(slots=True)
class Reply:
    """What came. `body` is the last message (of several merged ones for ConfigDownload), `items` the joined list."""

    body: Body
    items: list[Any] = field(default_factory=list[Any])
    complete: bool = True
    received: int = 0
    total: int = 0


@dataclass(slots=True)
class _Open:
    collected: Collected[Any]
    arrived: asyncio.Event
    parts_wanted: int = 1
    bodies: list[Body] = field(default_factory=list[Body])

    @property
    def is_list(self) -> bool:
        return bool(self.bodies) and type(self.bodies[-1]) in _LISTS

    @property
    def complete(self) -> bool:
        if not self.bodies:
            return False
        return self.collected.complete if self.is_list else self.parts >= self.parts_wanted

    @property
    def parts(self) -> int:
        """Answers of a query without a list: messages, or for ConfigDownload the types they hold."""
        if not isinstance(self.bodies[-1], ConfigDownloadResponse):
            return len(self.bodies)
        held = {
            name
            for body in self.bodies
            for name, value in structs.asdict(body).items()
            if value is not None and name not in ("sn", "device_id", "result")
        }
        return max(len(held), len(self.bodies) if len(self.bodies) >= self.parts_wanted else 0)


class Asker:
    """Pairs answers with questions by (device, command, SN)."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._open: dict[tuple[str, str, int], _Open] = {}

    async def ask(self, device: Device, query: Body, *, first_seconds: float = FIRST_SECONDS) -> Reply:
        """Ask and wait. RefusedError (`gb_refused`), UnavailableError (`gb_no_answer`, `gb_device_offline`)."""
        if len(self._open) >= MAX_OPEN:
            raise UnavailableError("too many open questions", code="gb_too_many_questions")
        loop = asyncio.get_running_loop()
        command = command_of(query)
        key = (device.code, command.lower(), query.sn)
        pending = _Open(Collected(_key_of, loop.time() + first_seconds), asyncio.Event())
        if isinstance(query, ConfigDownloadQuery):
            pending.parts_wanted = max(1, query.config_type.count("/") + 1)
            pending.collected.idle_seconds = 2.0
        self._open[key] = pending
        try:
            await self._send(device, query, pending)
            while not pending.complete and not pending.collected.expired(loop.time()):
                pending.arrived.clear()
                try:
                    async with asyncio.timeout_at(pending.collected.deadline):
                        await pending.arrived.wait()
                except TimeoutError:
                    continue
        finally:
            del self._open[key]
        if not pending.bodies:
            params = {"command": command, "seconds": first_seconds}
            raise UnavailableError(f"{device.code}: {command} not answered", code="gb_no_answer", params=params)
        return _reply(pending)

    async def _send(self, device: Device, query: Body, pending: _Open) -> None:
        try:
            response = await self._link.message(device, query)
        except UnavailableError:
            if pending.bodies:
                return  # some devices acknowledge nothing and answer all the same
            raise
        if response.status >= 300 and not pending.bodies:
            params: dict[str, Param] = {
                "status": response.status,
                "reason": response.reason[:80],
                "command": command_of(query),
            }
            raise RefusedError(f"{device.code}: {response.status}", code="gb_refused", params=params)

    def answered(self, device: Device, body: Body, now: float) -> bool:
        """An answer came. False where nobody asked."""
        command = command_of(body).lower()
        pending = self._open.get((device.code, command, body.sn))
        if pending is None:
            # Some devices answer with an SN of their own: it can only be meant for a single open question.
            matching = [key for key in self._open if key[0] == device.code and key[1] == command]
            if len(matching) != 1:
                return False
            pending = self._open[matching[0]]
        attribute = _LISTS.get(type(body))  # pyright: ignore[reportArgumentType]
        if attribute is None:
            pending.collected.deadline = now + pending.collected.idle_seconds
        else:
            pending.collected.add(now, getattr(body, "sum_num", None), getattr(body, attribute) or ())
        pending.bodies.append(body)
        if len(pending.bodies) > 64 and attribute is not None:
            del pending.bodies[0]
        pending.arrived.set()
        return True


def _key_of(item: CatalogItem | RecordItem | PresetItem) -> Hashable:
    match item:
        case CatalogItem():
            return item.device_id
        case RecordItem():
            return (item.device_id, item.start_time, item.end_time, item.file_path, item.name)
        case PresetItem():
            return item.preset_id


def _reply(pending: _Open) -> Reply:
    body = pending.bodies[-1]
    if pending.is_list:
        items = list(pending.collected.items.values())
        total = pending.collected.total or 0
        complete = pending.collected.complete or pending.collected.rows >= total
        return Reply(body, items, complete, len(items), total)
    if isinstance(body, ConfigDownloadResponse):
        merged: dict[str, Any] = {}
        for part in pending.bodies:
            merged.update({name: value for name, value in structs.asdict(part).items() if value is not None})
        body = ConfigDownloadResponse(**merged)
    parts = min(pending.parts, pending.parts_wanted)
    return Reply(body, [], parts >= pending.parts_wanted, parts, pending.parts_wanted)


__all__ = ["IDLE_SECONDS", "Asker", "Reply"]
