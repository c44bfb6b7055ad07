"""Access units to RTP payloads: what our own senders put behind the RTP header. Each answer is a list of
(payload, marker) in order."""

from __future__ import annotations

from collections.abc import Sequence

Payloads = list[tuple[bytes, bool]]


def write_h264(nals: Sequence[bytes], *, size: int = 1400) -> Payloads:
    """One access unit (RFC 6184, mode 1): small neighbours together in a STAP-A, large ones in FU-A."""
    out: list[bytes] = []
    small: list[bytes] = []
    room = size - 1

    def put_small() -> None:
        nonlocal small, room
        if len(small) == 1:
            out.append(small[0])
        elif small:
            importance = max(nal[0] & 0x60 for nal in small)
            joined = b"".join(len(nal).to_bytes(2, "big") + nal for nal in small)
            out.append(bytes((importance | 24,)) + joined)
        small, room = [], size - 1

    for nal in nals:
        if not nal:
            continue
        if len(nal) > size:
            put_small()
            out += _fragments(nal, bytes((nal[0] & 0xE0 | 28,)), nal[0] & 31, 1, size)
            continue
        if len(nal) + 2 > room:
            put_small()
        small.append(nal)
        room -= len(nal) + 2
    put_small()
    return _marked(out)


def write_h265(nals: Sequence[bytes], *, size: int = 1400) -> Payloads:
    """One access unit (RFC 7798): single NAL units and FU."""
    out: list[bytes] = []
    for nal in nals:
        if len(nal) < 3:
            continue
        if len(nal) <= size:
            out.append(nal)
        else:
            out += _fragments(nal, bytes((nal[0] & 0x81 | 49 << 1, nal[1])), (nal[0] >> 1) & 63, 2, size)
    return _marked(out)


def write_aac(frames: Sequence[bytes]) -> Payloads:
    """AAC-hbr (RFC 3640, sizelength 13): the frames of one packet. ValueError for a frame of 8,192 bytes or more."""
    if any(len(frame) >= 1 << 13 or not frame for frame in frames):
        raise ValueError("AAC frame does not fit a 13-bit length")
    heads = b"".join((len(frame) << 3).to_bytes(2, "big") for frame in frames)
    return [((len(heads) * 8).to_bytes(2, "big") + heads + b"".join(frames), True)]


def _fragments(nal: bytes, indicator: bytes, kind: int, head: int, size: int) -> list[bytes]:
    step = size - len(indicator) - 1
    pieces = [nal[at : at + step] for at in range(head, len(nal), step)]
    last = len(pieces) - 1
    return [
        indicator + bytes((kind | (0x80 if number == 0 else 0) | (0x40 if number == last else 0),)) + piece
        for number, piece in enumerate(pieces)
    ]


def _marked(payloads: list[bytes]) -> Payloads:
    last = len(payloads) - 1
    return [(payload, number == last) for number, payload in enumerate(payloads)]
