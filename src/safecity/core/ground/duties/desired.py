"""What signal and each media slot should be doing, out of what people set: pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from safecity.core.ground.channels.api import Channel
from safecity.core.ground.devices.api import Device, DeviceKind
from safecity.core.ground.exports.api import Hold
from safecity.core.ground.settings.api import Platform
from safecity.core.ground.tollgates.api import Lane, Tollgate
from safecity.model.facts.media_calls import (
    ApplyAssignments,
    Assignment,
    PlaceHold,
    PushedSource,
    RecordPolicy,
    RtspSource,
    SlotSettings,
    Span,
    StartRecording,
    VolumeSpec,
)
from safecity.model.facts.signal_calls import (
    AisShip,
    ApplySignal,
    GbChannel,
    GbDevice,
    JtChannel,
    JtTerminal,
    PlatformIdentity,
)
from safecity.model.facts.vision_calls import ApplyVision, LaneZone, PlateTask
from safecity.model.values.media import Quality
from safecity.vision.enforcement.scene import Scene, write_scene

READ_FPS, JUDGED_FPS = 5.0, 8.0
"""Pictures looked at in a second where plates are read, and where ways are judged too."""
_POLICY = frozenset(RecordPolicy.__struct_fields__) - {"schedule", "quality", "zone"}


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole truth, of one revision."""

    signal: ApplySignal
    slots: dict[str, ApplyAssignments]
    vision: dict[str, ApplyVision]


@dataclass(frozen=True, kw_only=True, slots=True)
class Keepalive:
    """How devices are to call in."""

    seconds: int = 60
    misses: int = 3


def policy(channel: Channel, zone: str) -> RecordPolicy:
    """The record policy of a channel; one that is not enabled is not recorded."""
    record: Mapping[str, Any] = channel.record
    values = {name: record[name] for name in _POLICY if name in record}
    quality = Quality(record.get("quality", "main"))
    if str(quality) not in channel.qualities:
        quality = Quality(channel.qualities[0])
    if not channel.enabled or not channel.present:
        values["mode"] = "off"
    spans = tuple(Span(**span) for span in record.get("schedule", ()))
    return RecordPolicy(**values, quality=quality, schedule=spans, zone=zone)


def desired(
    revision: int,
    platform: Platform,
    devices: Sequence[tuple[Device, str]],
    channels: Iterable[Channel],
    slots: Sequence[str],
    keepalive: Keepalive,
    holds: Sequence[Hold] = (),
    demands: Mapping[str, StartRecording] | None = None,
    gates: Sequence[Tollgate] = (),
    vision: Sequence[str] = (),
    scenes: Mapping[str, Scene] | None = None,
) -> Desired:
    """`devices` come with their opened secrets; `holds` are those in force and those released lately; `demands` are
    recordings by hand, by channel; `vision` are the slots that share what is to be looked at, `scenes` what is
    drawn on the pictures, by channel."""
    by_id = {device.id: (device, secret) for device, secret in devices}
    identity = PlatformIdentity(
        code=platform.code,
        domain=platform.domain or platform.code[:10],
        public_host=platform.public_host,
        keepalive_seconds=keepalive.seconds,
        keepalive_misses=keepalive.misses,
        send_date=platform.clock_source != "manual",
        algorithms=tuple(platform.digests),
        language=platform.language,
    )
    gb_devices = tuple(_gb_device(d, secret) for d, secret in devices if d.kind is DeviceKind.GB28181)
    terminals = tuple(
        JtTerminal(d.id, d.code, d.enabled, d.transport) for d, _ in devices if d.kind is DeviceKind.JT808
    )  # fmt: skip
    ships = tuple(AisShip(d.id, d.code, d.enabled) for d, _ in devices if d.kind is DeviceKind.AIS)
    gb_channels: list[GbChannel] = []
    terminal_channels: list[JtChannel] = []
    assignments: dict[str, list[Assignment]] = {slot: [] for slot in slots}
    shown: list[Channel] = []
    for channel in channels:
        found = by_id.get(channel.device)
        if found is None:
            continue
        device, secret = found
        if device.kind is DeviceKind.GB28181:
            gb_channels.append(GbChannel(channel.id, channel.device, channel.code, channel.slot, channel.epoch))
        elif device.kind is DeviceKind.JT808 and channel.enabled and channel.code.isdecimal():
            terminal_channels.append(JtChannel(channel.id, channel.device, int(channel.code), channel.slot))
        if channel.kind == "camera" and channel.slot in assignments and device.enabled and channel.enabled:
            demand = (demands or {}).get(channel.id)
            shown.append(channel)
            assignments[channel.slot].append(_assignment(channel, device, secret, platform.zone, demand))
    placed = tuple(
        PlaceHold(one.id, one.channel, one.start, one.end, one.reason) for one in holds if one.released_at is None
    )
    released = tuple(one.id for one in holds if one.released_at is not None)
    return Desired(
        ApplySignal(
            revision,
            identity,
            gb_devices,
            tuple(gb_channels),
            terminals=terminals,
            ships=ships,
            terminal_channels=tuple(terminal_channels),
        ),
        {
            slot: ApplyAssignments(revision, tuple(items), holds=placed, released=released)
            for slot, items in assignments.items()
        },
        _vision(revision, gates, shown, vision, scenes or {}),
    )


