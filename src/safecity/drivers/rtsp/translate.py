"""From packets of RTP to units: order, access units, media time. Told the time, no sockets.

Video and sound share one origin. Where the camera tells in RTP-Info which time stamps belong together, that decides;
else the arrival of the first packets does.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from safecity.model.values.media import CLOCK_HZ, VIDEO, CodecParameters, Unit
from safecity.protocols.pictures import Pictures, pictures_for
from safecity.protocols.rtp import packets, rtcp
from safecity.protocols.rtp.reorder import Reorder
from safecity.protocols.rtp_payloads.pieces import Piece
from safecity.protocols.rtsp.tracks import Track
from safecity.protocols.timeline import Timeline

Deliver = Callable[[Unit], None]
MAX_REORDERED_PICTURES: Final = 8
MAX_LEAD_90K: Final = 5 * CLOCK_HZ


class DecodingTimes:
    """Decoding times of pictures that come in decoding order with their presentation times (B pictures).

    A picture that would be shown before its predecessor teaches how deep the camera reorders; until then decoding
    and presentation are the same.
    """

    def __init__(self) -> None:
        self._depth = 0
        self._waiting: list[int] = []
        self._last: int | None = None

    def place(self, pts: int) -> tuple[int, int]:
        """(pts, dts) of the next picture: dts grows, pts is never before it."""
        last = self._last
        heapq.heappush(self._waiting, pts)
        if last is not None and pts <= last and self._depth < MAX_REORDERED_PICTURES:
            self._depth += 1
        dts = self._waiting[0]
        if len(self._waiting) > self._depth:
            dts = heapq.heappop(self._waiting)
        if last is not None and dts <= last:
            dts = last + 1
        self._last = dts
        return max(pts, dts), dts


@dataclass(slots=True)
class TrackFigures:
    """Since the track began."""

    packets: int = 0
    lost: int = 0
    bytes: int = 0
    foreign: int = 0
    dropped: int = 0


class TrackFeed:
    """One track. `packet` takes RTP as it comes; units go to `deliver`.

    hold_seconds  how long a missing packet is waited for (0 over TCP)
    epoch_us      when the try began, shared by its tracks; media time is `base_90k` then
    after_90k     media time begins behind it, whatever the clock says
    """

    def __init__(
        self,
        track: Track,
        deliver: Deliver,
        *,
        hold_seconds: float,
        epoch_us: int,
        base_90k: int = 0,
        after_90k: int = 0,
    ) -> None:
        self.track = track
        self.figures = TrackFigures()
        self._anchor: tuple[int, int] | None = None
        self.last_90k = after_90k
        self.parameters: CodecParameters | None = track.audio
        self._deliver = deliver
        self._epoch_us = epoch_us
        self._base_90k = base_90k
        self._order: Reorder[tuple[int, bool, bytes]] = Reorder(hold_seconds)
        self._depacketiser = track.depacketiser()
        self._pictures: Pictures | None = None
        if track.kind == VIDEO:
            self._pictures = pictures_for(track.codec)
            if track.parameter_sets:
                self._pictures.take(track.parameter_sets)
        self._timeline: Timeline | None = None
        self._times = DecodingTimes()
        self._wide = 0
        self._wide_last: int | None = None
        self._ssrc: int | None = None
        self._strangers = 0
        self._broken = True  # nothing may be shown before the first key frame
        self._sender: rtcp.SenderReport | None = None
        self._sender_at = 0.0
        self._reported = (0, 0)

    @property
    def started(self) -> bool:
        """True once a unit was delivered."""
        return self._timeline is not None and not self._broken

    def anchor(self, timestamp: int, at_90k: int) -> None:
        """RTP-Info: this time stamp stands for that media time. Heard only before the first unit."""
        self._anchor = (timestamp, at_90k)

    def packet(self, data: bytes, now: float, arrived_us: int) -> None:
        """One packet of RTP. What is none, or of another payload type or source, is counted."""
        figures = self.figures
        if len(data) > 12 and data[0] == 0x80:  # no options: nearly every packet, and nearly all in order
            _, second, sequence, timestamp, ssrc = packets.HEADER.unpack_from(data)
            order = self._order
            if (
                sequence == order.expected
                and ssrc == self._ssrc
                and second & 0x7F == self.track.payload_type
                and not order.holding
            ):
                order.expected = (sequence + 1) & 0xFFFF
                self._strangers = 0
                figures.packets += 1
                figures.bytes += len(data)
                self._one(False, timestamp, second >= 0x80, data[12:], arrived_us)
                return
        parsed = packets.parse(data)
        if parsed is None or parsed.payload_type != self.track.payload_type or not self._is_ours(parsed.ssrc):
            figures.foreign += 1
            return
        figures.packets += 1
        figures.bytes += len(data)
        ready = self._order.push(parsed.sequence, (parsed.timestamp, parsed.marker, parsed.payload), now)
        if ready:
            self._take(ready, arrived_us)

    def control(self, data: bytes, now: float) -> None:
        """One packet of RTCP."""
        for report in rtcp.parse(data):
            if isinstance(report, rtcp.SenderReport):
                self._sender, self._sender_at = report, now

    def expire(self, now: float, arrived_us: int) -> None:
        """Give up packets that were waited for long enough; call a few times a second."""
        ready = self._order.expire(now)
        if ready:
            self._take(ready, arrived_us)

    def report(self, own_ssrc: int, now: float) -> bytes | None:
        """The receiver report that is due, None before the first packet."""
        if self._ssrc is None:
            return None
        received, lost = self.figures.packets, self._order.lost
        new_received, new_lost = received - self._reported[0], lost - self._reported[1]
        self._reported = (received, lost)
        total = new_received + new_lost
        highest = received + lost + max(0, self._order.first)
        sender = self._sender
        return rtcp.receiver_report(
            own_ssrc,
            self._ssrc,
            fraction_lost=min(255, 256 * new_lost // total) if total else 0,
            lost=lost,
            highest=highest - 1,
            jitter=0,
            last_report=sender.middle if sender is not None else 0,
            delay=int((now - self._sender_at) * 65536) if sender is not None else 0,
            cname="safecity",
        )

    def _is_ours(self, ssrc: int) -> bool:
        """The first source counts; another one is believed when it goes on alone (the camera began anew)."""
        if ssrc == self._ssrc:
            self._strangers = 0
            return True
        if self._ssrc is not None and self._strangers < 20:
            self._strangers += 1
            return False
        self._ssrc = ssrc
        self._strangers = 0
        return True

    def _take(self, ready: list[tuple[bool, tuple[int, bool, bytes]]], arrived_us: int) -> None:
        for gap, (timestamp, marker, payload) in ready:
            self._one(gap, timestamp, marker, payload, arrived_us)
        self.figures.lost = self._order.lost
        self.figures.dropped = self._depacketiser.dropped

    def _one(self, gap: bool, timestamp: int, marker: bool, payload: bytes, arrived_us: int) -> None:
        depacketiser = self._depacketiser
        dropped = depacketiser.dropped
        pieces = depacketiser.push(timestamp, marker, payload, gap)
        if gap or depacketiser.dropped != dropped:
            self._broken = True  # also where a picture is lost whole: the next ones refer to it
            self.figures.dropped = depacketiser.dropped
        for piece in pieces:
            if self._pictures is not None:
                self._picture(self._pictures, piece, arrived_us)
            else:
                self._sound(piece, arrived_us)

    def _picture(self, pictures: Pictures, piece: Piece, arrived_us: int) -> None:
        picture = pictures.take(piece.parts)
        self._broken = self._broken or piece.damaged
        parameters = pictures.parameters
        if picture is None or parameters is None:
            return
        data, is_key = picture
        if is_key and not piece.damaged:
            self._broken = False
        elif self._timeline is None:
            return
        pts, dts = self._times.place(self._place(piece.timestamp, arrived_us))
        self.last_90k = dts
        self.parameters = parameters
        damaged = piece.damaged or self._broken
        self._deliver(Unit(self.track.kind, data, pts, dts, is_key, damaged, arrived_us, parameters))

    def _sound(self, piece: Piece, arrived_us: int) -> None:
        parameters = self.parameters
        if parameters is None:
            return
        at = self._place(piece.timestamp, arrived_us)
        at = max(at, self.last_90k + 1)
        self._broken = False
        self.last_90k = at
        data = piece.parts[0]
        self._deliver(Unit(self.track.kind, data, at, at, True, piece.damaged, arrived_us, parameters))

    def _place(self, timestamp: int, arrived_us: int) -> int:
        """Media time in 1/90,000 s of a time stamp."""
        rate = self.track.clock_rate
        # Clocks of other rates are widened first, so that the conversion does not meet the wrap at 2^32.
        if self._wide_last is None:
            self._wide = timestamp
        else:
            step = (timestamp - self._wide_last) & 0xFFFFFFFF
            self._wide += step - (1 << 32) if step >= 1 << 31 else step
        self._wide_last = timestamp
        raw = self._wide if rate == CLOCK_HZ else self._wide * CLOCK_HZ // rate
        timeline = self._timeline
        if timeline is None:
            origin = self._base_90k + (arrived_us - self._epoch_us) * 9 // 100
            if self._anchor is not None:
                lead = (timestamp - self._anchor[0]) & 0xFFFFFFFF
                lead = (lead - (1 << 32) if lead >= 1 << 31 else lead) * CLOCK_HZ // rate
                # The camera's word only where it makes sense next to what we see.
                if 0 <= lead <= MAX_LEAD_90K:
                    origin = self._anchor[1] + lead
            timeline = self._timeline = Timeline(max(origin, self.last_90k + 1), bits=40)
        return timeline.place(raw & ((1 << 40) - 1), arrived_us)
