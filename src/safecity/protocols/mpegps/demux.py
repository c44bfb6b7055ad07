"""Read program streams as devices really write them (GB/T 28181 annex C; every tolerance is a branch here).

Bytes go in at any split, payload of elementary streams comes out to a sink, with the time of the PES. The demuxer
neither joins pictures nor knows codecs: `session` does.
"""

from __future__ import annotations

import re
from typing import Protocol

from safecity.protocols.mpegps.codes import AUDIO_ID, END, MAP, PACK, VIDEO_ID

_START = re.compile(rb"\x00\x00\x01[\xb9-\xff]")
"""System start codes; NAL units and MPEG-4 start codes lie below, so none of these can stand inside of video."""

_UNBOUNDED = -1
MAX_MAP = 4_096


class PsSink(Protocol):
    """Where the payload goes."""

    def video_begins(self, stream_id: int, pts: int | None, dts: int | None, new_pack: bool) -> bool:
        """A PES packet of video starts; False: not wanted, skip it."""
        ...

    def audio_begins(self, stream_id: int, pts: int | None) -> bool:
        """A PES packet of audio starts; False: not wanted, skip it."""
        ...

    def payload(self, data: bytes, start: int, end: int) -> None:
        """Some of the payload of the PES packet that began last."""
        ...

    def payload_ends(self) -> None:
        """The PES packet is whole."""
        ...

    def mapped(self, types: dict[int, int]) -> None:
        """A new program stream map: stream id -> stream type."""
        ...


def read_time(data: bytes, at: int) -> int:
    """The 33 bits of a PTS or DTS field."""
    a, b, c, d, e = data[at : at + 5]
    return (a >> 1 & 7) << 30 | b << 22 | (c >> 1) << 15 | d << 7 | e >> 1


def parse_map(section: bytes) -> dict[int, int]:
    """Stream id -> type of a PSM from its start code on; what does not fit is left out. A bad CRC is no reason."""
    types: dict[int, int] = {}
    if len(section) < 12:
        return types
    at = 12 + int.from_bytes(section[8:10], "big") - 2
    if at + 2 > len(section):
        return types
    stop = min(len(section) - 4, at + 2 + int.from_bytes(section[at : at + 2], "big"))
    at += 2
    while at + 4 <= stop and len(types) < 32:
        types[section[at + 1]] = section[at]
        at += 4 + int.from_bytes(section[at + 2 : at + 4], "big")
    return types


