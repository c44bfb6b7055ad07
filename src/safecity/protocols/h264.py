"""H.264 (ITU-T H.264 | ISO/IEC 14496-10): parameter sets, access units, key frames. No decoding."""

from __future__ import annotations

from dataclasses import dataclass

from safecity.model.values.media import Codec, VideoParameters
from safecity.protocols.nalbits import BitReader, unescape

SLICE = 1
IDR = 5
SEI = 6
SPS = 7
PPS = 8
AUD = 9
MAX_SIDE = 16_384
MAX_PARAMETER_SETS = 16

_CHROMA_PROFILES = frozenset((100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135))
STARTS_UNIT = frozenset((SEI, SPS, PPS, AUD, 14, 15, 16, 17, 18))
"""Types that, behind a picture's slices, begin the next access unit (7.4.1.2.3)."""


@dataclass(frozen=True, slots=True)
class Sps:
    """What we read of a sequence parameter set; width and height are what is shown, after cropping."""

    id: int
    profile: int
    constraints: int
    level: int
    width: int
    height: int
    fps: float

    @property
    def codec_string(self) -> str:
        """RFC 6381: `avc1.640028`."""
        return f"avc1.{self.profile:02x}{self.constraints:02x}{self.level:02x}"


def _skip_scaling_list(reader: BitReader, size: int) -> None:
    last, following = 8, 8
    for _ in range(size):
        if following:
            following = (last + reader.se()) & 255
        last = following or last


def parse_sps(nal: bytes) -> Sps:
    """Read an SPS NAL unit (7.3.2.1.1); ValueError when it is not one or makes no sense."""
    if len(nal) < 5 or nal[0] & 0x9F != SPS:
        raise ValueError("not an H.264 SPS")
    r = BitReader(unescape(nal[1:]))
    profile, constraints, level = r.bits(8), r.bits(8), r.bits(8)
    sps_id = r.ue()
    chroma = 1
    separate = False
    if profile in _CHROMA_PROFILES:
        chroma = r.ue()
        if chroma > 3:
            raise ValueError("chroma format out of range")
        if chroma == 3:
            separate = r.flag()
        r.ue()
        r.ue()
        r.skip(1)
        if r.flag():
            for index in range(8 if chroma != 3 else 12):
                if r.flag():
                    _skip_scaling_list(r, 16 if index < 6 else 64)
    r.ue()  # log2_max_frame_num
    order = r.ue()
    if order == 0:
        r.ue()
    elif order == 1:
        r.skip(1)
        r.se()
        r.se()
        count = r.ue()
        if count > 255:
            raise ValueError("too many reference offsets")
        for _ in range(count):
            r.se()
    r.ue()
    r.skip(1)
    columns, rows = r.ue() + 1, r.ue() + 1
    frames_only = r.flag()
    if not frames_only:
        r.skip(1)
    r.skip(1)
    left = right = top = bottom = 0
    if r.flag():
        left, right, top, bottom = r.ue(), r.ue(), r.ue(), r.ue()
    unit_x = 1 if chroma in (0, 3) or separate else 2
    unit_y = (2 if chroma == 1 and not separate else 1) * (1 if frames_only else 2)
    width = columns * 16 - unit_x * (left + right)
    height = rows * 16 * (1 if frames_only else 2) - unit_y * (top + bottom)
    if not (0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE and sps_id < 32):
        raise ValueError("picture size out of range")
    fps = 0.0
    try:
        if r.flag():
            fps = _vui_fps(r)
    except ValueError:
        fps = 0.0  # cameras write VUIs that end too early; the picture does not depend on them
    return Sps(sps_id, profile, constraints, level, width, height, fps)


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
    if not r.flag():
        return 0.0
    tick, scale = r.bits(32), r.bits(32)
    if not tick or not scale:
        return 0.0
    fps = scale / tick / 2
    return round(fps, 3) if 0.1 <= fps <= 300 else 0.0


def is_first_slice(nal: bytes) -> bool:
    """first_mb_in_slice is 0: the slice begins a picture (7.3.3)."""
    return len(nal) > 1 and nal[1] >= 0x80


def parameters_of(parameter_sets: tuple[bytes, ...]) -> VideoParameters:
    """SPS and PPS in any order -> parameters; ValueError without a readable SPS or any PPS."""
    by_type: dict[int, list[bytes]] = {SPS: [], PPS: []}
    for nal in parameter_sets:
        if nal:
            by_type.setdefault(nal[0] & 31, []).append(nal)
    if not by_type[SPS] or not by_type[PPS]:
        raise ValueError("SPS or PPS missing")
    sps = parse_sps(by_type[SPS][0])
    sets = (*by_type[SPS], *by_type[PPS])
    if len(sets) > MAX_PARAMETER_SETS:
        raise ValueError("too many parameter sets")
    return VideoParameters(Codec.H264, sps.width, sps.height, sets, sps.codec_string, sps.fps)
