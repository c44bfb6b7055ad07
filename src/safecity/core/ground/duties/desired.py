"""What signal and each media slot should be doing, out of what people set: pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from safecity.core.ground.channels.api import Channel
from safecity.core.ground.devices.api import Device, DeviceKind
from safecity.core.ground.settings.api import Platform
from safecity.model.facts.media_calls import (
    ApplyAssignments,
    Assignment,
    PushedSource,
    RecordPolicy,
    RtspSource,
    SlotSettings,
    Span,
    VolumeSpec,
)
from safecity.model.facts.signal_calls import ApplySignal, GbChannel, GbDevice, PlatformIdentity
from safecity.model.values.media import Quality

PART_BYTES = 700_000
"""Of one message to signal; a frame of the calls holds 1 MiB."""
_POLICY = frozenset(RecordPolicy.__struct_fields__) - {"schedule", "quality", "zone"}


@dataclass(frozen=True, slots=True)
class Desired:
    """The whole truth, of one revision."""

    signal: ApplySignal
    slots: dict[str, ApplyAssignments]


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
) -> Desired:
    """`devices` come with their opened secrets."""
    by_id = {device.id: (device, secret) for device, secret in devices}
    identity = PlatformIdentity(
        code=platform.code,
        domain=platform.domain or platform.code[:10],
        public_host=platform.public_host,
        keepalive_seconds=keepalive.seconds,
        keepalive_misses=keepalive.misses,
    )
    gb_devices = tuple(_gb_device(d, secret) for d, secret in devices if d.kind is DeviceKind.GB28181)
    gb_channels: list[GbChannel] = []
    assignments: dict[str, list[Assignment]] = {slot: [] for slot in slots}
    for channel in channels:
        found = by_id.get(channel.device)
        if found is None:
            continue
        device, secret = found
        if device.kind is DeviceKind.GB28181:
            gb_channels.append(GbChannel(channel.id, channel.device, channel.code, channel.slot, channel.epoch))
        if channel.kind == "camera" and channel.slot in assignments and device.enabled and channel.enabled:
            assignments[channel.slot].append(_assignment(channel, device, secret, platform.zone))
    return Desired(
        ApplySignal(revision, identity, gb_devices, tuple(gb_channels)),
        {slot: ApplyAssignments(revision, tuple(items)) for slot, items in assignments.items()},
    )


def in_parts(whole: ApplySignal, limit: int = PART_BYTES) -> list[ApplySignal]:
    """The same in messages of about `limit` bytes at most; one where it fits."""
    if len(msgspec.msgpack.encode(whole)) <= limit:
        return [whole]
    parts: list[tuple[list[GbDevice], list[GbChannel]]] = [([], [])]
    size = 0
    for thing in (*whole.devices, *whole.channels):
        size += len(msgspec.msgpack.encode(thing))
        if size > limit and any(parts[-1]):
            parts.append(([], []))
            size = len(msgspec.msgpack.encode(thing))
        if isinstance(thing, GbDevice):
            parts[-1][0].append(thing)
        else:
            parts[-1][1].append(thing)
    return [
        ApplySignal(whole.revision, whole.identity, tuple(d), tuple(c), number, len(parts))
        for number, (d, c) in enumerate(parts)
    ]


def _gb_device(device: Device, secret: str) -> GbDevice:
    return GbDevice(
        device=device.id,
        code=device.code,
        password=secret,
        enabled=device.enabled,
        transport=device.transport,
        username=device.username,
        charset=device.charset,
    )


def _assignment(channel: Channel, device: Device, secret: str, zone: str) -> Assignment:
    record = policy(channel, zone)
    sources: dict[str, RtspSource | PushedSource] = {}
    for quality in channel.qualities:
        if device.kind is DeviceKind.RTSP:
            if channel.sources.get(quality):
                sources[quality] = RtspSource(channel.sources[quality], device.username, secret, device.transport)
        else:
            sources[quality] = PushedSource()
    always = (record.quality,) if record.mode in ("continuous", "schedule") else ()
    return Assignment(channel.id, channel.epoch, sources, record, always)


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
