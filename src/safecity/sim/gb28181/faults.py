"""What a device does wrong, switched while it runs."""

from __future__ import annotations

from msgspec import Struct


class Faults(Struct, kw_only=True):
    """All off. Shares are parts of packets, 0 to 1.

    loss, swap, double   RTP packets not sent, sent after their successor, sent twice (UDP only)
    delay_ms, jitter_ms  every packet is late by delay and up to jitter more, in order (UDP only)
    ssrc                 `right`; `wrong`: another number than agreed; `changing`: a new one every 5 s
    no_psm               no program stream map, `first_psm` only one at the very beginning
    pes_zero             PES packets with length 0
    container            `ps`, `ts` (MPEG-TS in RTP) or `es` (bare Annex B)
    dirty_names          names of the catalogue with bytes that are no GB2312
    half_catalog         the catalogue ends after this many items (0: whole)
    silent               alive, but answers nothing and sends nothing (a hung device)
    frozen               signalling works, media stops
    refuse               status with which INVITE is refused (0: accepted)
    mute_invite          INVITE gets no answer at all
    no_media             200 to INVITE, but no packet
    no_sound             the microphone pauses, pictures go on
    clock_offset_ms      the device's clock is wrong by this much and ignores the platform's
    reboot_seconds       reboots again and again after so many seconds (0: never)
    keepalive_lost       registers, but never sends a keepalive
    no_key_frames        I-frame requests are ignored
    """

    loss: float = 0.0
    swap: float = 0.0
    double: float = 0.0
    delay_ms: float = 0.0
    jitter_ms: float = 0.0
    ssrc: str = "right"
    no_psm: bool = False
    first_psm: bool = False
    pes_zero: bool = False
    container: str = "ps"
    dirty_names: bool = False
    half_catalog: int = 0
    silent: bool = False
    frozen: bool = False
    refuse: int = 0
    mute_invite: bool = False
    no_media: bool = False
    no_sound: bool = False
    clock_offset_ms: int = 0
    reboot_seconds: float = 0.0
    keepalive_lost: bool = False
    no_key_frames: bool = False
