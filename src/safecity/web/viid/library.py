"""Resources of the view library: what a method on a path means, for a sender that is known."""

from __future__ import annotations

import asyncio
import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Final

from starlette.requests import Request

from safecity.core.ground.devices.api import Device, DeviceState
from safecity.core.ground.devices.api import everything as all_devices
from safecity.core.ground.images.api import Images, Outcome, is_library
from safecity.core.ground.lowers.api import Hearing
from safecity.core.ground.settings.api import Settings
from safecity.core.ground.tollgates.api import Tollgate
from safecity.core.ground.tollgates.api import everything as all_tollgates
from safecity.core.upper.watches.api import Asked, Hits
from safecity.kit.clock import Clock
from safecity.kit.errors import ExhaustedError, InvalidError, NotFoundError
from safecity.ports.database import Database
from safecity.protocols.gat1400.codes import clean_id
from safecity.protocols.gat1400.dispositions import Disposition, read_disposition
from safecity.protocols.gat1400.envelope import (
    Refused,
    Status,
    StatusCode,
    read_body,
    read_list,
    write_json,
    write_list,
    write_one,
    write_status,
    write_statuses,
)
from safecity.protocols.gat1400.objects import ViidObject
from safecity.protocols.gat1400.pictures import MAX_PICTURE
from safecity.protocols.gat1400.queries import Query, read_ids, read_query
from safecity.protocols.gat1400.resources import Resource
from safecity.protocols.gat1400.times import parse_time
from safecity.protocols.gat1400.vehicles import write_ape, write_lane, write_tollgate

MAX_BODIES: Final = 4
"""Bodies that are read and taken apart at once; each may have 16 MiB."""
MAX_WAITING: Final = 64
_USAGE: Final = {"security": "80", "traffic": "81"}
_OURS: Final = frozenset({"VIIDServers", "APEs", "APSs", "Tollgates", "Lanes"})


