"""G.726: sound of 16, 24, 32 and 40 kbit/s to samples (ITU-T G.726, the decoder with the uniform output of annex A).

`decode` is plain arithmetic on whole numbers over flat buffers: it runs as it stands, and a compiler takes it as it
stands where one is at hand. Its steps bear the names of the blocks of clause 4.2.

Where libavcodec's decoder goes another way, this one follows the recommendation: MIX rounds towards zero, and at 40
kbit/s the zeros of the predictor leak by 2^-9.
"""

from __future__ import annotations

from array import array
from typing import Final

BITS: Final = {16: 2, 24: 3, 32: 4, 40: 5}
"""Bits of a sample by kbit/s, at 8,000 samples/s."""
_ZERO: Final = 32
"""As the 11-bit floats of FLOATA and FLOATB have it: exponent 0, mantissa 32."""


def _rows(*halves: tuple[int, ...]) -> array[int]:
    """Row 2^bits + code. A code with its sign bit set is the complement of the one of the same size without."""
    rows = [0, 0, 0, 0]
    for half in halves:
        rows += [*half, *reversed(half)]
    return array("h", rows)


LEVELS: Final = _rows(
    (116, 365),
    (-2048, 135, 273, 373),
    (-2048, 4, 135, 213, 273, 323, 373, 425),
    (-2048, -66, 28, 104, 169, 224, 274, 318, 358, 395, 429, 459, 488, 514, 539, 566),
)
"""DQLN, what a code stands for in the logarithmic domain."""
SCALES: Final = _rows(
    (-22, 439),
    (-4, 30, 137, 582),
    (-12, 18, 41, 64, 112, 198, 355, 1122),
    (14, 14, 24, 39, 40, 41, 58, 100, 141, 179, 219, 280, 358, 440, 529, 696),
)
"""WI (FUNCTW)."""
SPEEDS: Final = _rows(
    (0, 7),
    (0, 1, 2, 7),
    (0, 0, 0, 1, 1, 1, 3, 7),
    (0, 0, 0, 0, 0, 1, 1, 1, 1, 1, 2, 3, 4, 5, 6, 6),
)
"""FI (FUNCTF)."""
LENGTHS: Final = bytes(number.bit_length() for number in range(256))


def new_state() -> array[int]:
    """What a decoder begins with: YU, YL, DMS, DML, AP, TD, PK1, PK2, A1, A2, SR1, SR2, six times B, six times DQ."""
    zeros, past = [0] * 6, [_ZERO] * 6
    return array("q", [544, 34_816, 0, 0, 0, 0, 0, 0, 0, 0, _ZERO, _ZERO, *zeros, *past])


def product(coefficient: int, past: int, lengths: bytes) -> int:
    """FMULT: a coefficient of 16 bits with an 11-bit float (exponent, 6 bits of mantissa, negative as a whole)."""
    size = coefficient >> 2 if coefficient >= 0 else (3 - coefficient) >> 2 & 8191
    exponent = lengths[size] if size < 256 else 8 + lengths[size >> 8]
    mantissa = size << 6 >> exponent if size else 32
    other = past if past > 0 else -past
    result = (mantissa * (other & 63) + 48 >> 4) << exponent + (other >> 6) >> 19
    return -result if (coefficient < 0) != (past < 0) else result


def short_float(size: int, negative: bool, lengths: bytes) -> int:
    """FLOATA, FLOATB: a size of 15 bits and its sign as an 11-bit float."""
    exponent = lengths[size] if size < 256 else 8 + lengths[size >> 8]
    value = exponent << 6 | (size << 6 >> exponent if size else 32)
    return -value if negative else value