def _vision(
    revision: int,
    gates: Sequence[Tollgate],
    shown: Iterable[Channel],
    slots: Sequence[str],
    scenes: Mapping[str, Scene],
) -> dict[str, ApplyVision]:
    """Each camera is looked at once, in turn by one slot and the next, for the first checkpoint that asks for it; where
    it looks at several lanes, or zones are drawn, the zones say which lane it is."""
    by_id = {channel.id: channel for channel in shown}
    tasks: dict[str, PlateTask] = {}
    for gate in gates:
        for lane in gate.lanes if gate.enabled else ():
            channel = by_id.get(lane.channel or "")
            if channel is None or not lane.read_plates:
                continue
            there = tasks.get(channel.id)
            if there is not None:
                if there.tollgate == gate.id:
                    tasks[channel.id] = replace(there, lane=None, zones=there.zones + _zones(lane))
                continue
            quality = Quality.MAIN if str(Quality.MAIN) in channel.qualities else Quality(channel.qualities[0])
            scene = scenes.get(channel.id)
            drawn = json.dumps(write_scene(scene), sort_keys=True) if scene is not None else ""
            tasks[channel.id] = PlateTask(
                channel.id, channel.slot, gate.id, None if lane.zone else lane.number, quality=quality,
                fps=JUDGED_FPS if drawn else READ_FPS, scene=drawn, zones=_zones(lane),
            )  # fmt: skip
    ordered = [tasks[name] for name in sorted(tasks)]
    return {slot: ApplyVision(revision, tuple(ordered[number :: len(slots)])) for number, slot in enumerate(slots)}


def _zones(lane: Lane) -> tuple[LaneZone, ...]:
    return (LaneZone(lane.number, lane.zone, lane.unread),) if lane.zone else ()


def _gb_device(device: Device, secret: str) -> GbDevice:
    return GbDevice(
        device=device.id,
        code=device.code,
        password=secret,
        enabled=device.enabled,
        transport=device.transport,
        username=device.username,
        charset=device.charset,
        algorithms=tuple(device.digests),
        subscribe_position=device.position_seconds > 0,
        position_seconds=device.position_seconds or 5,
    )


def _assignment(channel: Channel, device: Device, secret: str, zone: str, demand: StartRecording | None) -> Assignment:
    record = policy(channel, zone)
    sources: dict[str, RtspSource | PushedSource] = {}
    for quality in channel.qualities:
        if device.kind is DeviceKind.RTSP:
            if channel.sources.get(quality):
                sources[quality] = RtspSource(channel.sources[quality], device.username, secret, device.transport)
        else:
            sources[quality] = PushedSource()
    always = (record.quality,) if record.mode in ("continuous", "schedule") else ()
    return Assignment(channel.id, channel.epoch, sources, record, always, demand)


def slot_settings(platform: Platform, keys: Sequence[bytes], data_dir: str) -> SlotSettings:
    """Volumes with absolute paths."""
    gib = 1 << 30
    volumes = tuple(
        VolumeSpec(
            name=v.name,
            path=v.path if v.path.startswith("/") else f"{data_dir}/{v.path}",
            max_bytes=round(v.max_gib * gib),
            layout=v.layout,
            extent_bytes=v.extent_mib << 20,
        )
        for v in platform.volumes
    )
    return SlotSettings(platform.code, tuple(keys), volumes, platform.public_host)
