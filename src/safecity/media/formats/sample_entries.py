"""Sample entries of ISO BMFF (ISO/IEC 14496-12, 14496-14, 14496-15): what a player must know before the first sample.

Parameter sets are kept out of band (`avc1`, `hvc1`), because Safari plays nothing else.
"""

from __future__ import annotations

import struct

from safecity.kit.errors import InvalidError
from safecity.media.formats.bits import BitReader, unescape
from safecity.model.values.media import AudioParameters, Codec, CodecParameters, VideoParameters

_MATRIXLESS = b"\x00" * 6 + b"\x00\x01"
_H264_WITH_CHROMA = frozenset({100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135, 144})


def box(kind: bytes, *parts: bytes) -> bytes:
    """A box: 32-bit size, type, content."""
    content = b"".join(parts)
    return struct.pack(">I4s", len(content) + 8, kind) + content


def full_box(kind: bytes, version: int, flags: int, *parts: bytes) -> bytes:
    """A box with version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags), *parts)


def sample_entry(parameters: CodecParameters) -> bytes:
    """The one entry of a track's `stsd`; InvalidError (`bad_parameter_set`) when the parameter sets are broken."""
    if isinstance(parameters, AudioParameters):
        return _audio_entry(parameters)
    match parameters.codec:
        case Codec.H264:
            return _visual_entry(b"avc1", parameters, box(b"avcC", avc_configuration(parameters.parameter_sets)))
        case Codec.H265:
            return _visual_entry(b"hvc1", parameters, box(b"hvcC", hevc_configuration(parameters.parameter_sets)))
        case Codec.MPEG4:
            config = b"".join(parameters.parameter_sets)
            return _visual_entry(b"mp4v", parameters, _esds(0x20, 0x04, config))
        case other:
            raise InvalidError(f"no video: {other}", code="bad_parameter_set")


def codec_string(parameters: CodecParameters) -> str:
    """RFC 6381, as the parameters say it or, where they do not, from the parameter sets."""
    if parameters.codec_string:
        return parameters.codec_string
    match parameters.codec:
        case Codec.H264:
            sps = _first(parameters, 7, h265=False)
            return f"avc1.{sps[1:4].hex()}"
        case Codec.H265:
            return _hevc_string(_first(parameters, 33, h265=True))
        case Codec.MPEG4:
            return "mp4v.20.9"
        case Codec.AAC:
            config = parameters.config if isinstance(parameters, AudioParameters) else b""
            kind = config[0] >> 3 if config else 2
            return f"mp4a.40.{kind}"
        case Codec.PCMA:
            return "alaw"
        case Codec.PCMU:
            return "ulaw"


def avc_configuration(sets: tuple[bytes, ...]) -> bytes:
    """AVCDecoderConfigurationRecord (ISO/IEC 14496-15, 5.3.3.1)."""
    sps = [nal for nal in sets if nal and nal[0] & 31 == 7][:31]
    pps = [nal for nal in sets if nal and nal[0] & 31 == 8][:255]
    if not sps or not pps or len(sps[0]) < 4 or max(map(len, sets)) > 0xFFFF:
        raise InvalidError("H.264 without SPS or PPS", code="bad_parameter_set")
    profile, compatibility, level = sps[0][1:4]
    record = [bytes((1, profile, compatibility, level, 0xFF, 0xE0 | len(sps)))]
    record += [struct.pack(">H", len(nal)) + nal for nal in sps]
    record.append(bytes((len(pps),)))
    record += [struct.pack(">H", len(nal)) + nal for nal in pps]
    if profile in _H264_WITH_CHROMA:
        bits = BitReader(unescape(sps[0][:64])[4:])
        bits.ue()  # seq_parameter_set_id
        chroma = bits.ue()
        if chroma == 3:
            bits.u(1)
        luma_depth, chroma_depth = bits.ue(), bits.ue()
        record.append(bytes((0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7, 0)))
    return b"".join(record)


