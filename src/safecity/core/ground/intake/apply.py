"""What events from the other duties change in the core: one function per kind, idempotent, inside a transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices import api as devices
from safecity.core.ground.devices.api import Device, DeviceState
from safecity.core.ground.settings.api import get, put, touch_desired
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.database import Tx


@dataclass
class Effects:
    """What the outside must hear once the transaction is durable."""

    devices: list[Device] = field(default_factory=list[Device])
    changed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])


@dataclass(frozen=True)
class Intake:
    """`template` gives what a new channel of a device starts from."""

    template: Callable[[Tx, Device], channels.Channel]
    slots: tuple[str, ...]

    def apply(self, tx: Tx, event: Event, effects: Effects) -> None:
        """An event of a kind that nobody here knows changes nothing."""
        handler = _HANDLERS.get(event.kind)
        if handler is not None:
            handler(self, tx, event, effects)


KINDS = (
    "device.went_online",
    "device.went_offline",
    "device.refused",
    "device.described",
    "catalog.received",
    "catalog.changed",
    "alarm.received",
)


def _text(body: dict[str, Any], name: str, limit: int = 200) -> str:
    value = body.get(name)
    text = "" if value is None else str(value)
    return "".join(c if ord(c) >= 32 and not 0xD800 <= ord(c) < 0xE000 else " " for c in text[:limit]).strip()


def _device(tx: Tx, event: Event) -> Device | None:
    try:
        return devices.find(tx, _text(event.body, "device") or event.subject)
    except InvalidError:
        return None


def _save(tx: Tx, device: Device, effects: Effects) -> None:
    devices.save(tx, device)
    effects.devices.append(device)
    effects.changed.append(("device", device.id))


def _went_online(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    if device is None or event.at < device.state_since:
        return
    body = event.body
    new = replace(
        device,
        state=DeviceState.ONLINE,
        state_since=event.at,
        state_code="",
        address=_text(body, "address"),
        user_agent=_text(body, "user_agent"),
        version=_text(body, "version"),
    )
    _save(tx, new, effects)


def _went_offline(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    if device is not None and event.at >= device.state_since:
        state_code = f"device_{_text(event.body, 'why', 40) or 'offline'}"
        _save(tx, replace(device, state=DeviceState.OFFLINE, state_since=event.at, state_code=state_code), effects)


def _refused(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    # A stranger with a wrong password must not turn a device that is online into a refused one.
    if device is not None and device.state is not DeviceState.ONLINE and event.at >= device.state_since:
        code = _text(event.body, "reason", 60) or "wrong_password"
        _save(
            tx,
            replace(
                device, state=DeviceState.REFUSED, state_since=event.at, state_code=code,
                address=_text(event.body, "address"),
            ),
            effects,
        )  # fmt: skip


def _described(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    if device is None:
        return
    body = event.body
    new = replace(
        device,
        name=device.name if device.name_given else (_text(body, "name", 100) or device.name),
        manufacturer=_text(body, "manufacturer", 100) or device.manufacturer,
        model=_text(body, "model", 100) or device.model,
        firmware=_text(body, "firmware", 100) or device.firmware,
    )
    if new != device:
        _save(tx, new, effects)


def _catalog_received(intake: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    if device is None:
        return
    items, last = list(event.body.get("items") or ()), bool(event.body.get("last", True))
    complete = bool(event.body.get("complete", True))
    # Which codes the earlier parts of this catalogue named, until the last part closes it.
    place, batch = f"catalog/{device.id}", _text(event.body, "batch") or event.id
    kept = get(tx, place, {})
    named: list[str] = kept.get("codes", []) if kept.get("batch") == batch else []
    named = list(dict.fromkeys([*named, *(str(item.get("code", "")) for item in items)]))[:50_000]
    put(tx, place, {} if last else {"batch": batch, "codes": named})
    known = channels.of_device(tx, device.id)
    change = channels.apply_catalogue(known, items, device=intake.template(tx, device), whole=False)
    changed = list(change.changed)
    if last and complete:
        done = {channel.id for channel in changed}
        gone = (c for c in known if c.present and c.code not in named and c.id not in done)
        changed += [replace(channel, present=False) for channel in gone]
    _write(intake, tx, list(change.added), changed, effects, device)


def _catalog_changed(intake: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    if device is None:
        return
    all_items: list[dict[str, Any]] = list(event.body.get("changes") or event.body.get("items") or ())
    for item in all_items:
        known = channels.of_device(tx, device.id)
        change = _text(item, "change", 10).upper() or _text(event.body, "change", 10).upper()
        if change in ("ADD", "UPDATE"):
            found = channels.apply_catalogue(known, [item], device=intake.template(tx, device), whole=False)
            _write(intake, tx, list(found.added), list(found.changed), effects, device)
        else:
            _write(intake, tx, [], channels.apply_notice(known, change, [item]), effects, device)


def _write(
    intake: Intake, tx: Tx, added: list[channels.Channel], changed: list[channels.Channel], effects: Effects,
    device: Device,
) -> None:  # fmt: skip
    load = channels.load(tx, intake.slots)
    for channel in added:
        slot = channels.place(channel.id, load) if channel.kind == "camera" else ""
        if slot:
            load[slot] += 1
        channels.add(tx, replace(channel, slot=slot))
    for channel in changed:
        channels.save(tx, channel)
    effects.changed += [("channel", channel.id) for channel in (*added, *changed)][:200]
    if added or changed:
        effects.changed.append(("device", device.id))
        touch_desired(tx)


def _alarm_received(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    if event.mode not in (Mode.LIVE, Mode.TEST, Mode.EXERCISE) or alarms.of_event(tx, event.id):
        return
    body = event.body
    device = _device(tx, event)
    channel = None
    with_channel = _text(body, "channel")
    if with_channel:
        try:
            channel = channels.find(tx, with_channel)
        except InvalidError:
            channel = None
    if channel is None and device is not None:
        channel = channels.find_by_code(tx, device.id, _text(body, "code", 40))
    if device is None and channel is not None:
        device = devices.find(tx, channel.device)
    priority = _text(body, "priority", 2)
    alarm = alarms.Alarm(
        id=fresh("al"),
        event=event.id,
        channel=channel.id if channel else None,
        device=device.id if device else None,
        name=channel.name if channel else device.name if device else _text(body, "code", 40),
        area_path=channel.area_path if channel else device.area_path if device else "/",
        tags=channel.tags if channel else frozenset(),
        at=event.at,
        seen=event.seen,
        priority=int(priority) if priority in ("1", "2", "3", "4") else 4,
        method=_text(body, "method", 20),
        type=_text(body, "type", 20),
        description=_text(body, "description", 500),
        longitude=_degrees(body.get("longitude")),
        latitude=_degrees(body.get("latitude")),
        body={"event_type": _text(body, "event_type", 40), "mode": str(event.mode)},
    )
    alarms.add(tx, alarm)
    effects.changed.append(("alarm", alarm.id))


def _degrees(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and -180 <= value <= 180 else None


_HANDLERS: dict[str, Callable[[Intake, Tx, Event, Effects], None]] = {
    "device.went_online": _went_online,
    "device.went_offline": _went_offline,
    "device.refused": _refused,
    "device.described": _described,
    "catalog.received": _catalog_received,
    "catalog.changed": _catalog_changed,
    "alarm.received": _alarm_received,
}