class PsDemuxer:
    """Counters: `packs` (those of pictures that took the session's short way left out), `skipped_bytes`, and

    `resyncs`: how often bytes were no start code where one was due.
    """

    __slots__ = (
        "_hunting",
        "_map",
        "_need",
        "_new_pack",
        "_sink",
        "_skip",
        "_tail",
        "_video",
        "idle",
        "packs",
        "resyncs",
        "skipped_bytes",
    )

    def __init__(self, sink: PsSink) -> None:
        self._sink = sink
        self._tail: bytes = b""
        self._need = 0  # payload bytes outstanding; _UNBOUNDED: until the next start code
        self._skip = False
        self._hunting = True
        self._new_pack = False
        self._video = False  # the last PES packet was video, and wanted
        self._map = b""
        self.idle = False  # nothing is under way and nothing is searched for: a pack may begin here
        self.packs = 0
        self.resyncs = 0
        self.skipped_bytes = 0

    @property
    def open(self) -> bool:
        """In the midst of a PES packet of known length."""
        return self._need > 0 or bool(self._tail and self._need == 0)

    def lost(self) -> None:
        """Bytes are missing here: what is open is cut off, and the next start code is looked for."""
        self._tail = b""
        if self._need:
            self._need = 0
            if not self._skip:
                self._sink.payload_ends()
        self._video = False
        self._hunting = True
        self.idle = False

    def boundary(self) -> None:
        """The carrier says that a picture or piece of sound ended: a PES packet without length ends too."""
        if self._need == _UNBOUNDED:
            self._need = 0
            if not self._skip:
                if self._tail:
                    self._sink.payload(self._tail, 0, len(self._tail))
                self._sink.payload_ends()
            self._tail = b""
            self.idle = not self._hunting

    def feed(self, data: bytes) -> None:
        """The next bytes of the stream."""
        self._feed(data)
        self.idle = not (self._need or self._tail or self._hunting)

    def _feed(self, data: bytes) -> None:
        if self._need > 0 and data.startswith(b"\x00\x00\x01\xba"):
            # The length of the last PES packet was a lie, or its rest never came.
            self.resyncs += 1
            self.lost()
        if self._tail:
            data = self._tail + data
            self._tail = b""
        at = 0
        end = len(data)
        while at < end:
            need = self._need
            if need > 0:
                stop = at + need
                if stop > end:
                    if not self._skip:
                        self._sink.payload(data, at, end)
                    self._need = stop - end
                    return
                self._need = 0
                if not self._skip:
                    self._sink.payload(data, at, stop)
                    self._sink.payload_ends()
                at = stop
            elif need:
                at = self._unbounded(data, at, end)
            elif self._hunting:
                at = self._hunt(data, at, end)
            else:
                following = self._packet(data, at, end)
                if following < 0:
                    self._tail = data[at:]
                    return
                at = following

    def _unbounded(self, data: bytes, at: int, end: int) -> int:
        found = _START.search(data, at)
        if found:
            stop = found.start()
            self._need = 0
            if not self._skip:
                if stop > at:
                    self._sink.payload(data, at, stop)
                self._sink.payload_ends()
            return stop
        stop = end
        for size in (3, 2, 1):  # what may be the beginning of a start code waits for the next bytes
            if end - at >= size and data[end - size : end] == b"\x00\x00\x01"[:size]:
                stop = end - size
                break
        if stop > at and not self._skip:
            self._sink.payload(data, at, stop)
        self._tail = data[stop:end]
        return end

    def _hunt(self, data: bytes, at: int, end: int) -> int:
        found = _START.search(data, at)
        if not found:
            self._tail = data[max(at, end - 3) : end]
            self.skipped_bytes += max(0, end - 3 - at)
            return end
        self.skipped_bytes += found.start() - at
        self._hunting = False
        return found.start()

    def _packet(self, data: bytes, at: int, end: int) -> int:
        """Read the head of what begins at `at`; the position behind it, or -1 when more bytes are needed."""
        if end - at < 6:
            if data[at : at + 3] == b"\x00\x00\x01"[: min(3, end - at)]:
                if end - at >= 4 and data[at + 3] == END:
                    return at + 4
                return -1
            self.resyncs += 1
            self._hunting = True
            return at
        if data[at] or data[at + 1] or data[at + 2] != 1 or data[at + 3] < END:
            # A zero or two before a start code are stuffing, anything else is lost synchronisation.
            if not data[at] and _START.match(data, at + 1):
                return at + 1
            self.resyncs += 1
            if self._video:
                self._need = _UNBOUNDED  # the length was too short (65,536 taken off): what follows is still video
                self._skip = False
            else:
                self._hunting = True
            return at
        code = data[at + 3]
        if code == PACK:
            return self._pack(data, at, end)
        if code == END:
            return at + 4
        size = data[at + 4] << 8 | data[at + 5]
        if code & 0xF0 == VIDEO_ID or code & 0xE0 == AUDIO_ID:
            return self._pes(data, at, end, code, size)
        if code == MAP:
            if size > MAX_MAP:
                self.resyncs += 1
                self._hunting = True
                return at + 4
            if end - at < 6 + size:
                return -1
            section = data[at : at + 6 + size]
            if section != self._map:
                self._map = section
                self._sink.mapped(parse_map(section))
            return at + 6 + size
        self._need = size
        self._skip = True
        self._video = False
        self.skipped_bytes += size
        return at + 6

    def _pack(self, data: bytes, at: int, end: int) -> int:
        kind = data[at + 4]
        if kind & 0xC0 == 0x40:
            if end - at < 14:
                return -1
            size = 14 + (data[at + 13] & 7)
        elif kind & 0xF0 == 0x20:
            size = 12  # MPEG-1 systems
        else:
            self.resyncs += 1
            self._hunting = True
            return at + 4
        if end - at < size:
            return -1
        self.packs += 1
        self._new_pack = True
        self._video = False
        return at + size

    def _pes(self, data: bytes, at: int, end: int, code: int, size: int) -> int:
        if end - at < 9:
            return -1
        pts = dts = None
        flags = data[at + 6]
        if flags & 0xC0 == 0x80:
            head = 9 + data[at + 8]
            if end - at < head:
                return -1
            times = data[at + 7] & 0xC0
            if times & 0x80 and head >= 14:
                pts = read_time(data, at + 9)
                if times == 0xC0 and head >= 19:
                    dts = read_time(data, at + 14)
        else:
            # MPEG-1 packets: stuffing, buffer size, times without a length of the head.
            here = at + 6
            while here < end and data[here] == 0xFF and here - at < 22:
                here += 1
            if here + 12 > end and end - at < 40:
                return -1
            if data[here] & 0xC0 == 0x40:
                here += 2
            if data[here] & 0xF0 == 0x20:
                pts = read_time(data, here)
                here += 5
            elif data[here] & 0xF0 == 0x30:
                pts, dts = read_time(data, here), read_time(data, here + 5)
                here += 10
            elif data[here] == 0x0F:
                here += 1
            else:
                self.resyncs += 1
                self._hunting = True
                return at + 4
            head = here - at
        if size == 0:
            need = _UNBOUNDED
        else:
            need = size + 6 - head
            if need < 0:
                self.resyncs += 1
                self._hunting = True
                return at + 4
        if code >= VIDEO_ID:
            wanted = self._sink.video_begins(code, pts, dts, self._new_pack)
            self._new_pack = False
        else:
            wanted = self._sink.audio_begins(code, pts)
        self._video = wanted and code >= VIDEO_ID
        self._skip = not wanted
        self._need = need
        if need == 0 and wanted:
            self._sink.payload_ends()
        return at + head
