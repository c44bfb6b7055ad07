"""H.264 (RFC 6184) and H.265 (RFC 7798) from RTP: single NAL units, aggregates, fragments.

A unit ends with the marker, or when the time stamp changes (the marker is lost, or the camera sets none). Cameras that
set the marker on every slice are found out by the first slice that goes on a picture that was thought to be over.
"""

from __future__ import annotations

from typing import Final

from safecity.model.values.media import Codec
from safecity.protocols import h264, h265
from safecity.protocols.rtp_payloads.pieces import MAX_NALS, MAX_UNIT_BYTES, Piece

_STAP_A, _FU_A = 24, 28
_AP, _FU, _PACI = 48, 49, 50
_NO_PIECES: Final[list[Piece]] = []


_PROFILES: Final = frozenset({44, 66, 77, 83, 86, 88, 100, 110, 118, 122, 128, 134, 138, 139, 244})
"""H.264, Annex A, G and H."""
_LONGEST_SPS: Final = 256
_SMALLEST_SIDE: Final = 64


def codec_by_sets(payload: bytes) -> Codec | None:
    """What a payload is that holds parameter sets, as key frames do: for senders whose payload type says nothing.

    A payload out of the middle of something else can look like them, about one in a thousand if any set that can be
    read counts. So a set has to be as short, and say what is as likely, as those of cameras."""
    if len(payload) < 8 or payload[0] & 0x80:
        return None
    for nal in _joined(payload, 1) if payload[0] & 31 == _STAP_A else (payload,):
        if nal[0] & 31 == h264.SPS and _is_sps(nal):
            return Codec.H264
    for nal in _joined(payload, 2) if payload[0] >> 1 == _AP else (payload,):
        # A VPS has 16 bits of ones behind its numbers (H.265, 7.3.2.1).
        if nal[:2] == b"\x40\x01" and nal[4:6] == b"\xff\xff":
            return Codec.H265
    return None


def _is_sps(nal: bytes) -> bool:
    if not 5 <= len(nal) <= _LONGEST_SPS or nal[1] not in _PROFILES or nal[2] & 3:
        return False
    try:
        sps = h264.parse_sps(nal)
    except ValueError:
        return False
    return sps.width >= _SMALLEST_SIDE and sps.height >= _SMALLEST_SIDE


def _joined(payload: bytes, at: int) -> list[bytes]:
    """The first NAL units of an aggregate."""
    found: list[bytes] = []
    while at + 2 < len(payload) and len(found) < 8:
        size = payload[at] << 8 | payload[at + 1]
        if size:
            found.append(payload[at + 2 : at + 2 + size])
        at += 2 + size
    return found


class _NalDepacketiser:
    """What both codecs share: collecting NAL units to access units."""

    def __init__(self) -> None:
        self.dropped = 0
        self.false_markers = False
        self._nals: list[bytes] = []
        self._size = 0
        self._timestamp = -1
        self._has_slice = False
        self._damaged = False
        self._fragment: list[bytes] | None = None
        self._ended = -1  # time stamp of the unit that a marker ended last

    def push(self, timestamp: int, marker: bool, payload: bytes, gap: bool = False) -> list[Piece]:
        """See `Depacketiser`."""
        if gap:
            self._damaged = True
            self._fragment = None
        out = _NO_PIECES
        if timestamp != self._timestamp:
            # After a gap nobody knows whose packets are missing: both units count as damaged.
            out = self._finish(keep_damage=gap)
            self._timestamp = timestamp
        elif timestamp == self._ended and not self.false_markers and self._continues(payload):
            self.false_markers = True
        self._read(payload)
        if marker and not self.false_markers and self._has_slice and self._fragment is None:
            self._ended = timestamp
            out = [*out, *self._finish()]
        return out

    def flush(self) -> list[Piece]:
        """See `Depacketiser`."""
        return self._finish()

    def _finish(self, *, keep_damage: bool = False) -> list[Piece]:
        damaged = self._damaged
        if self._fragment is not None:
            damaged = True
            self.dropped += 1
        nals, self._nals = self._nals, []
        timestamp = self._timestamp
        self._fragment = None
        self._size = 0
        self._has_slice = False
        self._damaged = keep_damage
        return [Piece(timestamp, nals, damaged)] if nals else []

    def _add(self, nal: bytes) -> None:
        if not nal or len(self._nals) >= MAX_NALS or self._size + len(nal) > MAX_UNIT_BYTES:
            self._bad()
            return
        self._nals.append(nal)
        self._size += len(nal)
        self._has_slice = self._has_slice or self._is_slice(nal)

    def _bad(self) -> None:
        self.dropped += 1
        self._damaged = True

    def _aggregate(self, payload: bytes, at: int) -> None:
        size = len(payload)
        while at + 2 < size:
            length = payload[at] << 8 | payload[at + 1]
            at += 2
            if length == 0 or at + length > size:
                self._bad()
                return
            self._add(payload[at : at + length])
            at += length

    def _fragments(self, head: bytes, flags: int, body: bytes) -> None:
        if flags & 0x80:
            if self._fragment is not None:
                self._bad()  # the end of the one before never came
            self._fragment = [head, body]
        elif self._fragment is None:
            self._bad()
            return
        else:
            self._fragment.append(body)
        self._size += len(body)
        if self._size > MAX_UNIT_BYTES:
            self._fragment = None
            self._bad()
        elif flags & 0x40:
            nal = b"".join(self._fragment)
            self._fragment = None
            self._size -= len(nal) - len(head)
            self._add(nal)

    def _read(self, payload: bytes) -> None:
        raise NotImplementedError

    def _is_slice(self, nal: bytes) -> bool:
        raise NotImplementedError

    def _continues(self, payload: bytes) -> bool:
        raise NotImplementedError


