"""IMA ADPCM (DVI4), 4 bits of a sample: packets that begin with the decoder's state and so stand alone.

A packet: predictor (16 bits, little-endian), step index, a byte of nothing, then two samples a byte. As decoders for
terminals of JT/T 1078 have it; of RFC 3551 (4.5.1) it differs in the order of the predictor's bytes.
"""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Final, NamedTuple

HEAD: Final = 4
LAST_STEP: Final = 88
_MOVES: Final = (-1, -1, -1, -1, 2, 4, 6, 8) * 2
_STEPS: Final = (
    7, 8, 9, 10, 11, 12, 13, 14, 16, 17, 19, 21, 23, 25, 28, 31, 34, 37, 41, 45, 50, 55, 60, 66, 73, 80, 88, 97, 107,
    118, 130, 143, 157, 173, 190, 209, 230, 253, 279, 307, 337, 371, 408, 449, 494, 544, 598, 658, 724, 796, 876, 963,
    1060, 1166, 1282, 1411, 1552, 1707, 1878, 2066, 2272, 2499, 2749, 3024, 3327, 3660, 4026, 4428, 4871, 5358, 5894,
    6484, 7132, 7845, 8630, 9493, 10442, 11487, 12635, 13899, 15289, 16818, 18500, 20350, 22385, 24623, 27086, 29794,
    32767,
)  # fmt: skip


def _difference(step: int, code: int) -> int:
    size = step >> 3
    for bit, part in ((4, step), (2, step >> 1), (1, step >> 2)):
        size += part if code & bit else 0
    return -size if code & 8 else size


_DIFFERENCES: Final = tuple(tuple(_difference(step, code) for code in range(16)) for step in _STEPS)
_NEXT: Final = tuple(
    tuple(min(LAST_STEP, max(0, index + move)) for move in _MOVES) for index in range(LAST_STEP + 1)
)  # fmt: skip


class State(NamedTuple):
    """Of a decoder; `step` is an index, 0 to 88."""

    predictor: int
    step: int


def state_of(packet: bytes) -> State | None:
    """What it begins with; None where it is too short or no step has that index."""
    if len(packet) < HEAD or packet[2] > LAST_STEP:
        return None
    return State(int.from_bytes(packet[:2], "little", signed=True), packet[2])


def decode(state: State, data: bytes, low_first: bool = False) -> tuple[array[int], State]:
    """Two samples of 16 bits for each byte, and the state behind them. `low_first`: the first is in the low bits."""
    value, index = state
    first, second = (0, 4) if low_first else (4, 0)
    samples = array("h", bytes(4 * len(data)))
    at = 0
    for byte in data:
        for code in (byte >> first & 15, byte >> second & 15):
            value += _DIFFERENCES[index][code]
            if value > 32_767:
                value = 32_767
            elif value < -32_768:
                value = -32_768
            index = _NEXT[index][code]
            samples[at] = value
            at += 1
    return samples, State(value, index)


def encode(state: State, samples: Sequence[int], low_first: bool = False) -> tuple[bytes, State]:
    """A byte for each two samples of 16 bits, and the state behind them."""
    value, index = state
    codes: list[int] = []
    for sample in samples:
        apart, step = sample - value, _STEPS[index]
        code, left = (8, -apart) if apart < 0 else (0, apart)
        for bit, part in ((4, step), (2, step >> 1), (1, step >> 2)):
            if left >= part:
                code, left = code | bit, left - part
        value = min(32_767, max(-32_768, value + _DIFFERENCES[index][code]))
        index = _NEXT[index][code]
        codes.append(code)
    pairs = zip(codes[::2], codes[1::2], strict=True)
    return bytes(two << 4 | one if low_first else one << 4 | two for one, two in pairs), State(value, index)


def write_packet(state: State, data: bytes) -> bytes:
    """With its head."""
    return state.predictor.to_bytes(2, "little", signed=True) + bytes((state.step, 0)) + data
