"""Channels: how a catalogue becomes channels, where they are placed, how they stand. Pure."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any

from safecity.core.ground.devices.decide import DeviceState
from safecity.kit.errors import InvalidError
from safecity.kit.ids import fresh
from safecity.model.facts.media_calls import StreamState

MAX_CHANNELS_PER_DEVICE = 20_000
_DIRECTORY_TYPES = frozenset({"200", "215", "216"})
_KINDS = {"134": "alarm_input", "135": "alarm_output", "136": "voice_input", "137": "voice_output"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Channel:
    """One source. `code` is unique only within its device; `present` is false once a whole catalogue left it out.

    sources  per quality an RTSP address without credentials; empty where signal opens the stream
    record   fields of `RecordPolicy`
    ptz_offers  what of the head a person left to be shown (`offers.py`); None: whatever the edition may have
    slot, epoch  the media slot it is entrusted to, and the fencing number of that placement
    """

    id: str
    device: str
    code: str
    name: str
    kind: str = "camera"
    name_given: bool = False
    area: str | None = None
    area_path: str = "/"
    organisation: str | None = None
    organisation_path: str = "/"
    tags: frozenset[str] = frozenset()
    enabled: bool = True
    present: bool = True
    announced: str = "ON"
    ptz: bool = False
    ptz_offers: list[str] | None = None
    qualities: tuple[str, ...] = ("main",)
    sources: dict[str, str] = field(default_factory=dict[str, str])
    record: dict[str, Any] = field(default_factory=dict[str, Any])
    slot: str = ""
    epoch: int = 1
    manufacturer: str = ""
    model: str = ""
    place: str = ""
    longitude: float | None = None
    latitude: float | None = None
    ordinal: int = 0
    revision: int = 1


@dataclass(frozen=True, slots=True)
class CatalogueChange:
    """What a catalogue changes in what is known."""

    added: tuple[Channel, ...] = ()
    changed: tuple[Channel, ...] = ()


def is_channel(item: Mapping[str, Any]) -> bool:
    """A source, and no directory, district or group of the tree that some devices mix in."""
    code = str(item.get("code", ""))
    if "number" in item:  # of a vehicle terminal: it has no code of 20 digits
        return code.isascii() and code.isdigit() and len(code) <= 3
    if item.get("video") is False and code[10:13] not in _KINDS:
        return False
    return bool(code) and len(code) > 10 and code[10:13] not in _DIRECTORY_TYPES


def apply_catalogue(
    known: Sequence[Channel], items: Sequence[Mapping[str, Any]], *, device: Channel, whole: bool
) -> CatalogueChange:
    """`device` is a template with the device's id, area and record policy. Doubled codes: the last one counts.

    A whole catalogue marks what it leaves out as not present; nothing is ever deleted by a device, because
    recordings and rights hang on the channel.
    """
    by_code = {channel.code: channel for channel in known}
    wanted = {str(item["code"]): item for item in items if is_channel(item)}
    # A recorder that lists itself beside its channels is not a channel of itself.
    if len(wanted) > 1:
        parents = {parent for item in wanted.values() for parent in _parents(item)}
        wanted = {code: item for code, item in wanted.items() if code not in parents or code[10:13] in ("131", "132")}
    added: list[Channel] = []
    changed: list[Channel] = []
    for number, (code, item) in enumerate(wanted.items()):
        old = by_code.get(code)
        new = _told(old or replace(device, id="", code=code, name=code, ordinal=number), item)
        if old is None and len(known) + len(added) < MAX_CHANNELS_PER_DEVICE:
            added.append(replace(new, id=fresh("ch")))
        elif old is not None and new != old:
            changed.append(new)
    if whole:
        changed += [replace(c, present=False) for code, c in by_code.items() if code not in wanted and c.present]
    return CatalogueChange(tuple(added), tuple(changed))


def _parents(item: Mapping[str, Any]) -> list[str]:
    given = item.get("parents")
    return [str(p) for p in given] if isinstance(given, list) else str(item.get("parent_id", "")).split("/")  # pyright: ignore[reportUnknownVariableType, reportUnknownArgumentType]


def apply_notice(known: Sequence[Channel], change: str, items: Sequence[Mapping[str, Any]]) -> list[Channel]:
    """A notice of the subscription that needs no new channel: states, and removal."""
    by_code = {channel.code: channel for channel in known}
    found: list[Channel] = []
    for item in items:
        channel = by_code.get(str(item.get("code", "")))
        if channel is None:
            continue
        if change == "DEL":
            new = replace(channel, present=False)
        elif change in ("ON", "OFF", "VLOST", "DEFECT"):
            new = replace(channel, announced=change)
        else:
            new = _told(channel, item)
        if new != channel:
            found.append(new)
    return found


def _told(channel: Channel, item: Mapping[str, Any]) -> Channel:
    code = channel.code
    name = _line(item.get("name")) or channel.name
    status = str(item.get("status") or channel.announced).upper()
    if "on" in item:
        status = "ON" if item["on"] else "OFF"
    streams = _number(item.get("stream_number") or _deep(item, "fields", "stream_number_list"))
    qualities = channel.qualities
    if streams is not None and streams >= 2 and "sub" not in qualities:
        qualities = (*qualities, "sub")
    ptz_type = item.get("ptz", item.get("ptz_type"))
    return replace(
        channel,
        name=channel.name if channel.name_given else name,
        kind=_KINDS.get(code[10:13], "camera") if len(code) == 20 else channel.kind,
        present=True,
        announced="ON" if status in ("ON", "OK", "ONLINE") else "OFF",
        ptz=channel.ptz if ptz_type is None else str(ptz_type).split("/")[0] in ("1", "2", "4", "5"),
        qualities=qualities,
        manufacturer=_line(item.get("manufacturer")) or channel.manufacturer,
        model=_line(item.get("model")) or channel.model,
        place=_line(item.get("address")) or channel.place,
        longitude=_degrees(item.get("longitude"), 180) or channel.longitude,
        latitude=_degrees(item.get("latitude"), 90) or channel.latitude,
    )


def _deep(item: Mapping[str, Any], *names: str) -> object:
    value: Any = item
    for name in names:
        value = value.get(name) or value.get("info", {}).get(name) if isinstance(value, Mapping) else None  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
    return value  # pyright: ignore[reportUnknownVariableType]


def _line(value: object, limit: int = 100) -> str:
    text = "" if value is None else str(value)
    return "".join(c for c in text if ord(c) >= 32 and ord(c) != 127 and not 0xD800 <= ord(c) < 0xE000).strip()[:limit]


def _number(value: object) -> int | None:
    text = "" if value is None else str(value)
    if "/" in text:  # the list of stream numbers (`0/1/2`), as the 2022 edition writes it
        return len([part for part in text.split("/") if part])
    return int(text) if text.isascii() and text.isdigit() and len(text) < 6 else None


def _degrees(value: object, limit: float) -> float | None:
    try:
        degrees = float(str(value))
    except ValueError:
        return None
    return degrees if degrees and -limit <= degrees <= limit else None


# --- placement ------------------------------------------------------------------------------------------------


def place(channel: str, load: Mapping[str, int]) -> str:
    """The slot for a new channel: rendezvous hashing, but none gets more than a quarter above its share.

    Sticky by nature: the same channel ranks the slots the same way for ever.
    """
    if not load:
        return ""
    bound = (sum(load.values()) + 1) * 1.25 / len(load)
    ranked = sorted(load, key=lambda slot: hashlib.sha256(f"{channel}@{slot}".encode()).digest())
    return next((slot for slot in ranked if load[slot] + 1 <= max(1.0, bound)), ranked[0])


# --- state ----------------------------------------------------------------------------------------------------


class ChannelState(StrEnum):
    """How a channel stands, in one word."""

    RUNNING = "running"
    IDLE = "idle"
    LOST = "lost"
    OPENING = "opening"
    OFFLINE = "offline"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Standing:
    """`step` says why in a code of the catalogue."""

    state: ChannelState
    step: str = ""
    params: dict[str, Any] = field(default_factory=dict[str, Any])
    since: int = 0


def standing(channel: Channel, device: DeviceState, streams: Iterable[StreamState], *, pulled: bool) -> Standing:
    """One word for a channel, out of its device's presence and its streams. Seen pictures count most."""
    streams = sorted(streams, key=lambda s: s.quality)
    for wanted in (ChannelState.RUNNING, ChannelState.OPENING, ChannelState.LOST):
        for stream in streams:
            if stream.state == wanted and (wanted != "opening" or pulled or device is DeviceState.ONLINE):
                if wanted == "lost" and not pulled and device is not DeviceState.ONLINE:
                    continue
                return Standing(wanted, stream.step, dict(stream.params), stream.since)
    if not pulled and device is DeviceState.NEVER:
        return Standing(ChannelState.NEVER, "device_never_registered")
    if not pulled and device is not DeviceState.ONLINE:
        return Standing(ChannelState.OFFLINE, "device_offline")
    if not channel.present:
        return Standing(ChannelState.OFFLINE, "channel_not_in_catalogue")
    if channel.announced != "ON":
        return Standing(ChannelState.OFFLINE, "channel_announced_off")
    return Standing(ChannelState.IDLE, streams[0].step if streams else "")


def lost_of(standings: Iterable[Standing]) -> Standing | None:
    """What keeps a device away whose streams are fetched: it has no presence of its own. None where nothing does."""
    return next((one for one in standings if one.state is ChannelState.LOST), None)


# --- what people may set ------------------------------------------------------------------------------------


def check_tags(tags: Iterable[str]) -> frozenset[str]:
    """Tags carry rights: lower case, short, without the separator. InvalidError `tag_invalid`."""
    clean = frozenset(tag.strip().casefold() for tag in tags)
    for tag in clean:
        if not 1 <= len(tag) <= 40 or "|" in tag or any(ord(c) < 32 or 0xD800 <= ord(c) < 0xE000 for c in tag):
            raise InvalidError("not a tag", code="tag_invalid", params={"tag": tag[:40]})
    if len(clean) > 20:
        raise InvalidError("too many tags", code="too_many", params={"limit": 20})
    return clean