class Library:
    """Answers (status, body); errors leave as SafecityError."""

    def __init__(
        self, database: Database, images: Images, settings: Settings, clock: Clock, asked: Asked, hearing: Hearing,
        hits: Hits,
    ) -> None:  # fmt: skip
        self._database = database
        self._hearing = hearing
        self._hits = hits
        self._images = images
        self._settings = settings
        self._clock = clock
        self._asked = asked
        self._bodies = asyncio.Semaphore(MAX_BODIES)
        self._waiting = 0

    def now(self) -> int:
        """Wall clock, microseconds UTC."""
        return self._clock.now_us()

    async def code(self) -> str:
        """Who we are."""
        return (await self._settings.read()).code

    async def handle(
        self, sender: Device, resource: Resource, rest: Sequence[str], request: Request
    ) -> tuple[int, bytes]:
        """`rest` is what follows the resource in the path."""
        method, path = request.method, request.scope["path"]
        if not rest:
            if method not in resource.batch:
                return self._refused(405, path, "method not allowed")
            match method:
                case "GET":
                    return 200, write_json(await self._list(sender, resource, request))
                case "DELETE":
                    outcomes = await self._remove(sender, resource, read_ids(request.query_params.multi_items()))
                case _:
                    outcomes = await self._take(sender, resource, request)
            return 200, write_json(write_statuses([_status(path, one) for one in outcomes], self.now()))
        identity = clean_id(rest[0])
        if len(rest) == 2 and rest[1].lower() == "data" and resource.data:
            return await self._data(sender, resource, identity, request)
        single = resource.single
        if len(rest) == 2 and not (rest[1].lower() == "info" and (resource.data or resource.info)):
            return self._refused(404, path, "no such resource")
        if method not in single or not identity:
            return self._refused(405, path, "method not allowed")
        match method:
            case "GET":
                return 200, write_json(write_one(resource, await self._one(sender, resource, identity)))
            case "DELETE":
                (outcome,) = await self._remove(sender, resource, [identity])
            case _:
                (outcome, *_) = await self._take(sender, resource, request, identity)
        return 200, write_json(write_status(_status(path, outcome), self.now()))

    async def _take(self, sender: Device, resource: Resource, request: Request, identity: str = "") -> list[Outcome]:
        # Cameras describe themselves by POST; what we know of them is set up by people, and no password comes in.
        if resource.path in _OURS and (resource.path, request.method) != ("APEs", "POST"):
            raise InvalidError("set up by people", code="viid_query", params={"field": resource.path})
        objects = await self._objects(resource, request)
        if identity:
            objects = [one for one in objects if isinstance(one, Refused) or one.id == identity][:1]
            if not objects:
                raise InvalidError("another object", code="viid_query", params={"field": resource.key})
        match resource.path:
            case "Subscribes":
                return await self._images.subscribe(sender, objects)
            case "SubscribeNotifications":
                return await self._hearing.notified(sender, objects)
            case "DispositionNotifications":
                return await self._hits.take(sender, objects)
            case "Dispositions" if is_library(sender):
                return await self._watched(sender, objects, changed_in_place=bool(identity))
            case _:
                return await self._images.take(sender, objects)

    async def _watched(
        self, sender: Device, objects: Sequence[ViidObject | Refused], *, changed_in_place: bool
    ) -> list[Outcome]:
        """Kept like other objects, and proposed as watches to the people here."""
        outcomes = await self._images.take(sender, objects)
        wishes: list[Disposition] = []
        said: dict[str, str] = {}
        for one in objects:
            if isinstance(one, Refused):
                continue
            try:
                wishes.append(read_disposition(one, changed_in_place=changed_in_place))
            except InvalidError as error:
                said[one.id] = f"kept; no watch: {error.params.get('field', '')}"
        said |= await self._asked.take(sender, wishes)
        return [replace(one, text=f"OK, {why}") if (why := said.get(one.id)) else one for one in outcomes]

    async def _remove(self, sender: Device, resource: Resource, ids: Sequence[str]) -> list[Outcome]:
        if resource.path == "Subscribes":
            return await self._images.unsubscribe(sender, ids)
        if resource.path == "Dispositions":
            await self._asked.withdraw(sender, ids)
        if resource.path == "DispositionNotifications":
            await self._hits.take_back(sender, ids)
        return await self._images.remove(sender, resource, ids)

    async def _objects(self, resource: Resource, request: Request) -> list[ViidObject | Refused]:
        if self._waiting >= MAX_WAITING:
            raise ExhaustedError("too many at once", code="viid_busy", params={"seconds": 5})
        self._waiting += 1
        try:
            async with self._bodies:
                data = await request.body()
                kind = request.headers.get("content-type", "")
                return await asyncio.to_thread(lambda: read_list(resource, read_body(kind, data)))
        finally:
            self._waiting -= 1

    async def _list(self, sender: Device, resource: Resource, request: Request) -> dict[str, Any]:
        query = read_query(resource, request.query_params.multi_items())
        if resource.path in _OURS:
            part, total = _chosen(resource, await self._ours(sender, resource), query)
        elif resource.path == "Subscribes":
            part, total = _chosen(resource, await self._images.subscriptions_of(sender), query)
        else:
            found, total = await self._images.find(sender, resource, query)
            part = await self._standing(sender, resource, found)
        return write_list(
            resource, part, TotalNum=total, RecordStartNo=query.start + 1, PageRecordNum=query.count
        )  # fmt: skip

    async def _one(self, sender: Device, resource: Resource, identity: str) -> dict[str, Any]:
        if resource.path in _OURS or resource.path == "Subscribes":
            found = (
                await self._ours(sender, resource)
                if resource.path in _OURS
                else await self._images.subscriptions_of(sender)
            )
            for one in found:
                if str(one[resource.key]) == identity:
                    return one
            raise NotFoundError("no such object", code="not_found", params={"kind": resource.name})
        (one,) = await self._standing(sender, resource, [await self._images.see(sender, resource, identity)])
        return one

    async def _standing(self, sender: Device, resource: Resource, found: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What a library wishes to be watched for as it sent it, with what became of it here."""
        if resource.path != "Dispositions" or not is_library(sender):
            return found
        stands = await self._asked.standing(sender, [str(one[resource.key]) for one in found])
        return [
            {**one, "DispositionStatus": int(stands[name])} if (name := str(one[resource.key])) in stands else one
            for one in found
        ]

    async def _ours(self, sender: Device, resource: Resource) -> list[dict[str, Any]]:
        """What we know of ourselves, as far as the sender may: a library its areas, a camera what it reports for."""
        if resource.path == "APSs":
            return []
        if resource.path == "VIIDServers":
            platform = await self._settings.read()
            return [{"VIIDServerID": platform.code, "Name": platform.name, "IsOnline": "1"}]
        if resource.path == "APEs":
            devices = [device for device, _ in await self._database.read(all_devices)]
            mine = [
                one for one in devices if one.code and _may_know(sender, one.area_path, one.organisation_path, one.id)
            ]
            return [_ape(one) for one in mine]
        gates = await self._database.read(all_tollgates)
        known = [
            gate for gate in gates
            if gate.code and (
                sender.id in gate.reporters or _may_know(sender, gate.area_path, gate.organisation_path, "")
            )
        ]  # fmt: skip
        if resource.path == "Tollgates":
            return [_gate(gate) for gate in known]
        return [
            write_lane(
                tollgate=gate.code, number=lane.number, name=lane.name or str(lane.number), direction=lane.direction,
                max_speed=lane.max_speed_kmh,
            )
            for gate in known
            for lane in gate.lanes
        ]  # fmt: skip

    async def _data(self, sender: Device, resource: Resource, identity: str, request: Request) -> tuple[int, bytes]:
        path = request.scope["path"]
        match request.method:
            case "GET":
                return 200, base64.b64encode(await self._images.data(sender, resource, identity))
            case "POST" | "PUT":
                async with self._bodies:
                    text = await request.body()
                    data = await asyncio.to_thread(_decoded, text)
                await self._images.put_data(sender, resource, identity, data)
            case "DELETE":
                await self._images.remove_data(sender, resource, identity)
            case _:
                return self._refused(405, path, "method not allowed")
        return 200, write_json(write_status(Status(path, id=identity), self.now()))

    def _refused(self, status: int, path: str, text: str) -> tuple[int, bytes]:
        return status, write_json(write_status(Status(path, StatusCode.INVALID_OPERATION, text), self.now()))


def _chosen(resource: Resource, found: Sequence[dict[str, Any]], query: Query) -> tuple[list[dict[str, Any]], int]:
    """What is asked for of what lies in no table of objects, and how many there are in all: a filter that was passed
    over would show too much."""

    def fits(one: dict[str, Any]) -> bool:
        at = next((us for name in resource.times if (us := parse_time(one.get(name))) is not None), None)
        return (
            (not query.ids or str(one[resource.key]) in query.ids)
            and (not query.tollgate or one.get("TollgateID") == query.tollgate)
            and (not query.device or query.device in (one.get("DeviceID"), one.get("ApeID")))
            and (query.since is None or (at is not None and at >= query.since))
            and (query.until is None or (at is not None and at < query.until))
        )

    fitting = [one for one in found if fits(one)]
    return fitting[query.start : query.start + query.count], len(fitting)


def _status(path: str, one: Outcome) -> Status:
    return Status(path, one.code, one.text, one.id)


def _decoded(text: bytes) -> bytes:
    bad = InvalidError("not base64", code="viid_picture", params={"reason": "base64"})
    if len(text) > MAX_PICTURE * 4 // 3 + 4096:
        raise InvalidError("too large", code="viid_picture", params={"reason": "large"})
    try:
        return base64.b64decode(b"".join(text.strip(b'" \r\n').split()), validate=True)
    except (binascii.Error, ValueError) as error:
        raise bad from error


def _may_know(sender: Device, area: str, organisation: str, device: str) -> bool:
    if device == sender.id:
        return True
    return (
        is_library(sender) and area.startswith(sender.area_path) and organisation.startswith(sender.organisation_path)
    )


def _ape(device: Device) -> dict[str, Any]:
    state = {DeviceState.ONLINE: "1", DeviceState.OFFLINE: "2"}.get(device.state, "9")
    area = device.area_path.strip("/").rpartition("/")[2]
    return write_ape({
        "ApeID": device.code, "Name": device.name, "Model": device.model or "-",
        "PlaceCode": f"{area[:6]:0<6}" if area.isdigit() else "000000", "IsOnline": state,
    })  # fmt: skip


def _gate(gate: Tollgate) -> dict[str, Any]:
    usage = next((_USAGE[one] for one in ("security", "traffic") if one in gate.purposes), "82")
    area = gate.area_path.strip("/").rpartition("/")[2]
    place = f"{area[:6]:0<6}" if area.isdigit() else "000000"
    return write_tollgate(
        code=gate.code, name=gate.name, longitude=gate.longitude or 0.0, latitude=gate.latitude or 0.0,
        place=place, lanes=len(gate.lanes), enabled=gate.enabled, usage=usage,
    )  # fmt: skip
