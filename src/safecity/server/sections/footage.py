"""Pictures on their way, and where they are kept."""

from __future__ import annotations

import os
from dataclasses import dataclass

from safecity.server.sections.checks import one_of, within


@dataclass(frozen=True, kw_only=True, slots=True)
class MediaSettings:
    """[media] The media plane.

    port              where viewers get pictures (WebSocket), 0 takes a free one
    slots             processes; 0: one on two cores, else half the cores
    rtp_first_port    first of the RTP ports, UDP and TCP; 0 takes free ones
    rtp_ports         ports of each slot
    port_per_camera   for devices that ignore the SSRC asked for: each stream gets a port of its own
    rcvbuf_bytes      socket buffer of each RTP port
    stream_loss_seconds   a stream without a packet for so long is lost
    idle_close_seconds    a stream nobody needs is closed after so long
    loopback_cameras      RTSP addresses may lead to this machine itself; the demo city may always
    """

    port: int = 8081
    slots: int = 0
    rtp_first_port: int = 10000
    rtp_ports: int = 16
    port_per_camera: bool = False
    rcvbuf_bytes: int = 4 * 1024 * 1024
    stream_loss_seconds: int = 15
    idle_close_seconds: int = 15
    loopback_cameras: bool = False

    def __post_init__(self) -> None:
        within("media.port", self.port, 0, 65535)
        within("media.slots", self.slots, 0, 64)
        within("media.rtp_first_port", self.rtp_first_port, 0, 65000)
        within("media.rtp_ports", self.rtp_ports, 1, 1000)
        within("media.rcvbuf_bytes", self.rcvbuf_bytes, 65536, 256 * 1024 * 1024)
        within("media.stream_loss_seconds", self.stream_loss_seconds, 3, 300)
        within("media.idle_close_seconds", self.idle_close_seconds, 1, 3600)

    def slot_count(self) -> int:
        """The number of slots to start."""
        return self.slots or max(1, (os.cpu_count() or 2) // 2)


@dataclass(frozen=True, kw_only=True, slots=True)
class VolumeSettings:
    """[[record.volumes]] A place for recordings.

    path           folder; relative to the data folder
    max_gib        how much of it may be used, 0: all but a reserve of 5 %
    layout         `channel`, `shared` or `auto` (docs/design/0003-recording-store.md)
    extent_mib     size of one extent
    """

    name: str
    path: str
    max_gib: float = 0.0
    layout: str = "auto"
    extent_mib: int = 64

    def __post_init__(self) -> None:
        within("record.volumes.max_gib", self.max_gib, 0, 1_000_000)
        one_of("record.volumes.layout", self.layout, ("auto", "channel", "shared"))
        within("record.volumes.extent_mib", self.extent_mib, 4, 1024)


@dataclass(frozen=True, kw_only=True, slots=True)
class RecordSettings:
    """[record] How video is kept, where a channel does not say otherwise.

    retention_days, floor_days   days to keep, and days that no other channel may take away
    pre_roll_seconds, post_roll_seconds   around what is recorded on demand
    ram_mib         window per shelf for a disk that is late
    alarm_picture_days   pictures of alarms are kept for so long, also when the footage is gone; 0: none are kept
    """

    retention_days: int = 30
    floor_days: int = 1
    pre_roll_seconds: int = 10
    post_roll_seconds: int = 30
    ram_mib: int = 256
    alarm_picture_days: int = 90
    volumes: tuple[VolumeSettings, ...] = (VolumeSettings(name="main", path="volumes/main"),)

    def __post_init__(self) -> None:
        within("record.retention_days", self.retention_days, 0, 3650)
        within("record.floor_days", self.floor_days, 0, 3650)
        within("record.pre_roll_seconds", self.pre_roll_seconds, 0, 60)
        within("record.post_roll_seconds", self.post_roll_seconds, 0, 3600)
        within("record.ram_mib", self.ram_mib, 8, 4096)
        within("record.alarm_picture_days", self.alarm_picture_days, 0, 3650)
        within("record.volumes", len(self.volumes), 1, 64)
