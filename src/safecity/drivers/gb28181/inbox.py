"""MESSAGE and NOTIFY from devices: acknowledged at once, read liberally, turned into facts or answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from itertools import groupby
from typing import Any

from safecity.drivers.gb28181.asking import Asker
from safecity.drivers.gb28181.attendance import Attendance
from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.getting_to_know import packed
from safecity.drivers.gb28181.translate import alarm_fact, channel_fact, plain, position_fact
from safecity.kit.clock import Clock
from safecity.kit.errors import InvalidError
from safecity.links.sip import Incoming
from safecity.protocols.gb28181.answers import CatalogResponse
from safecity.protocols.gb28181.body import Body, Response
from safecity.protocols.gb28181.codes import clean_code
from safecity.protocols.gb28181.limits import Buckets
from safecity.protocols.gb28181.manscdp import command_of, read_body
from safecity.protocols.gb28181.notices import (
    AlarmNotify,
    AlarmResponse,
    CatalogNotify,
    Keepalive,
    MediaStatus,
    MobilePositionNotify,
)

logger = logging.getLogger(__name__)

Publish = Callable[..., None]
CALM_SECONDS = 10.0


class Inbox:
    """Dispatch by type. `answer(device, body)` sends a MESSAGE back; `media_ended(call_id, device)` tells of 121;
    `meet(device)` asks a device for all it has, after it told of more changes than could be followed."""

    def __init__(
        self,
        directory: Directory,
        attendance: Attendance,
        asker: Asker,
        clock: Clock,
        publish: Publish,
        answer: Callable[[Device, Body], None],
        media_ended: Callable[[Device, str], None],
        meet: Callable[[Device], None],
    ) -> None:
        self._directory = directory
        self._attendance = attendance
        self._asker = asker
        self._clock = clock
        self._publish = publish
        self._answer = answer
        self._media_ended = media_ended
        self._strangers = Buckets(rate=20.0, burst=100.0)
        self._per_device = Buckets(rate=500.0, burst=3000.0)
        self._facts = Buckets(rate=20.0, burst=200.0)
        self._alarms = Buckets(rate=1.0, burst=40.0)
        self._changes = Buckets(rate=5.0, burst=400.0)
        self._meet = meet
        self._missed: dict[str, float] = {}
        self.unreadable = 0
        self.dropped = 0

    def on_message(self, incoming: Incoming) -> None:
        """A MESSAGE, or a NOTIFY (whose subscription state its caller has looked at)."""
        device = self._admitted(incoming)
        if device is None:
            return
        request = incoming.request
        if not request.body:
            incoming.respond(200)
            self._attendance.heard(device)
            return
        try:
            body = read_body(request.body)
        except InvalidError as error:
            self.unreadable += 1
            incoming.respond(400, "Unreadable body")
            if self._facts.take(("unreadable", device.code), self._clock.monotonic()):
                logger.warning("body refused code=%s why=%s", device.code, error.code)
            return
        incoming.respond(200)
        is_keepalive = isinstance(body, Keepalive)
        self._attendance.heard(device, keepalive=is_keepalive)
        if not is_keepalive:
            self._take(device, body, incoming)

    def _admitted(self, incoming: Incoming) -> Device | None:
        code = clean_code(incoming.request.from_.user)
        now = self._clock.monotonic()
        device = self._attendance.speaker(code, incoming.flow)
        if device is None:
            if self._strangers.take(incoming.flow.host, now):
                incoming.respond(403)
            else:
                self.dropped += 1
                incoming.ignore()
            return None
        if not self._per_device.take(device.code, now):
            self.dropped += 1
            incoming.ignore()
            return None
        if not self._attendance.admits(device, incoming.flow):
            incoming.respond(403)  # it then registers again
            return None
        return device

    def _take(self, device: Device, body: Body, incoming: Incoming) -> None:
        match body:
            case AlarmNotify():
                self._alarm(device, body, is_message=incoming.request.method == "MESSAGE")
            case MobilePositionNotify():
                self._position(device, body)
            case CatalogNotify():
                if incoming.request.method == "NOTIFY" or not self._answers_anyway(device, body):
                    self._catalog_changed(device, body)
            case MediaStatus():
                if body.notify_type.strip() == "121":
                    self._media_ended(device, incoming.request.call_id)
            case CatalogResponse() if incoming.request.method == "NOTIFY":
                # Some devices write Response where Notify is meant.
                changed = CatalogNotify(sn=body.sn, device_id=body.device_id, device_list=body.device_list)
                self._catalog_changed(device, changed)
            case Response():
                if not self._asker.answered(device, body, self._clock.monotonic()):
                    logger.debug("answer nobody waits for code=%s command=%s", device.code, command_of(body))
            case _:
                if command_of(body).lower() in ("uploadsnapshotfinished", "deviceupgraderesult", "videouploadnotify"):
                    self._publish_plain(device, body)

    def _answers_anyway(self, device: Device, body: CatalogNotify) -> bool:
        """Some devices answer a catalogue query with Notify instead of Response."""
        answer = CatalogResponse(
            sn=body.sn, device_id=body.device_id, sum_num=body.sum_num, device_list=body.device_list
        )  # fmt: skip
        return self._asker.answered(device, answer, self._clock.monotonic())

    def _alarm(self, device: Device, alarm: AlarmNotify, *, is_message: bool) -> None:
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        channel = self._directory.channel_id(device, clean_code(alarm.device_id))
        # What alarms once a second for minutes says nothing more; and of a device that floods nothing is confirmed.
        if not (self._alarms.take((device.code, channel), now) and self._facts.take(("alarm", device.code), now)):
            self.dropped += 1
            return
        if is_message:
            self._answer(device, AlarmResponse(sn=alarm.sn, device_id=alarm.device_id))
        fact = alarm_fact(alarm, channel, now_us)
        self._publish("alarm.received", channel or device.id, {"device": device.id, **fact}, at=fact["time_us"])

    def _position(self, device: Device, notice: MobilePositionNotify) -> None:
        now_us = self._clock.now_us()
        for item in notice.items()[:1000]:
            channel = self._directory.channel_id(device, clean_code(item.device_id))
            fact = position_fact(item, channel, now_us)
            if fact is None or not self._facts.take(("position", device.code), self._clock.monotonic()):
                self.dropped += 1
                continue
            self._publish("position.received", channel or device.id, {"device": device.id, **fact}, at=fact["time_us"])

    def _catalog_changed(self, device: Device, notice: CatalogNotify) -> None:
        items = [item for item in notice.device_list or () if clean_code(item.device_id)][:10_000]
        # Equal changes beside each other go into one event; the order of changes is kept.
        for change, group in groupby(items, lambda item: (item.event or "UPDATE").strip().upper()[:16]):
            for some in packed([channel_fact(item) for item in group]):
                now = self._clock.monotonic()
                if not self._changes.take(device.code, now):
                    self.dropped += 1
                    self._missed[device.code] = now
                    continue
                body: dict[str, Any] = {"device": device.id, "code": device.code, "change": change, "items": some}
                self._publish("catalog.changed", device.id, body)

    def tick(self) -> None:
        """Once a second: who told of more changes than were followed, and is calm again, is asked for all it has."""
        now = self._clock.monotonic()
        for code in [code for code, at in self._missed.items() if now - at >= CALM_SECONDS]:
            del self._missed[code]
            device = self._directory.by_code(code)
            if device is not None and device.is_online:
                self._meet(device)

    def _publish_plain(self, device: Device, body: Body) -> None:
        kinds = {
            "uploadsnapshotfinished": "snapshots.uploaded",
            "deviceupgraderesult": "device.upgraded",
            "videouploadnotify": "video.uploaded",
        }
        if self._facts.take(("other", device.code), self._clock.monotonic()):
            fact = {"device": device.id, "code": clean_code(body.device_id), "fields": plain(body)}
            self._publish(kinds[command_of(body).lower()], device.id, fact)
