"""The messages of the media port (docs/design/contracts.md, "Media over WebSocket"), as whole WebSocket frames."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any, Final

import msgspec

from safecity.media.formats.fmp4 import init_segment, mime_codecs
from safecity.model.values.media import AudioParameters, Codec, CodecParameters, VideoParameters
from safecity.protocols.websocket import BINARY, TEXT, frame_head

INIT: Final = 1
KEY_FRAGMENT: Final = 2
FRAGMENT: Final = 3
RAW_AUDIO: Final = 4
PICTURE: Final = 5

_HEAD = struct.Struct(">BQQ")
HEAD_BYTES: Final = _HEAD.size
_encoder = msgspec.json.Encoder()
_IN_MP4 = (Codec.H264, Codec.H265, Codec.AAC)


def text(fields: Mapping[str, Any]) -> bytes:
    """A JSON message."""
    content = _encoder.encode(fields)
    return frame_head(TEXT, len(content)) + content


def binary(kind: int, wall_us: int, media_90k: int, parts: Sequence[bytes]) -> bytes:
    """A binary message with its 17-byte head; the parts are joined once, here."""
    size = HEAD_BYTES + sum(map(len, parts))
    return b"".join((frame_head(BINARY, size), _HEAD.pack(kind, wall_us, media_90k), *parts))


def init_messages(parameters: Sequence[CodecParameters], wall_us: int, media_90k: int, quality: str) -> bytes:
    """The text `init` and the init segment of a run, in one piece. InvalidError when they cannot be told."""
    video = next((one for one in parameters if isinstance(one, VideoParameters)), None)
    audio = next((one for one in parameters if isinstance(one, AudioParameters)), None)
    inside = [one for one in parameters if one.codec in _IN_MP4]
    fields: dict[str, Any] = {
        "type": "init",
        "mime": mime_codecs(inside) if inside else "",
        "codec": str(video.codec) if video else "",
        "width": video.width if video else 0,
        "height": video.height if video else 0,
        "audio": audio_fields(audio),
        "quality": quality,
    }
    whole = text(fields)
    return whole + binary(INIT, wall_us, media_90k, [init_segment(inside)]) if inside else whole


def audio_fields(audio: AudioParameters | None) -> dict[str, Any] | None:
    """What the browser must know of the sound: AAC is inside the fragments, G.711 comes as messages of kind 4."""
    if audio is None:
        return None
    return {"codec": str(audio.codec), "sample_rate": audio.sample_rate, "channels": audio.channels}


def is_raw(parameters: CodecParameters) -> bool:
    """Sound that travels beside the MP4."""
    return parameters.codec in (Codec.PCMA, Codec.PCMU)
