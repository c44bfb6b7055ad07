"""AAC as cameras send it: ADTS frames (ISO/IEC 13818-7 6.2) to raw frames and an AudioSpecificConfig."""

from __future__ import annotations

from safecity.model.values.media import AudioParameters, Codec

SAMPLE_RATES = (96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025, 8_000, 7_350)
SAMPLES_PER_FRAME = 1024


def specific_config(object_type: int, sample_rate: int, channels: int) -> bytes:
    """AudioSpecificConfig of two bytes (ISO/IEC 14496-3 1.6.2.1); ValueError for a rate outside the table."""
    index = SAMPLE_RATES.index(sample_rate)
    return ((object_type << 11) | (index << 7) | (channels << 3)).to_bytes(2, "big")


def parameters_of(config: bytes) -> AudioParameters:
    """An AudioSpecificConfig -> parameters; ValueError for one we cannot read."""
    if len(config) < 2:
        raise ValueError("AudioSpecificConfig too short")
    bits = int.from_bytes(config[:5].ljust(5, b"\0"), "big")
    object_type = bits >> 35
    index = (bits >> 31) & 15
    if index == 15:
        sample_rate, channels = (bits >> 7) & 0xFFFFFF, (bits >> 3) & 15
    elif index < len(SAMPLE_RATES):
        sample_rate, channels = SAMPLE_RATES[index], (bits >> 27) & 15
    else:
        raise ValueError("sample rate index reserved")
    if not 0 < object_type < 31 or not 4_000 <= sample_rate <= 192_000 or not 0 < channels <= 8:
        raise ValueError("AudioSpecificConfig out of range")
    return AudioParameters(Codec.AAC, sample_rate, channels, config, f"mp4a.40.{object_type}")


def read_adts(data: bytes, at: int = 0) -> tuple[bytes, int, bytes] | None:
    """(raw frame, where the next begins, AudioSpecificConfig) of the ADTS frame at `at`; None when there is none whole.

    Frames with several raw data blocks are refused (None): no camera sends them.
    """
    if len(data) - at < 7 or data[at] != 0xFF or data[at + 1] & 0xF6 != 0xF0:
        return None
    size = (data[at + 3] & 3) << 11 | data[at + 4] << 3 | data[at + 5] >> 5
    head = 7 if data[at + 1] & 1 else 9
    index = (data[at + 2] >> 2) & 15
    channels = (data[at + 2] & 1) << 2 | data[at + 3] >> 6
    if size <= head or size > len(data) - at or index >= len(SAMPLE_RATES) or data[at + 6] & 3:
        return None
    config = specific_config((data[at + 2] >> 6) + 1, SAMPLE_RATES[index], channels or 1)
    return data[at + head : at + size], at + size, config


def write_adts(frame: bytes, parameters: AudioParameters) -> bytes:
    """A raw frame behind a 7-byte ADTS head."""
    object_type = parameters.config[0] >> 3 if parameters.config else 2
    index = SAMPLE_RATES.index(parameters.sample_rate)
    size = len(frame) + 7
    if size > 0x1FFF:
        raise ValueError("AAC frame too long for ADTS")
    channels = parameters.channels
    head = bytes(
        (
            0xFF,
            0xF1,
            ((object_type - 1) & 3) << 6 | index << 2 | channels >> 2,
            (channels & 3) << 6 | size >> 11,
            (size >> 3) & 255,
            (size & 7) << 5 | 0x1F,
            0xFC,
        )
    )
    return head + frame
