"""How a simulated terminal codes what its cameras hear: G.726 and ADPCM, as makers pack them."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, Final

import av
import numpy as np
from numpy.typing import NDArray

from safecity.model.values.media import Codec
from safecity.protocols.jt1078.packets import PayloadType
from safecity.protocols.sound import g726, ima
from safecity.sim.encode import tone

RATE: Final = 8000
SAMPLES: Final = 320
FRAME_US: Final = 40_000


@dataclass(frozen=True, slots=True, kw_only=True)
class VehicleSound:
    """`kbps` of G.726 (16, 24, 32, 40); 0: ADPCM. `aal2`: the first sample in the highest bits (of ADPCM: in the
    lowest, which some makers do); `headed`: behind the four bytes that chips of one maker put in front."""

    kbps: int = 32
    aal2: bool = False
    headed: bool = False

    @property
    def payload_type(self) -> PayloadType:
        """Of its packets."""
        return PayloadType.G726 if self.kbps else PayloadType.ADPCM

    def frame(self, at_us: int) -> bytes:
        """The 40 ms that begin then: the same loop as that of the cameras."""
        frames = _adpcm(self.aal2) if not self.kbps else _g726(self.kbps, self.aal2)
        data = frames[at_us // FRAME_US % len(frames)]
        return bytes((0, 1, len(data) // 2, 0)) + data if self.headed else data


def vehicle_sound(name: str) -> tuple[VehicleSound | None, Codec | None]:
    """How the terminal codes it, None: as its cameras do; and how those do, None: they are deaf. KeyError."""
    if not name:
        return None, None
    made = _NAMED[name]
    return (made, Codec.PCMA) if isinstance(made, VehicleSound) else (None, made)


_NAMED: Final[dict[str, VehicleSound | Codec]] = {
    "g711a": Codec.PCMA,
    "g711u": Codec.PCMU,
    "aac": Codec.AAC,
    "adpcm": VehicleSound(kbps=0),
    **{f"g726-{kbps}": VehicleSound(kbps=kbps) for kbps in g726.BITS},
}


def coded_g726(wave: NDArray[np.int16], kbps: int, aal2: bool) -> bytes:
    """The samples as G.726, by libavcodec."""
    context: Any = av.CodecContext.create("g726" if aal2 else "g726le", "w")
    context.sample_rate, context.layout, context.format = RATE, "mono", "s16"
    context.bit_rate, context.time_base = kbps * 1000, Fraction(1, RATE)
    context.options = {"code_size": str(g726.BITS[kbps])}
    frame: Any = av.AudioFrame.from_ndarray(wave[None, :], format="s16", layout="mono")
    frame.sample_rate, frame.pts = RATE, 0
    return b"".join(bytes(one) for one in (*context.encode(frame), *context.encode(None)))


@functools.cache
def _g726(kbps: int, aal2: bool) -> list[bytes]:
    """One second. Of three the middle one is kept: what the coder knows then it knows at the loop's end, too."""
    coded = coded_g726(np.tile(tone(RATE), 3), kbps, aal2)
    second, size = kbps * 125, g726.BITS[kbps] * SAMPLES // 8
    return [coded[at : at + size] for at in range(second, 2 * second, size)]


@functools.cache
def _adpcm(low_first: bool) -> list[bytes]:
    """One second, its end as its beginning expects it."""
    wave = tone(RATE).tolist()
    _, state = ima.encode(ima.State(0, 0), wave)
    frames: list[bytes] = []
    for at in range(0, RATE, SAMPLES):
        data, after = ima.encode(state, wave[at : at + SAMPLES], low_first)
        frames.append(ima.write_packet(state, data))
        state = after
    return frames