def decode(
    state: array[int], data: bytes, out: array[int], bits: int, big: bool,
    levels: array[int], scales: array[int], speeds: array[int], lengths: bytes,
) -> int:  # fmt: skip
    """Samples of 16 bits into `out`, which has room for `len(data) * 8 // bits`; how many there are.

    `bits` of a sample; `big`: the first sample lies in the highest bits of a byte (AAL2), else in the lowest (RFC
    3551).
    Bits that are left over are dropped. The tables are those of this module.
    """
    yu, yl, dms, dml = state[0], state[1], state[2], state[3]
    ap, td, pk1, pk2 = state[4], state[5], state[6], state[7]
    a1, a2, sr1, sr2 = state[8], state[9], state[10], state[11]
    rows = 1 << bits
    leak = 9 if bits == 5 else 8
    waiting = held = count = 0
    for byte in data:
        waiting = (waiting << 8 | byte) & 0xFFFF if big else waiting | byte << held
        held += 8
        while held >= bits:
            held -= bits
            if big:
                code = waiting >> held & rows - 1
            else:
                code = waiting & rows - 1
                waiting >>= bits
            # ACCUM: what the predictor expects. Sums wrap at 16 bits.
            zeros = 0
            for tap in range(6):
                zeros += product(state[12 + tap], state[18 + tap], lengths)
            poles = zeros + product(a1, sr1, lengths) + product(a2, sr2, lengths)
            sez = (zeros + 0x8000 & 0xFFFF) - 0x8000 >> 1
            se = (poles + 0x8000 & 0xFFFF) - 0x8000 >> 1
            # LIMA, MIX, ADDA, ANTILOG: the difference that the code stands for.
            along = 64 if ap >= 256 else ap >> 2
            apart = yu - (yl >> 6)
            y = (yl >> 6) + (apart * along >> 6 if apart >= 0 else -(-apart * along >> 6))
            level = levels[rows + code] + (y >> 2)
            size = 0 if level < 0 else (128 + (level & 127)) << 7 >> 14 - (level >> 7)
            negative = code >= rows >> 1
            dq = -size if negative else size
            sr = (se + dq + 0x8000 & 0xFFFF) - 0x8000
            # TRANS: from a narrow band (a modem's tone) to something else?
            whole = yl >> 15
            limit = 31 << 10 if whole > 9 else 32 + (yl >> 10 & 31) << whole
            changed = td == 1 and size > limit + (limit >> 1) >> 1
            # FUNCTW, FILTD, LIMB, FILTE; FUNCTF, FILTA, FILTB: scale and speed of the quantiser.
            yu = min(5120, max(544, y + ((scales[rows + code] << 5) - y >> 5)))
            yl += yu + (-yl >> 6)
            speed = speeds[rows + code]
            dms += (speed << 9) - dms >> 5
            dml += (speed << 11) - dml >> 7
            # UPA2, LIMC, UPA1, LIMD, UPB: the predictor follows.
            pk0 = 1 if dq + sez < 0 else 0
            if changed:
                a1 = a2 = td = 0
                ap = 256
                for tap in range(6):
                    state[12 + tap] = 0
            else:
                up1, up2 = -(a1 >> 8), -(a2 >> 7)
                if dq + sez:
                    turn = min(8191, max(-8191, a1)) << 2
                    up1 += 192 if pk0 == pk1 else -192
                    up2 += (16384 if pk0 == pk2 else -16384) + (-turn if pk0 == pk1 else turn) >> 7
                a2 = min(12_288, max(-12_288, a2 + up2))
                a1 = min(15_360 - a2, max(a2 - 15_360, a1 + up1))
                for tap in range(6):
                    zero = state[12 + tap]
                    step = 0 if size == 0 else 128 if negative == (state[18 + tap] < 0) else -128
                    state[12 + tap] = (zero - (zero >> leak) + step + 0x8000 & 0xFFFF) - 0x8000
                # TONE, SUBTC, FILTC
                td = 1 if a2 < -11_776 else 0
                slow = y >= 1536 and td == 0 and abs((dms << 2) - dml) < dml >> 3
                ap += (0 if slow else 512) - ap >> 4
            pk2, pk1 = pk1, pk0
            for tap in range(5, 0, -1):
                state[18 + tap] = state[17 + tap]
            state[18] = short_float(size, negative, lengths)
            sr2, sr1 = sr1, short_float(-sr & 0x7FFF if sr < 0 else sr, sr < 0, lengths)
            out[count] = min(32_767, max(-32_768, sr << 2))
            count += 1
    state[0], state[1], state[2], state[3] = yu, yl, dms, dml
    state[4], state[5], state[6], state[7] = ap, td, pk1, pk2
    state[8], state[9], state[10], state[11] = a1, a2, sr1, sr2
    return count
