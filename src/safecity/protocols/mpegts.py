"""Transport streams (ISO/IEC 13818-1 2.4) where a device sends them instead of program streams.

One program; continuity is not checked (RTP already told what is lost). The sink is that of the program stream.
"""

from __future__ import annotations

from safecity.protocols.mpegps.codes import VIDEO_TYPES
from safecity.protocols.mpegps.demux import PsSink, read_time

PACKET = 188
MAX_PES = 8 * 1024 * 1024
_NULL_PID = 0x1FFF


def looks_like_ts(data: bytes) -> bool:
    """Sync bytes at 0 and, if there is more than one packet, at 188."""
    return len(data) >= PACKET and data[0] == 0x47 and (len(data) == PACKET or data[PACKET] == 0x47)


class TsDemuxer:
    """Bytes in at any split, payload out."""

    idle = False
    """Never: see `open`."""

    def __init__(self, sink: PsSink) -> None:
        self._sink = sink
        self._tail = b""
        self._map_pid = -1
        self._types: dict[int, int] = {}
        self._gathered: dict[int, list[bytes]] = {}  # PES packets under way, by PID
        self._sizes: dict[int, int] = {}
        self._programs = b""
        self.resyncs = 0
        self.packs = 0

    @property
    def open(self) -> bool:
        """Always: a PES packet of video is known to be whole only when the next begins."""
        return True

    def lost(self) -> None:
        """Bytes are missing here: what is under way is given up as far as it came."""
        self._tail = b""

    def boundary(self) -> None:
        """Senders of TS stamp each packet with the time of sending, so the carrier's boundaries say nothing."""

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        if self._tail:
            data = self._tail + data
            self._tail = b""
        at = 0
        while at + PACKET <= len(data):
            if data[at] != 0x47:
                self.resyncs += 1
                found = data.find(b"\x47", at + 1)
                while found >= 0 and found + PACKET < len(data) and data[found + PACKET] != 0x47:
                    found = data.find(b"\x47", found + 1)
                if found < 0:
                    return
                at = found
                continue
            self._packet(data, at)
            at += PACKET
        self._tail = data[at:]

    def _packet(self, data: bytes, at: int) -> None:
        pid = (data[at + 1] & 31) << 8 | data[at + 2]
        begins = bool(data[at + 1] & 0x40)
        control = data[at + 3] >> 4 & 3
        stop = at + PACKET
        here = at + 4
        if control & 2:
            here += 1 + data[here]
        if not control & 1 or here >= stop or pid == _NULL_PID:
            return
        self.packs += 1
        if pid == 0:
            if begins:
                self._association(data[here:stop])
        elif pid == self._map_pid:
            if begins:
                self._map(data[here:stop])
        elif pid in self._types:
            self._elementary(pid, data, here, stop, begins)

    def _association(self, section: bytes) -> None:
        at = 1 + section[0] + 8
        while at + 8 <= len(section):
            if section[at] or section[at + 1]:
                self._map_pid = (section[at + 2] & 31) << 8 | section[at + 3]
                return
            at += 4

    def _map(self, section: bytes) -> None:
        if section == self._programs:
            return
        self._programs = section
        start = 1 + section[0]
        if start + 12 > len(section):
            return
        stop = min(len(section), start + 3 + ((section[start + 1] & 15) << 8 | section[start + 2]) - 4)
        at = start + 12 + ((section[start + 10] & 15) << 8 | section[start + 11])
        types: dict[int, int] = {}
        while at + 5 <= stop and len(types) < 16:
            types[(section[at + 1] & 31) << 8 | section[at + 2]] = section[at]
            at += 5 + ((section[at + 3] & 15) << 8 | section[at + 4])
        self._types = types
        self._sink.mapped(types)

    def _elementary(self, pid: int, data: bytes, here: int, stop: int, begins: bool) -> None:
        if begins:
            self._emit(pid)
            self._gathered[pid] = [data[here:stop]]
            size = stop - here
            # A known length (always so for sound) ends the packet without waiting for the next.
            declared = data[here + 4] << 8 | data[here + 5] if size >= 6 else 0
            self._sizes[pid] = (6 + declared if declared else MAX_PES + 1) - size
        elif pid in self._gathered:
            self._gathered[pid].append(data[here:stop])
            self._sizes[pid] -= stop - here
            if self._sizes[pid] <= -MAX_PES:
                del self._gathered[pid]
                self.resyncs += 1
                return
        else:
            return
        if self._sizes[pid] == 0:
            self._emit(pid)

    def _emit(self, pid: int) -> None:
        pieces = self._gathered.pop(pid, None)
        if pieces is None:
            return
        packet = b"".join(pieces)
        if len(packet) < 9 or packet[:3] != b"\x00\x00\x01" or 9 + packet[8] > len(packet):
            self.resyncs += 1
            return
        pts = dts = None
        if packet[7] & 0x80 and packet[8] >= 5:
            pts = read_time(packet, 9)
            if packet[7] & 0x40 and packet[8] >= 10:
                dts = read_time(packet, 14)
        head = 9 + packet[8]
        if self._types[pid] in VIDEO_TYPES:
            wanted = self._sink.video_begins(pid, pts, dts, True)
        else:
            wanted = self._sink.audio_begins(pid, pts)
        if wanted and head < len(packet):
            self._sink.payload(packet, head, len(packet))
            self._sink.payload_ends()
