"""From an SDP to the tracks we can carry: codec, clock, parameter sets, depacketiser (RFC 6184, 7798, 3640, 3551)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from safecity.model.values.media import AUDIO, VIDEO, AudioParameters, Codec
from safecity.protocols import aac
from safecity.protocols.rtp_payloads.audio import AacDepacketiser, PlainDepacketiser
from safecity.protocols.rtp_payloads.nal import H264Depacketiser, H265Depacketiser
from safecity.protocols.rtp_payloads.pieces import Depacketiser
from safecity.protocols.rtsp.transport import RtspUrl, control_url
from safecity.protocols.sdp import MediaDescription, RtpMap, SessionDescription

MAX_SETS: Final = 16
_STATIC = {0: RtpMap(0, "PCMU", 8000), 8: RtpMap(8, "PCMA", 8000)}
_CODECS = {
    "h264": Codec.H264,
    "h265": Codec.H265,
    "hevc": Codec.H265,
    "pcma": Codec.PCMA,
    "pcmu": Codec.PCMU,
    "mpeg4-generic": Codec.AAC,
}


@dataclass(frozen=True, slots=True)
class Track:
    """One medium that we take. `kind` is VIDEO or AUDIO; `url` is what SETUP names."""

    kind: int
    codec: Codec
    payload_type: int
    clock_rate: int
    url: str
    parameter_sets: tuple[bytes, ...] = ()
    audio: AudioParameters | None = None
    fmtp: Mapping[str, str] = field(default_factory=dict[str, str])

    def depacketiser(self) -> Depacketiser:
        """A fresh one."""
        if self.codec is Codec.H264:
            return H264Depacketiser()
        if self.codec is Codec.H265:
            return H265Depacketiser(donl=_number(self.fmtp, "sprop-max-don-diff", 0) > 0)
        if self.codec is Codec.AAC:
            return AacDepacketiser(
                size_length=_number(self.fmtp, "sizelength", 13),
                index_length=_number(self.fmtp, "indexlength", 3),
                delta_length=_number(self.fmtp, "indexdeltalength", 3),
            )
        return PlainDepacketiser()


@dataclass(frozen=True, slots=True)
class Offer:
    """What a camera offers: the tracks we take (video first), and the names of codecs we had to leave."""

    tracks: tuple[Track, ...]
    unsupported: tuple[str, ...]
    aggregate: str


def choose_tracks(sdp: SessionDescription, url: RtspUrl, base: str) -> Offer:
    """The first video and the first audio that we can carry."""
    video: Track | None = None
    audio: Track | None = None
    unsupported: list[str] = []
    aggregate = control_url(url, base, sdp.get("control") or "*")
    # Sound marked `sendonly` is the way back to a loudspeaker (ONVIF streaming 5.3), unless the camera marks all so.
    marks_all = all(media.direction == "sendonly" for media in sdp.media if media.kind == "video")
    for media in sdp.media:
        if media.kind not in ("video", "audio") or (video if media.kind == "video" else audio) is not None:
            continue
        if media.kind == "audio" and media.direction == "sendonly" and not marks_all:
            continue
        track, name = _track(media, control_url(url, base or aggregate, media.get("control") or ""))
        if track is None:
            unsupported.append(f"{media.kind}/{name}")
        elif media.kind == "video":
            video = track
        else:
            audio = track
    return Offer(tuple(track for track in (video, audio) if track is not None), tuple(unsupported), aggregate)


def _track(media: MediaDescription, url: str) -> tuple[Track | None, str]:
    """(the track, the name of its codec)."""
    maps = media.rtpmaps
    name = "unknown"
    for payload_type in media.payload_types:
        rtpmap = maps.get(payload_type) or _STATIC.get(payload_type)
        if rtpmap is None:
            continue
        name = rtpmap.encoding[:32]
        codec = _CODECS.get(name.lower())
        wanted = VIDEO if media.kind == "video" else AUDIO
        if codec is None or (codec in (Codec.H264, Codec.H265)) != (wanted == VIDEO):
            continue
        fmtp = media.fmtp(payload_type)
        parameters: AudioParameters | None = None
        if wanted == AUDIO:
            parameters = _audio(codec, rtpmap, fmtp)
            if parameters is None:
                continue
        return (
            Track(
                wanted,
                codec,
                payload_type,
                rtpmap.clock_rate or 90_000,
                url,
                _parameter_sets(codec, fmtp) if wanted == VIDEO else (),
                parameters,
                fmtp,
            ),
            name,
        )
    return None, name


def _parameter_sets(codec: Codec, fmtp: Mapping[str, str]) -> tuple[bytes, ...]:
    names = ("sprop-parameter-sets",) if codec is Codec.H264 else ("sprop-vps", "sprop-sps", "sprop-pps")
    sets: list[bytes] = []
    for name in names:
        for part in fmtp.get(name, "").split(",")[:MAX_SETS]:
            text = part.strip()
            try:
                nal = base64.b64decode(text + "=" * (-len(text) % 4))
            except (binascii.Error, ValueError):
                continue
            nal = nal.removeprefix(b"\0\0\0\1").removeprefix(b"\0\0\1")  # some cameras put start codes in
            if nal:
                sets.append(nal)
    return tuple(sets)


def _audio(codec: Codec, rtpmap: RtpMap, fmtp: Mapping[str, str]) -> AudioParameters | None:
    if codec is not Codec.AAC:
        return AudioParameters(codec, rtpmap.clock_rate, rtpmap.channels)
    if fmtp.get("mode", "AAC-hbr").lower() not in ("aac-hbr", "aac-lbr"):
        return None
    try:
        return aac.parameters_of(bytes.fromhex(fmtp.get("config", "")))
    except ValueError:
        pass
    try:
        return aac.parameters_of(aac.specific_config(2, rtpmap.clock_rate, rtpmap.channels))
    except ValueError:
        return None


def _number(fmtp: Mapping[str, str], name: str, default: int) -> int:
    text = fmtp.get(name, "")
    number = int(text) if text.isascii() and text.isdigit() and len(text) < 6 else default
    limits = {"sizelength": (1, 16), "indexlength": (0, 8), "indexdeltalength": (0, 8)}.get(name)
    return number if limits is None or limits[0] <= number <= limits[1] else default
