"""Who wants to be told (GB/T 28181, 9.11): SUBSCRIBE from the platform, NOTIFY to it, alarms and positions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from safecity.kit.errors import InvalidError
from safecity.links.sip import Flow, Incoming, SipEndpoint
from safecity.protocols.gb28181 import notices, queries
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.manscdp import CONTENT_TYPE, command_of, read_body, write_body
from safecity.protocols.gb28181.times import local_text
from safecity.protocols.sip.dialog import Dialog
from safecity.protocols.sip.message import Response
from safecity.sim.gb28181.replies import catalog_item
from safecity.sim.gb28181.state import Channel, DeviceState

Spawn = Callable[[Coroutine[Any, Any, None]], None]


@dataclass(slots=True)
class Subscription:
    """One dialog."""

    command: str
    event: str
    expires_at: float
    interval: float
    dialog: Dialog
    flow: Flow


class Subscriptions:
    """All of one device."""

    def __init__(
        self,
        state: DeviceState,
        endpoint: SipEndpoint,
        spawn: Spawn,
        message: Callable[[Body], Awaitable[Response]],
    ) -> None:
        self._state = state
        self._endpoint = endpoint
        self._spawn = spawn
        self._message = message
        self._sn = 100_000
        self.active: dict[str, Subscription] = {}
        """By Call-ID."""

    def subscribed(self, incoming: Incoming) -> None:
        """SUBSCRIBE, new or refreshing or (Expires 0) ending."""
        request = incoming.request
        known = self.active.get(request.call_id)
        expires = request.expires if request.expires is not None else 600
        try:
            body = read_body(request.body) if request.body else None
        except InvalidError:
            incoming.respond(400)
            return
        if body is None and known is None:
            incoming.respond(489)
            return
        event = request.get("Event", "presence")
        contact = self._endpoint.contact(self._state.spec.code, incoming.flow)
        fields = [("Expires", str(expires)), ("Event", event), ("Contact", f"<{contact}>")]
        now = asyncio.get_running_loop().time()
        incoming.respond(200, fields=fields)
        if known is not None:
            known.dialog.judge(request)
            known.expires_at, known.flow = now + expires, incoming.flow
            if expires == 0:
                del self.active[request.call_id]
            elif isinstance(body, queries.MobilePositionQuery):
                known.interval = float(body.interval or 5)
            return
        if body is None or expires == 0:
            return
        interval = float(body.interval or 5) if isinstance(body, queries.MobilePositionQuery) else 0.0
        self._state.note(f"SUBSCRIBE/{command_of(body)}")
        self.active[request.call_id] = subscription = Subscription(
            command_of(body), event, now + expires, interval, incoming.dialog(), incoming.flow
        )
        if subscription.command == "Catalog":
            self._spawn(self._first_notice())
        if interval:
            self._spawn(self._positions(request.call_id))

    async def _first_notice(self) -> None:
        """The off-line ones, at once; the subscriber takes the others to be on."""
        away = [channel for channel in self._state.channels.values() if not channel.on]
        if away:
            await self.catalog_changed(away, "OFF")

    def _of(self, command: str) -> list[Subscription]:
        now = asyncio.get_running_loop().time()
        gone = [call_id for call_id, each in self.active.items() if each.expires_at <= now]
        for call_id in gone:
            del self.active[call_id]
        return [each for each in self.active.values() if each.command == command]

    async def tell(self, command: str, body: Body) -> int:
        """NOTIFY everybody who asked for it; how many."""
        told = 0
        for each in self._of(command):
            left = max(1, round(each.expires_at - asyncio.get_running_loop().time()))
            fields = [
                ("Event", each.event),
                ("Subscription-State", f"active;expires={left}"),
                ("Content-Type", CONTENT_TYPE),
            ]
            contact = self._endpoint.contact(self._state.spec.code, each.flow)
            content = write_body(body, self._state.spec.profile.charset)
            request = each.dialog.request("NOTIFY", fields=fields, body=content, contact=contact)
            await self._endpoint.request(request, each.flow, timeout=8.0)
            told += 1
        return told

    def _next_sn(self) -> int:
        self._sn += 1
        return self._sn

    async def catalog_changed(self, channels: list[Channel], event: str) -> int:
        """ON, OFF, VLOST, DEFECT, ADD, DEL, UPDATE of these channels."""
        state = self._state
        whole = event in ("ADD", "UPDATE")
        items = [catalog_item(state, channel, event) for channel in channels]
        if not whole:
            items = [type(item)(device_id=item.device_id, event=event) for item in items]
        body = notices.CatalogNotify(
            sn=self._next_sn(), device_id=state.spec.code, sum_num=len(items), device_list=tuple(items)
        )
        return await self.tell("Catalog", body)

    async def switch(self, code: str, on: bool) -> None:
        """A channel comes or goes."""
        channel = self._state.channels[code]
        channel.on = on
        await self.catalog_changed([channel], "ON" if on else "OFF")

    async def alarm(
        self, code: str, *, method: int = 5, kind: int = 2, priority: int = 3, description: str = ""
    ) -> None:
        """Raise an alarm on a channel: NOTIFY to subscribers, else MESSAGE."""
        channel = self._state.channels.get(code)
        if channel is not None:
            channel.alarmed = True
        body = notices.AlarmNotify(
            sn=self._next_sn(), device_id=code, alarm_priority=str(priority), alarm_method=str(method),
            alarm_time=local_text(self._state.now_us()), alarm_description=description or None,
            longitude=channel.longitude if channel else None, latitude=channel.latitude if channel else None,
            info=notices.AlarmInfo(alarm_type=str(kind)) if self._state.spec.profile.version != "1.0" else None,
        )  # fmt: skip
        if not await self.tell("Alarm", body):
            await self._message(body)

    async def position(self, code: str, longitude: float, latitude: float, speed: float = 0.0) -> None:
        """A mobile position, flat before 2022 and as a list since."""
        now = local_text(self._state.now_us())
        if self._state.spec.profile.version == "3.0":
            item = notices.PositionItem(
                device_id=code, capture_time=now, longitude=longitude, latitude=latitude, speed=speed
            )
            body = notices.MobilePositionNotify(
                sn=self._next_sn(), device_id=self._state.spec.code, time=now, sum_num=1, device_list=(item,)
            )
        else:
            body = notices.MobilePositionNotify(
                sn=self._next_sn(), device_id=code, time=now, longitude=longitude, latitude=latitude, speed=speed
            )
        if not await self.tell("MobilePosition", body):
            await self._message(body)

    async def _positions(self, call_id: str) -> None:
        """As long as the subscription lives: drive slowly eastwards."""
        step = 0
        while (each := self.active.get(call_id)) is not None:
            channel = next(iter(self._state.channels.values()), None)
            if channel is None or each.expires_at <= asyncio.get_running_loop().time():
                return
            await self.position(channel.code, round(channel.longitude + step * 0.0001, 6), channel.latitude, 36.0)
            step += 1
            await asyncio.sleep(each.interval)
