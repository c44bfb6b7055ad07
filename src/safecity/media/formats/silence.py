"""AAC that says nothing: for places where a player must have sound and the device sent none."""

from __future__ import annotations

from typing import Final

from safecity.model.values.media import AudioParameters, Codec

_LOW_COMPLEXITY: Final = 2
_FRAMES: Final = {1: bytes.fromhex("00c800802380"), 2: bytes.fromhex("2100499002190023 80")}
"""A raw_data_block of 1,024 zero samples (ISO/IEC 14496-3, 4.4.2.1), by channels."""


def silent_frame(audio: AudioParameters) -> bytes | None:
    """1,024 samples of silence as a sample of this track; None where we know of none."""
    kind = audio.config[0] >> 3 if audio.config else _LOW_COMPLEXITY
    if audio.codec is not Codec.AAC or kind != _LOW_COMPLEXITY:
        return None
    return _FRAMES.get(audio.channels)
