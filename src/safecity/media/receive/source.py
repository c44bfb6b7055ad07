"""One RTP source: packets in any order go in, units come out. No sockets here; the receiver owns them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from safecity.model.values.media import Codec, Unit
from safecity.protocols.mpegps.session import MediaSession
from safecity.protocols.rtp import rtcp
from safecity.protocols.rtp.reorder import Reorder
from safecity.protocols.rtp_payloads.nal import H264Depacketiser, H265Depacketiser, codec_by_sets

PLAIN: Final = 0x8060
"""The first 16 bits of nearly every packet: version 2, no options, payload type 96, marker taken out."""

NEVER: Final = 0
"""No packet begins so: all of them take the slow way."""

PARTS: Final = 64
"""Payloads gathered before they go to the demuxer although neither marker nor time stamp ended the picture."""

LOOK: Final = 31
"""How often (a mask on the sequence number) the innermost loop has the length of what is gathered looked at."""

PACK: Final = b"\x00\x00\x01\xba"
"""Begins a pack of a program stream."""

_CODECS: Final = {98: Codec.H264, 99: Codec.H265, 100: Codec.H265}

Held = tuple[int, bool, bytes | bytearray]
"""Time stamp, marker, payload."""


class RtpSource(Reorder[Held]):
    """The fields in front are read by the receiver's innermost loop.

    next        sequence number of the packet that needs no thought, -1 while packets are held or before the first
    head        first 16 bits of a packet that needs no thought
    peer        the pinned source (`batch.peer_key`), 0 before the first packet
    """

    __slots__ = (
        "_elementary",
        "_highest",
        "_jitter",
        "_lies",
        "_marked_ts",
        "_reported_lost",
        "_reported_packets",
        "_sr_at",
        "_sr_middle",
        "_transit",
        "_trust_marker",
        "head",
        "last_arrived_us",
        "media",
        "next",
        "packets",
        "parts",
        "peer",
        "refused",
        "ssrc",
        "timestamp",
    )

    def __init__(self, ssrc: int, deliver: Callable[[Unit], None], origin: int) -> None:
        super().__init__()
        self.ssrc = ssrc
        self.peer = 0
        self.head = PLAIN
        self.next = -1
        self.timestamp = -1
        self.parts: list[bytes | bytearray] = []
        self.packets = 0
        self.refused = 0
        self.last_arrived_us = 0
        self.media = MediaSession(deliver, origin)
        self._elementary: tuple[Codec, H264Depacketiser | H265Depacketiser] | None = None
        self._trust_marker = True
        self._lies = 0
        self._marked_ts = -1
        # For receiver reports.
        self._highest = -1
        self._reported_lost = 0
        self._reported_packets = 0
        self._jitter = 0.0
        self._transit = 0
        self._sr_middle = 0
        self._sr_at = 0.0

    def look_at(self, payload_type: int, payload: bytes) -> None:
        """The first packets: video without a program stream around it goes another way. Its payload type tells it (98,
        100), or with devices that call everything 96 its parameter sets do."""
        if self._elementary is not None or self.media.recognised or payload[:3] == b"\0\0\1" or payload[:1] in b"\0G":
            return
        codec = _CODECS.get(payload_type) or codec_by_sets(payload)
        if codec is Codec.H264:
            self._elementary = (codec, H264Depacketiser())
        elif codec is Codec.H265:
            self._elementary = (codec, H265Depacketiser())
        if self._elementary is not None:
            self.head = NEVER

    def renew(self, ssrc: int, peer: int) -> None:
        """The device goes on under another SSRC: what is gathered is given up, media time runs on."""
        self.ssrc, self.peer = ssrc, peer
        self.parts = []
        self._held.clear()
        self.expected = self.next = self.timestamp = self._marked_ts = -1
        self.media.lost()

    # --- packets --------------------------------------------------------------------------------------------

    def accept(
        self, sequence: int, timestamp: int, marker: bool, payload: bytes | bytearray, now: float, us: int
    ) -> None:
        """Take a packet by the slow way: out of order, first, or with options in its header."""
        if self.next >= 0:
            self.expected = self.next
        for gap, (stamp, mark, piece) in self.push(sequence, (timestamp, marker, payload), now):
            self._in_order(gap, stamp, mark, piece, us)
        self.next = -1 if self._held else self.expected

    def expire_held(self, now: float, us: int) -> None:
        """Give up packets that are 200 ms late."""
        if not self._held:
            return
        for gap, (stamp, mark, piece) in self.expire(now):
            self._in_order(gap, stamp, mark, piece, us)
        self.next = -1 if self._held else self.expected

    def _in_order(self, gap: bool, timestamp: int, marker: bool, payload: bytes | bytearray, us: int) -> None:
        if self._elementary is not None and payload[:4] == PACK:
            # No NAL unit begins so: it was a program stream all the time, looked at in the middle of a picture.
            self._elementary = None
            self.head = PLAIN
            self.media.lost()
        if self._elementary is not None:
            codec, depacketiser = self._elementary
            self.packets += 1
            self.last_arrived_us = us
            for piece in depacketiser.push(timestamp, marker, bytes(payload), gap):
                self.media.take(codec, piece.parts, piece.timestamp, piece.damaged or gap, us)
            return
        if gap:
            whole = timestamp != self.timestamp
            if whole and self.parts:
                self.media.lost()  # nobody knows whose packets are missing: this picture may lack its end as well
            self.flush(us, whole)
            self.media.lost()
        if timestamp != self.timestamp:
            self.turn(timestamp, us)
        self.parts.append(payload)
        if marker or len(self.parts) >= PARTS:
            self.marked(marker, us)

    def turn(self, timestamp: int, us: int) -> None:
        """A packet with another time stamp: what was gathered is whole."""
        if self.parts:
            self.flush(us, True)
        elif timestamp == self._marked_ts and self._trust_marker:
            # The marker said "last packet of this time stamp", and here is one more: do not believe it again.
            self._lies += 1
            self._trust_marker = self._lies < 3
        elif not self._trust_marker:
            self.media.boundary(us)
        self.timestamp = timestamp

    def marked(self, marker: bool, us: int) -> None:
        """The marker bit is set, or very much has been gathered."""
        if marker and self._trust_marker:
            self._marked_ts = self.timestamp
            self.flush(us, True)
            self.timestamp = -1
        elif len(self.parts) >= PARTS:
            self.flush(us, False)

    def flush(self, us: int, whole: bool) -> None:
        """Hand what was gathered to the demuxer."""
        parts = self.parts
        if not parts:
            return
        self.parts = []
        self.packets += len(parts)
        stamp = self.timestamp
        media = self.media
        if not whole:
            media.feed(b"".join(parts), stamp, us)
        else:
            media.whole(b"".join(parts), stamp, us)
            transit = us * 9 // 100 - stamp
            apart = abs(transit - self._transit) & 0xFFFFFFFF
            self._transit = transit
            if apart < 90_000:
                self._jitter += (apart - self._jitter) / 16
        self.last_arrived_us = us

    # --- reports --------------------------------------------------------------------------------------------

    def heard_report(self, report: rtcp.SenderReport, now: float) -> None:
        """A sender report: its time is echoed in ours."""
        self._sr_middle = report.middle
        self._sr_at = now

    def report(self, own_ssrc: int, now: float, cname: str) -> bytes | None:
        """A receiver report, every few seconds; None before the first packet."""
        current = self.next if self.next >= 0 else self.expected
        if current < 0:
            return None
        highest = (current - 1) & 0xFFFF
        if self._highest >= 0 and highest < (self._highest & 0xFFFF):
            self.cycles += 1
        self._highest = highest
        lost = self.lost - self._reported_lost
        got = self.packets - self._reported_packets
        self._reported_lost, self._reported_packets = self.lost, self.packets
        return rtcp.receiver_report(
            own_ssrc,
            self.ssrc,
            fraction_lost=min(255, lost * 256 // max(1, lost + got)),
            lost=self.lost,
            highest=self.cycles << 16 | highest,
            jitter=int(self._jitter),
            last_report=self._sr_middle,
            delay=int((now - self._sr_at) * 65_536) if self._sr_middle else 0,
            cname=cname,
        )