def hevc_configuration(sets: tuple[bytes, ...]) -> bytes:
    """HEVCDecoderConfigurationRecord (ISO/IEC 14496-15, 8.3.3.1)."""
    kinds = {kind: [nal for nal in sets if len(nal) > 2 and nal[0] >> 1 & 63 == kind] for kind in (32, 33, 34)}
    if not all(kinds.values()) or max(map(len, sets)) > 0xFFFF:
        raise InvalidError("H.265 without VPS, SPS or PPS", code="bad_parameter_set")
    raw = unescape(kinds[33][0][:256])
    if len(raw) < 15:
        raise InvalidError("SPS too short", code="bad_parameter_set")
    layers, nested, general = (raw[2] >> 1 & 7) + 1, raw[2] & 1, raw[3:15]
    chroma, luma_depth, chroma_depth = _hevc_chroma(raw, layers)
    record = [
        bytes((1,)) + general,
        # No spatial segmentation, unknown parallelism, no average frame rate told.
        struct.pack(">HBBBBH", 0xF000, 0xFC, 0xFC | chroma & 3, 0xF8 | luma_depth & 7, 0xF8 | chroma_depth & 7, 0),
        bytes((layers << 3 | nested << 2 | 3, 3)),
    ]
    for kind, nals in kinds.items():
        record.append(struct.pack(">BH", 0x80 | kind, len(nals)))
        record += [struct.pack(">H", len(nal)) + nal for nal in nals]
    return b"".join(record)


def _hevc_chroma(sps: bytes, layers: int) -> tuple[int, int, int]:
    """chroma_format_idc and both bit depths minus 8 (ITU-T H.265, 7.3.2.2)."""
    bits = BitReader(sps[15:])
    if layers > 1:
        present = [(bits.u(1), bits.u(1)) for _ in range(layers - 1)]
        bits.u(2 * (8 - (layers - 1)))
        for profile, level in present:
            bits.u(88 * profile + 8 * level)
    bits.ue()
    chroma = bits.ue()
    if chroma == 3:
        bits.u(1)
    bits.ue()
    bits.ue()
    if bits.u(1):
        for _ in range(4):
            bits.ue()
    return chroma, bits.ue(), bits.ue()


def _hevc_string(sps: bytes) -> str:
    """ISO/IEC 14496-15, annex E."""
    raw = unescape(sps[:64])
    if len(raw) < 15:
        raise InvalidError("SPS too short", code="bad_parameter_set")
    space = ("", "A", "B", "C")[raw[3] >> 6]
    compatibility = int(f"{int.from_bytes(raw[4:8], 'big'):032b}"[::-1], 2)
    tier = "H" if raw[3] >> 5 & 1 else "L"
    constraints = ".".join(f"{byte:X}" for byte in raw[8:14].rstrip(b"\0"))
    text = f"hvc1.{space}{raw[3] & 31}.{compatibility:X}.{tier}{raw[14]}"
    return f"{text}.{constraints}" if constraints else text


def _first(parameters: CodecParameters, kind: int, *, h265: bool) -> bytes:
    sets = parameters.parameter_sets if isinstance(parameters, VideoParameters) else ()
    for nal in sets:
        if len(nal) > 4 and (nal[0] >> 1 & 63 if h265 else nal[0] & 31) == kind:
            return nal
    raise InvalidError("no SPS", code="bad_parameter_set")


def _visual_entry(kind: bytes, parameters: VideoParameters, configuration: bytes) -> bytes:
    size = struct.pack(">HH", parameters.width & 0xFFFF, parameters.height & 0xFFFF)
    resolution = b"\x00\x48\x00\x00" * 2
    return box(
        kind,
        _MATRIXLESS,
        bytes(16),
        size,
        resolution,
        bytes(4),
        b"\x00\x01",
        bytes(32),
        b"\x00\x18\xff\xff",
        configuration,
    )


def _audio_entry(parameters: AudioParameters) -> bytes:
    kinds = {Codec.AAC: b"mp4a", Codec.PCMA: b"alaw", Codec.PCMU: b"ulaw"}
    kind = kinds.get(parameters.codec)
    if kind is None:
        raise InvalidError(f"no audio: {parameters.codec}", code="bad_parameter_set")
    rate = parameters.sample_rate if parameters.sample_rate <= 0xFFFF else 0
    body = bytes(8) + struct.pack(">HHIHH", parameters.channels, 16, 0, rate, 0)
    configuration = _esds(0x40, 0x05, parameters.config) if parameters.codec is Codec.AAC else b""
    return box(kind, _MATRIXLESS, body, configuration)


def _esds(object_type: int, stream_type: int, config: bytes) -> bytes:
    """Elementary stream descriptor (ISO/IEC 14496-14, 5.6)."""
    specific = _descriptor(5, config)
    decoder = _descriptor(4, bytes((object_type, stream_type << 2 | 1)) + bytes(11) + specific)
    return full_box(b"esds", 0, 0, _descriptor(3, b"\x00\x00\x00" + decoder + _descriptor(6, b"\x02")))


def _descriptor(tag: int, content: bytes) -> bytes:
    size = len(content)
    # Always four length bytes, the form every player has seen.
    return bytes((tag, 0x80 | size >> 21 & 127, 0x80 | size >> 14 & 127, 0x80 | size >> 7 & 127, size & 127)) + content
