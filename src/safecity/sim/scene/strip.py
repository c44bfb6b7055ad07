"""The machine-readable clock at the bottom edge of every simulated picture.

Geometry, in fractions of the picture, so that it survives any scaling: the strip is the lowest 1/15 of the height,
two rows of 32 equal cells over the whole width, the upper row first, the left cell first. A white cell is 1, a black
cell 0. Read a cell by the mean luma of its middle half, 1 above 128; a mean between 90 and 165 is no strip.

    bits 0-47   wall clock, milliseconds since 1970 UTC, most significant bit first
    bits 48-55  channel number
    bits 56-63  CRC-8 of the seven bytes before (polynomial 0x07, initial value 0xA5)

In a browser: draw the video on a canvas of at least 320 x 180, `getImageData`, and do the same with
`0.299 r + 0.587 g + 0.114 b`. At 352 x 288 a cell is 11 x 9 pixels, which H.264 at surveillance rates keeps apart.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]

COLUMNS = 32
ROWS = 2
HEIGHT_PARTS = 30
"""One row of cells is 1/30 of the picture's height."""
BLACK, WHITE = 16, 235
_EARLIEST_MS, _LATEST_MS = 946_684_800_000, 7_258_118_400_000  # years 2000 and 2200: else it was chance


@dataclass(frozen=True, slots=True)
class Reading:
    """What a strip says: microseconds UTC (whole milliseconds) and the channel number."""

    at_us: int
    channel: int


def crc8(data: bytes) -> int:
    """CRC-8, polynomial 0x07, initial value 0xA5 (zeros must not pass for a reading)."""
    crc = 0xA5
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = ((crc << 1) ^ 0x07) & 0xFF if crc & 0x80 else crc << 1
    return crc


def strip_height(height: int) -> int:
    """Pixels that the strip takes off a picture of this height."""
    return height - _edges(height)[0]


def strip_bits(at_us: int, channel: int) -> list[bool]:
    """The 64 cells."""
    body = (at_us // 1000).to_bytes(6, "big") + bytes([channel & 0xFF])
    value = int.from_bytes(body + bytes([crc8(body)]), "big")
    return [bool(value >> (63 - bit) & 1) for bit in range(64)]


def draw_strip(luma: Picture, at_us: int, channel: int) -> None:
    """Write the strip into a luma plane (height x width, video range)."""
    height, width = luma.shape[:2]
    cells = np.array(strip_bits(at_us, channel), dtype=np.uint8).reshape(ROWS, COLUMNS) * (WHITE - BLACK) + BLACK
    # Every column of pixels belongs to the cell that holds its middle: works for widths that 32 does not divide.
    columns = (np.arange(width, dtype=np.int64) * 2 + 1) * COLUMNS // (2 * width)
    edges = _edges(height)
    for row in range(ROWS):
        luma[edges[row] : edges[row + 1]] = cells[row][columns]


def read_strip(luma: Picture) -> Reading | None:
    """What the strip in a luma plane says; None where there is none."""
    height, width = luma.shape[:2]
    if width < 4 * COLUMNS or height < 4 * HEIGHT_PARTS // 2:
        return None
    value = 0
    for row in range(ROWS):
        top, bottom = (height * (HEIGHT_PARTS - ROWS + row + part) / HEIGHT_PARTS for part in (0.25, 0.75))
        band = luma[round(top) : max(round(bottom), round(top) + 1)].mean(axis=0)
        for column in range(COLUMNS):
            left, right = (width * (column + part) / COLUMNS for part in (0.25, 0.75))
            mean = float(band[round(left) : max(round(right), round(left) + 1)].mean())
            if 90 < mean < 165:
                return None
            value = value << 1 | (mean > 128)
    raw = value.to_bytes(8, "big")
    milliseconds = int.from_bytes(raw[:6], "big")
    if crc8(raw[:7]) != raw[7] or not _EARLIEST_MS <= milliseconds < _LATEST_MS:
        return None
    return Reading(milliseconds * 1000, raw[6])


def read_clock(rgb: Picture) -> int | None:
    """Microseconds UTC read from an RGB picture (height x width x 3 or 4), None where no clock is to be seen."""
    luma = rgb[..., 0] * np.float32(0.299) + rgb[..., 1] * np.float32(0.587) + rgb[..., 2] * np.float32(0.114)
    reading = read_strip(luma.astype(np.uint8))
    return None if reading is None else reading.at_us


def _edges(height: int) -> tuple[int, int, int]:
    upper, middle = (round(height * (HEIGHT_PARTS - ROWS + row) / HEIGHT_PARTS) for row in range(ROWS))
    return upper, middle, height
