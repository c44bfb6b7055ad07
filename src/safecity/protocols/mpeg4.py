"""MPEG-4 part 2 (ISO/IEC 14496-2) as old recorders send it: the VOL header and where a decoder can start."""

from __future__ import annotations

from safecity.model.values.media import Codec, VideoParameters
from safecity.protocols.nalbits import BitReader

VOP = b"\x00\x00\x01\xb6"
_VOS = b"\x00\x00\x01\xb0"


def is_key(data: bytes) -> bool:
    """The first VOP is an I-VOP (6.2.5)."""
    at = data.find(VOP)
    return 0 <= at < len(data) - 4 and data[at + 4] >> 6 == 0


def header_of(data: bytes) -> bytes:
    """What stands before the first VOP or group of VOPs: VOS, VO and VOL headers; empty where there is no VOL."""
    stop = data.find(VOP)
    group = data.find(b"\x00\x00\x01\xb3", 0, stop if stop >= 0 else len(data))
    head = data[: group if group >= 0 else stop if stop >= 0 else len(data)]
    return head if _vol_at(head) >= 0 else b""


def _vol_at(head: bytes) -> int:
    at = head.find(b"\x00\x00\x01")
    while at >= 0 and at + 3 < len(head):
        if 0x20 <= head[at + 3] <= 0x2F:
            return at + 4
        at = head.find(b"\x00\x00\x01", at + 3)
    return -1


def parameters_of(head: bytes) -> VideoParameters:
    """Width and height of the VOL (6.2.3); ValueError where it cannot be read."""
    at = _vol_at(head)
    if at < 0:
        raise ValueError("no VOL header")
    r = BitReader(head[at : at + 64])
    r.skip(9)
    version = 1
    if r.flag():
        version = r.bits(4)
        r.skip(3)
    if r.bits(4) == 15:
        r.skip(16)
    if r.flag():
        r.skip(3)
        if r.flag():
            r.skip(79)
    shape = r.bits(2)
    if shape == 3 and version != 1:
        r.skip(4)
    r.skip(1)
    resolution = r.bits(16)
    r.skip(1)
    fixed = 0
    if r.flag():
        fixed = r.bits(max(1, (max(resolution, 1) - 1).bit_length()))
    if shape != 0:
        raise ValueError("not a rectangular VOL")
    r.skip(1)
    width = r.bits(13)
    r.skip(1)
    height = r.bits(13)
    if not width or not height:
        raise ValueError("picture size out of range")
    profile = head[4] if head.startswith(_VOS) and len(head) > 4 else 1
    fps = resolution / fixed if fixed else 0.0
    return VideoParameters(
        Codec.MPEG4, width, height, (head,), f"mp4v.20.{profile:X}", round(fps, 3) if fps <= 300 else 0.0
    )
