"""What events from the other duties change in the core: one function per kind, idempotent, inside a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from safecity.core.ground.access.api import find_user
from safecity.core.ground.alarms import api as alarms
from safecity.core.ground.audit.api import Record, append
from safecity.core.ground.channels import api as channels
from safecity.core.ground.devices import api as devices
from safecity.core.ground.devices.api import Device, DeviceState, Position
from safecity.core.ground.intake import faults
from safecity.core.ground.settings.api import get, put, touch_desired
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh, parse
from safecity.model.facts.envelope import Event, Mode
from safecity.ports.database import Tx


@dataclass
class Effects:
    """What the outside must hear once the transaction is durable."""

    devices: list[Device] = field(default_factory=list[Device])
    changed: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    places: dict[tuple[str, str], Position] = field(default_factory=dict[tuple[str, str], Position])
    """Where things were last, by device and code (empty: the device's own), in the order they were told; written by
    `Intake.settle`."""


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

    def settle(self, tx: Tx, effects: Effects) -> None:
        """What the events of one transaction said together: of a thousand vehicles each is written once."""
        codes = devices.codes_of(tx, {device for device, _ in effects.places})
        kept: dict[tuple[str, str], Position] = {}
        for (device, code), place in effects.places.items():
            own = codes.get(device)
            # A device may only say where itself and its own channels are: what it invents would fill the table.
            if own is not None and (code in ("", own) or channels.find_by_code(tx, device, code) is not None):
                kept[device, code or own] = replace(place, code=code or own)
        devices.put_positions(tx, list(kept.values()))


KINDS = (
    "device.went_online",
    "device.went_offline",
    "device.refused",
    "device.described",
    "catalog.received",
    "catalog.changed",
    "alarm.received",
    "position.received",
    "volume.changed",
    "footage.damaged",
    "clock.measured",
    "viewing.ended",
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
    if device is None or not _newer(device, event):
        return
    body = event.body
    new = replace(
        _told(device, event, DeviceState.ONLINE, ""),
        address=_text(body, "address"),
        user_agent=_text(body, "user_agent"),
        version=_text(body, "version"),
    )
    _save(tx, new, effects)


def _went_offline(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    if device is not None and _newer(device, event) and not _elsewhere(device, event):
        state_code = f"device_{_text(event.body, 'why', 40) or 'offline'}"
        _save(tx, _told(device, event, DeviceState.OFFLINE, state_code), effects)


def _refused(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    device = _device(tx, event)
    # A stranger with a wrong password must not turn a device that is online into a refused one.
    if device is not None and device.state is not DeviceState.ONLINE and _newer(device, event):
        code = _text(event.body, "reason", 60) or "wrong_password"
        address = _text(event.body, "address")
        _save(tx, replace(_told(device, event, DeviceState.REFUSED, code), address=address), effects)


def _newer(device: Device, event: Event) -> bool:
    """Whether it tells later than what is known. The bus keeps the order in which a duty tells; what comes twice or
    late is known by its number. Never by its time: a clock that is set back must not freeze a state."""
    same_run = (device.told_by, device.told_run) == (_node(event), event.incarnation)
    return not same_run or not event.number or event.number > device.told_number


def _elsewhere(device: Device, event: Event) -> bool:
    """Whether the device has since come to another duty: what the one before thinks of it counts no more."""
    return device.state is DeviceState.ONLINE and bool(device.told_by) and device.told_by != _node(event)


def _told(device: Device, event: Event, state: DeviceState, code: str) -> Device:
    return replace(
        device, state=state, state_since=event.at, state_code=code, told_by=_node(event), told_run=event.incarnation,
        told_number=event.number,
    )  # fmt: skip


def _node(event: Event) -> str:
    """Without the platform's own code, which may be set anew while devices are here."""
    return event.origin.rpartition("/")[2][:100]


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
    for change, items in _groups(all_items, _text(event.body, "change", 10).upper()):
        known = channels.of_device(tx, device.id)
        if change in ("ADD", "UPDATE"):
            found = channels.apply_catalogue(known, items, device=intake.template(tx, device), whole=False)
            _write(intake, tx, list(found.added), list(found.changed), effects, device)
        else:
            _write(intake, tx, [], channels.apply_notice(known, change, items), effects, device)


def _groups(items: list[dict[str, Any]], change: str) -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """Neighbours of one kind together, each channel once in a group: what was read of the device serves them all."""
    group: list[dict[str, Any]] = []
    codes: set[str] = set()
    kind = ""
    for item in items:
        own, code = _text(item, "change", 10).upper() or change, str(item.get("code", ""))
        if group and (own != kind or code in codes):
            yield kind, group
            group, codes = [], set[str]()
        kind = own
        group.append(item)
        codes.add(code)
    if group:
        yield kind, group


def _write(
    intake: Intake, tx: Tx, added: list[channels.Channel], changed: list[channels.Channel], effects: Effects,
    device: Device,
) -> None:  # fmt: skip
    load = channels.load(tx, intake.slots) if added else {}
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
    whose = channel or device
    priority = _text(body, "priority", 2)
    alarm = alarms.Alarm(
        id=fresh("al"),
        event=event.id,
        channel=channel.id if channel else None,
        device=device.id if device else None,
        name=whose.name if whose else _text(body, "code", 40),
        area_path=whose.area_path if whose else "/",
        organisation_path=whose.organisation_path if whose else "/",
        tags=channel.tags if channel else frozenset(),
        at=event.at,
        seen=event.seen,
        priority=int(priority) if priority in ("1", "2", "3", "4") else 4,
        method=_text(body, "method", 20),
        type=_text(body, "type", 20),
        description=_text(body, "description", 500),
        longitude=_degrees(body.get("longitude")),
        latitude=_degrees(body.get("latitude"), 90),
        body={"event_type": _text(body, "event_type", 40), "mode": str(event.mode)},
    )
    alarms.add(tx, alarm)
    effects.changed.append(("alarm", alarm.id))


def _volume_changed(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    if event.mode is Mode.LIVE and not alarms.of_event(tx, event.id):
        effects.changed += [("alarm", alarm) for alarm in faults.volume_changed(tx, event)]


def _footage_damaged(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    if event.mode is Mode.LIVE and not alarms.of_event(tx, event.id):
        effects.changed += [("alarm", alarm) for alarm in faults.footage_damaged(tx, event)]


def _clock_measured(_: Intake, tx: Tx, event: Event, effects: Effects) -> None:
    if event.mode is Mode.LIVE and not alarms.of_event(tx, event.id):
        effects.changed += [("alarm", alarm) for alarm in faults.clock_measured(tx, event)]


def _position_received(_: Intake, __: Tx, event: Event, effects: Effects) -> None:
    body = event.body
    longitude, latitude = _degrees(body.get("longitude")), _degrees(body.get("latitude"), 90)
    # What a vehicle drove while nobody heard it is history, not where it is.
    if event.mode is Mode.BACKFILL or longitude is None or latitude is None:
        return
    device, code = _text(body, "device") or event.subject, _text(body, "code", 40)
    try:
        parse("dv", device)
    except InvalidError:
        return
    speed, direction, altitude = (_measure(body.get(name)) for name in ("speed", "direction", "altitude"))
    effects.places.pop((device, code), None)
    effects.places[device, code] = Position(
        device=device, code=code, at=event.at, longitude=longitude, latitude=latitude,
        speed=None if speed is None else round(speed * 3.6, 1), direction=direction, altitude=altitude,
    )  # fmt: skip


def _viewing_ended(_: Intake, tx: Tx, event: Event, __: Effects) -> None:
    """That somebody may watch was written down when they asked; this tells for how long they did."""
    try:
        channel = channels.find(tx, event.subject)
        user = find_user(tx, _text(event.body, "subject"))
    except InvalidError:
        return
    start, end = event.body.get("start"), event.body.get("end")
    seconds = (end - start) / SECOND_US if isinstance(start, int) and isinstance(end, int) else 0
    append(
        tx,
        Record(
            at=event.seen,
            actor=_text(event.body, "subject"),
            actor_name=user.username if user else "",
            session=_text(event.body, "session"),
            action="viewing.end",
            kind="channel",
            thing=event.subject,
            thing_name=channel.name if channel else "",
            area=event.area or (channel.area_path if channel else "/"),
            organisation=event.organisation or (channel.organisation_path if channel else "/"),
            request=event.correlation,
            details={
                "watched": _text(event.body, "action", 20),
                "quality": _text(event.body, "quality", 10),
                "seconds": round(seconds, 1),
            },
        ),
    )


def _measure(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and -1e6 < value < 1e6 else None


def _degrees(value: object, most: float = 180) -> float | None:
    return float(value) if isinstance(value, int | float) and -most <= value <= most else None


_HANDLERS: dict[str, Callable[[Intake, Tx, Event, Effects], None]] = {
    "device.went_online": _went_online,
    "device.went_offline": _went_offline,
    "device.refused": _refused,
    "device.described": _described,
    "catalog.received": _catalog_received,
    "catalog.changed": _catalog_changed,
    "alarm.received": _alarm_received,
    "position.received": _position_received,
    "volume.changed": _volume_changed,
    "footage.damaged": _footage_damaged,
    "viewing.ended": _viewing_ended,
    "clock.measured": _clock_measured,
}
