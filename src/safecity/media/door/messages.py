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
SOUND_INIT: Final = 6
SOUND_FRAGMENT: Final = 7

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


def init_messages(
    parameters: Sequence[CodecParameters], wall_us: int, media_90k: int, quality: str, *, apart: bool = False
) -> bytes:
    """The text `init` and the init segment of a run, in one piece. InvalidError when they cannot be told.

    With `apart`, AAC is no track beside the picture but an MP4 of its own, so that no picture waits for sound.
    """
    video = next((one for one in parameters if isinstance(one, VideoParameters)), None)
    audio = next((one for one in parameters if isinstance(one, AudioParameters)), None)
    inside = [one for one in parameters if one.codec in _IN_MP4]
    voice: Sequence[CodecParameters] = ()
    if apart and audio is not None and audio.codec is Codec.AAC:
        voice, inside = [audio], [one for one in inside if one is not audio]
    fields: dict[str, Any] = {
        "type": "init",
        "mime": mime_codecs(inside) if inside else "",
        "codec": str(video.codec) if video else "",
        "width": video.width if video else 0,
        "height": video.height if video else 0,
        "audio": _audio_fields(audio, voice),
        "quality": quality,
    }
    whole = text(fields)
    if inside:
        whole += binary(INIT, wall_us, media_90k, [init_segment(inside)])
    if voice:
        whole += binary(SOUND_INIT, wall_us, media_90k, [init_segment(voice)])
    return whole


def _audio_fields(audio: AudioParameters | None, voice: Sequence[CodecParameters]) -> dict[str, Any] | None:
    """What the browser must know of the sound; `mime` only where it comes apart, as kinds 6 and 7."""
    if audio is None:
        return None
    fields: dict[str, Any] = {
        "codec": str(audio.codec),
        "sample_rate": audio.sample_rate,
        "channels": audio.channels,
    }
    return {**fields, "mime": mime_codecs(voice)} if voice else fields


def is_raw(parameters: CodecParameters) -> bool:
    """Sound that travels beside the MP4."""
    return parameters.codec in (Codec.PCMA, Codec.PCMU)
