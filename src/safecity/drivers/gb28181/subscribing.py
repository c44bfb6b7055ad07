"""Subscriptions to catalogue, alarms and positions of each device, kept alive while it is online."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from safecity.drivers.gb28181.directory import Device, Directory
from safecity.drivers.gb28181.link import Link
from safecity.drivers.gb28181.store import DialogRow, SignalStore, dialog_of, dialog_row
from safecity.kit.clock import SECOND_US, Clock
from safecity.kit.errors import UnavailableError
from safecity.links.sip import Incoming
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.queries import AlarmQuery, CatalogQuery, MobilePositionQuery
from safecity.protocols.gb28181.subscription import EVENTS, Subscription, Topic
from safecity.protocols.sip.dialog import Dialog

logger = logging.getLogger(__name__)

AT_ONCE = 100
_ACTIVE_FOR_EVER = 365 * 86_400


class SubscriptionRow(Struct, frozen=True, array_like=True):
    """`until` in microseconds UTC: when the device forgets us."""

    code: str
    topic: str
    until: int
    dialog: DialogRow


class Subscribing:
    """`tick` is to be called about once a second; `spawn` owns the tasks."""

    def __init__(
        self,
        directory: Directory,
        link: Link,
        store: SignalStore,
        clock: Clock,
        spawn: Callable[[Any], asyncio.Task[None]],
    ) -> None:
        self._directory = directory
        self._link = link
        self._store = store
        self._clock = clock
        self._spawn = spawn
        self._by_call: dict[str, tuple[str, Topic]] = {}
        self._intervals: dict[str, int] = {}
        """Seconds between positions each device was last asked for."""
        self._running = 0

    def restore(self) -> None:
        """Dialogs of before the restart go on: notices still come, refreshes go into the same dialog."""
        now, now_us = self._clock.monotonic(), self._clock.now_us()
        for key, row in self._store.load_dialogs("subscription", SubscriptionRow):
            device = self._directory.by_code(row.code)
            left = (row.until - now_us) / SECOND_US
            if device is None or left <= 0:
                self._store.drop_dialog(key)
                continue
            topic = Topic(row.topic)
            subscription = Subscription(topic)
            subscription.accepted(now, round(left))
            device.subscriptions[topic] = subscription
            device.dialogs[topic] = dialog_of(row.dialog)
            self._by_call[row.dialog.call_id] = (row.code, topic)

    def device_is_new(self, device: Device) -> None:
        """It registered anew: what it knew of our subscriptions is gone, so begin new ones."""
        now = self._clock.monotonic()
        for topic in _wanted(device):
            self._forget(device, topic)
            subscription = device.subscriptions.setdefault(topic, Subscription(topic))
            subscription.restart(now + 1.0 + 3.0 * random.random())

    def tick(self) -> None:
        """Ask whatever is due."""
        now = self._clock.monotonic()
        for device in self._directory:
            if not device.is_online:
                continue
            wanted = _wanted(device)
            for topic, subscription in list(device.subscriptions.items()):
                if topic not in wanted and not subscription.asking:
                    self._cancel(device, topic)
            for topic in wanted:
                subscription = device.subscriptions.get(topic)
                if subscription is None:
                    subscription = device.subscriptions[topic] = Subscription(topic, due_at=now + 5.0)
                if topic is Topic.POSITION and self._intervals.get(device.code) != device.config.position_seconds:
                    subscription.due_at = min(subscription.due_at, now + 5.0)
                if subscription.due(now) and self._running < AT_ONCE:
                    subscription.asked()
                    self._running += 1
                    self._spawn(self._ask(device, subscription))

    def on_notify(self, incoming: Incoming) -> None:
        """Look at the state of the subscription a NOTIFY belongs to; its body is read by the inbox."""
        found = self._by_call.get(incoming.request.call_id)
        if found is None:
            return
        device = self._directory.by_code(found[0])
        if device is None:
            return
        dialog = device.dialogs.get(found[1])
        if dialog is not None:
            dialog.judge(incoming.request)
        state = incoming.request.get("Subscription-State").lower()
        if state.startswith("terminated") and found[1] in device.subscriptions:
            self._forget(device, found[1])
            device.subscriptions[found[1]].ended(self._clock.monotonic())

    async def _ask(self, device: Device, subscription: Subscription) -> None:
        topic = subscription.topic
        if topic is Topic.POSITION:
            self._intervals[device.code] = device.config.position_seconds
        try:
            dialog = device.dialogs.get(topic)
            response, dialog = await self._link.subscribe(
                device, dialog, _body(device, topic), _event(topic, device.code), subscription.expires
            )
        except UnavailableError as error:
            logger.info("subscription not answered code=%s topic=%s why=%s", device.code, topic, error.code)
            self._forget(device, topic)
            subscription.failed(self._clock.monotonic(), 0, random.random())
            return
        finally:
            self._running -= 1
        if not 200 <= response.status < 300:
            logger.info("subscription refused code=%s topic=%s status=%s", device.code, topic, response.status)
            had_dialog = topic in device.dialogs
            self._forget(device, topic)
            subscription.failed(self._clock.monotonic(), response.status, random.random())
            if had_dialog and response.status in (408, 481):
                subscription.restart(self._clock.monotonic() + 1.0)
            return
        granted = response.expires or subscription.expires
        subscription.accepted(self._clock.monotonic(), granted)
        if dialog is not None:
            device.dialogs[topic] = dialog
            self._by_call[dialog.id.call_id] = (device.code, topic)
            until = self._clock.now_us() + min(granted, _ACTIVE_FOR_EVER) * SECOND_US
            row = SubscriptionRow(device.code, str(topic), until, dialog_row(dialog))
            self._store.put_dialog(_key(device, topic), "subscription", row)

    def _cancel(self, device: Device, topic: Topic) -> None:
        """Nobody wants to hear of it any more: say so, once; a device that misses it forgets us when it expires."""
        del device.subscriptions[topic]
        dialog = device.dialogs.get(topic)
        self._forget(device, topic)
        if dialog is not None:
            self._running += 1
            self._spawn(self._say_goodbye(device, topic, dialog))

    async def _say_goodbye(self, device: Device, topic: Topic, dialog: Dialog) -> None:
        try:
            await self._link.subscribe(device, dialog, _body(device, topic), _event(topic, device.code), 0)
        except UnavailableError as error:
            logger.info("end of subscription not answered code=%s topic=%s why=%s", device.code, topic, error.code)
        finally:
            self._running -= 1

    def _forget(self, device: Device, topic: Topic) -> None:
        dialog = device.dialogs.pop(topic, None)
        if dialog is not None:
            self._by_call.pop(dialog.id.call_id, None)
            self._store.drop_dialog(_key(device, topic))


def _wanted(device: Device) -> list[Topic]:
    config = device.config
    wishes = (
        (Topic.CATALOG, config.subscribe_catalog),
        (Topic.ALARM, config.subscribe_alarm),
        (Topic.POSITION, config.subscribe_position),
    )
    return [topic for topic, wanted in wishes if wanted]


def _body(device: Device, topic: Topic) -> Body:
    sn = device.next_sn()
    match topic:
        case Topic.CATALOG:
            return CatalogQuery(sn=sn, device_id=device.code)
        case Topic.ALARM:
            return AlarmQuery(
                sn=sn, device_id=device.code, start_alarm_priority="0", end_alarm_priority="0", alarm_method="0"
            )
        case Topic.POSITION | Topic.PTZ_POSITION:
            return MobilePositionQuery(sn=sn, device_id=device.code, interval=device.config.position_seconds)


def _event(topic: Topic, code: str) -> str:
    """`Catalog;id=...`: the id keeps apart what the same peers subscribe more than once."""
    event = EVENTS[topic]
    return f"{event};id={code[-6:]}" if topic is Topic.CATALOG else event


def _key(device: Device, topic: Topic) -> str:
    return f"subscription/{device.code}/{topic}"