class H264Depacketiser(_NalDepacketiser):
    """RFC 6184, packetisation modes 0 and 1. Mode 2 (interleaved) no camera sends: dropped and counted."""

    def push(self, timestamp: int, marker: bool, payload: bytes, gap: bool = False) -> list[Piece]:
        """See `Depacketiser`."""
        fragment = self._fragment
        # The middle of a large picture: nine packets of ten.
        if (
            fragment is not None
            and timestamp == self._timestamp
            and not (marker or gap)
            and len(payload) > 2
            and payload[1] < 0x40
            and payload[0] & 31 == _FU_A
            and self._size < MAX_UNIT_BYTES
        ):
            fragment.append(payload[2:])
            self._size += len(payload) - 2
            return _NO_PIECES
        return super().push(timestamp, marker, payload, gap)

    def _read(self, payload: bytes) -> None:
        if not payload:
            self._bad()
            return
        kind = payload[0] & 31
        if 1 <= kind <= 23:
            self._add(payload)
        elif kind == _FU_A and len(payload) > 2:
            self._fragments(bytes((payload[0] & 0xE0 | payload[1] & 31,)), payload[1], payload[2:])
        elif kind == _STAP_A:
            self._aggregate(payload, 1)
        else:
            self._bad()

    def _is_slice(self, nal: bytes) -> bool:
        return 1 <= nal[0] & 31 <= 5

    def _continues(self, payload: bytes) -> bool:
        if len(payload) < 3:
            return False
        if payload[0] & 31 == _FU_A:
            return bool(payload[1] & 0x80) and 1 <= payload[1] & 31 <= 5 and payload[2] < 0x80
        return 1 <= payload[0] & 31 <= 5 and not h264.is_first_slice(payload)


class H265Depacketiser(_NalDepacketiser):
    """RFC 7798 without PACI. `donl`: the sender writes decoding order numbers (sprop-max-don-diff above 0)."""

    def __init__(self, *, donl: bool = False) -> None:
        super().__init__()
        self._donl = 2 if donl else 0

    def push(self, timestamp: int, marker: bool, payload: bytes, gap: bool = False) -> list[Piece]:
        """See `Depacketiser`."""
        fragment = self._fragment
        if (
            fragment is not None
            and timestamp == self._timestamp
            and not (marker or gap)
            and len(payload) > 3
            and payload[2] < 0x40
            and payload[0] & 0x7E == _FU << 1
            and self._size < MAX_UNIT_BYTES
        ):
            fragment.append(payload[3:])
            self._size += len(payload) - 3
            return _NO_PIECES
        return super().push(timestamp, marker, payload, gap)

    def _read(self, payload: bytes) -> None:
        if len(payload) < 3:
            self._bad()
            return
        kind = (payload[0] >> 1) & 63
        skip = self._donl
        if kind < 48:
            self._add(payload[:2] + payload[2 + skip :] if skip else payload)
        elif kind == _FU and len(payload) > 3:
            head = bytes((payload[0] & 0x81 | (payload[2] & 63) << 1, payload[1]))
            self._fragments(head, payload[2], payload[3 + (skip if payload[2] & 0x80 else 0) :])
        elif kind == _AP:
            self._aggregate_h265(payload)
        else:
            self._bad()

    def _aggregate_h265(self, payload: bytes) -> None:
        if not self._donl:
            self._aggregate(payload, 2)
            return
        at = 4
        while at + 2 < len(payload):
            length = payload[at] << 8 | payload[at + 1]
            if length == 0 or at + 2 + length > len(payload):
                self._bad()
                return
            self._add(payload[at + 2 : at + 2 + length])
            at += 3 + length  # DOND of the next one is one byte

    def _is_slice(self, nal: bytes) -> bool:
        return (nal[0] >> 1) & 63 < 32

    def _continues(self, payload: bytes) -> bool:
        if len(payload) < 4:
            return False
        kind = (payload[0] >> 1) & 63
        if kind == _FU:
            return bool(payload[2] & 0x80) and payload[2] & 63 < 32 and payload[3] < 0x80
        return kind < 32 and not h265.is_first_slice(payload)
