"""H.265 (ITU-T H.265 | ISO/IEC 23008-2): parameter sets, access units, key frames. No decoding."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.model.values.media import Codec, VideoParameters
from safecity.protocols.nalbits import BitReader, unescape

VPS = 32
SPS = 33
PPS = 34
AUD = 35
SEI_PREFIX = 39
IRAP_FIRST, IRAP_LAST = 16, 23
MAX_SIDE = 16_384
MAX_PARAMETER_SETS = 16

STARTS_UNIT = frozenset((VPS, SPS, PPS, AUD, SEI_PREFIX, *range(41, 45), *range(48, 56)))
"""Types that, behind a picture's slices, begin the next access unit (7.4.2.4.4)."""


@dataclass(frozen=True, slots=True)
class Sps:
    """What we read of a sequence parameter set; width and height are what is shown, after cropping."""

    id: int
    profile_space: int
    tier: int
    profile: int
    compatibility: int
    constraints: bytes
    level: int
    width: int
    height: int
    fps: float

    @property
    def codec_string(self) -> str:
        """ISO/IEC 14496-15 annex E: `hvc1.1.6.L93.B0`."""
        space = ("", "A", "B", "C")[self.profile_space]
        mirrored = int(f"{self.compatibility:032b}"[::-1], 2)
        tail = self.constraints.rstrip(b"\0")
        return f"hvc1.{space}{self.profile}.{mirrored:X}.{'H' if self.tier else 'L'}{self.level}" + "".join(
            f".{byte:X}" for byte in tail
        )


def parse_sps(nal: bytes) -> Sps:
    """Read an SPS NAL unit (7.3.2.2.1); ValueError when it is not one or makes no sense."""
    if len(nal) < 15 or (nal[0] >> 1) & 63 != SPS or nal[0] & 0x80:
        raise ValueError("not an H.265 SPS")
    r = BitReader(unescape(nal[2:]))
    r.skip(4)
    layers = r.bits(3)
    r.skip(1)
    space, tier, profile = r.bits(2), r.bits(1), r.bits(5)
    compatibility = r.bits(32)
    constraints = r.bits(48).to_bytes(6, "big")
    level = r.bits(8)
    _skip_sub_layers(r, layers)
    sps_id = r.ue()
    chroma = r.ue()
    if chroma > 3 or sps_id > 15:
        raise ValueError("chroma format or id out of range")
    separate = chroma == 3 and r.flag()
    width, height = r.ue(), r.ue()
    if r.flag():
        unit_x = 2 if chroma in (1, 2) and not separate else 1
        unit_y = 2 if chroma == 1 and not separate else 1
        width -= unit_x * (r.ue() + r.ue())
        height -= unit_y * (r.ue() + r.ue())
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE):
        raise ValueError("picture size out of range")
    try:
        fps = _fps(r, layers)
    except ValueError:
        fps = 0.0  # the picture does not depend on the VUI
    return Sps(sps_id, space, tier, profile, compatibility, constraints, level, width, height, fps)


def _skip_sub_layers(r: BitReader, layers: int) -> None:
    present = [(r.flag(), r.flag()) for _ in range(layers)]
    if layers:
        r.skip(2 * (8 - layers))
    for profile, level in present:
        r.skip((88 if profile else 0) + (8 if level else 0))


def _skip_scaling_lists(r: BitReader) -> None:
    for size in range(4):
        for _ in range(0, 6, 3 if size == 3 else 1):
            if not r.flag():
                r.ue()
                continue
            if size > 1:
                r.se()
            for _ in range(min(64, 1 << (4 + (size << 1)))):
                r.se()


def _skip_reference_sets(r: BitReader) -> None:
    count = r.ue()
    if count > 64:
        raise ValueError("too many reference picture sets")
    pictures = 0
    for index in range(count):
        if index and r.flag():
            r.skip(1)
            r.ue()
            kept = 0
            for _ in range(pictures + 1):
                used = r.flag()
                if used or r.flag():
                    kept += 1
            pictures = kept
            continue
        negative, positive = r.ue(), r.ue()
        pictures = negative + positive
        if pictures > 32:
            raise ValueError("too many reference pictures")
        for _ in range(pictures):
            r.ue()
            r.skip(1)


def _fps(r: BitReader, layers: int) -> float:
    r.ue()
    r.ue()
    order_bits = r.ue() + 4
    all_layers = r.flag()
    for _ in range(0 if all_layers else layers, layers + 1):
        r.ue()
        r.ue()
        r.ue()
    for _ in range(6):
        r.ue()
    if r.flag() and r.flag():
        _skip_scaling_lists(r)
    r.skip(2)
    if r.flag():
        r.skip(8)
        r.ue()
        r.ue()
        r.skip(1)
    _skip_reference_sets(r)
    if r.flag():
        count = r.ue()
        if count > 32:
            raise ValueError("too many long-term references")
        r.skip(count * (order_bits + 1))
    r.skip(2)
    return _vui_fps(r) if r.flag() else 0.0


def _vui_fps(r: BitReader) -> float:
    if r.flag() and r.bits(8) == 255:
        r.skip(32)
    if r.flag():
        r.skip(1)
    if r.flag():
        r.skip(4)
        if r.flag():
            r.skip(24)
    if r.flag():
        r.ue()
        r.ue()
    r.skip(3)
    if r.flag():
        for _ in range(4):
            r.ue()
    if not r.flag():
        return 0.0
    tick, scale = r.bits(32), r.bits(32)
    if not tick or not scale:
        return 0.0
    fps = scale / tick
    return round(fps, 3) if 0.1 <= fps <= 300 else 0.0


def is_first_slice(nal: bytes) -> bool:
    """first_slice_segment_in_pic_flag (7.3.6.1)."""
    return len(nal) > 2 and nal[2] >= 0x80


def parameters_of(parameter_sets: tuple[bytes, ...]) -> VideoParameters:
    """VPS, SPS and PPS in any order -> parameters; ValueError where one kind is missing or unreadable."""
    by_type: dict[int, list[bytes]] = {VPS: [], SPS: [], PPS: []}
    for nal in parameter_sets:
        if nal:
            by_type.setdefault((nal[0] >> 1) & 63, []).append(nal)
    if not (by_type[VPS] and by_type[SPS] and by_type[PPS]):
        raise ValueError("VPS, SPS or PPS missing")
    sps = parse_sps(by_type[SPS][0])
    sets = (*by_type[VPS], *by_type[SPS], *by_type[PPS])
    if len(sets) > MAX_PARAMETER_SETS:
        raise ValueError("too many parameter sets")
    return VideoParameters(Codec.H265, sps.width, sps.height, sets, sps.codec_string, sps.fps)
