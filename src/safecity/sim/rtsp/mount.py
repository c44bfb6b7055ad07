"""A stream of a simulated camera as something an RTSP client can play."""

from __future__ import annotations

import base64
import secrets
from typing import Final

from safecity.kit.clock import SECOND_US
from safecity.links.rtsp_server import Viewer
from safecity.model.values.media import CLOCK_HZ, Codec, Quality
from safecity.protocols import aac
from safecity.protocols.nalbits import split_annex_b
from safecity.protocols.rtp.packets import RtpPacket, write
from safecity.protocols.rtp.rtcp import sender_report
from safecity.protocols.rtp_payloads.writing import Payloads, write_aac, write_h264, write_h265
from safecity.protocols.sdp import MediaDescription, SessionDescription
from safecity.sim.camera import Camera
from safecity.sim.encode import Coded, VideoEncoder

VIDEO_TRACK, SOUND_TRACK = 0, 1
_VIDEO_TYPE, _AAC_TYPE = 96, 97
_NAMES: Final = {Codec.H264: "H264", Codec.H265: "H265"}
_NTP_EPOCH = 2_208_988_800
_REPORT_EVERY_US = 5 * SECOND_US
_PARAMETER_TYPES: Final = {Codec.H264: (7, 8), Codec.H265: (32, 33, 34)}


class CameraMount:
    """One quality of one camera, for any number of viewers. The clock of audio runs at its sampling rate."""

    def __init__(self, camera: Camera, quality: Quality) -> None:
        self._camera = camera
        self._quality = quality
        self._video = camera.video(quality)
        if self._video.codec not in _NAMES:
            raise ValueError(f"no RTP payload for {self._video.codec}")
        self._sets = _parameter_sets(camera, quality)
        self._sinks: dict[Viewer, _Sink] = {}

    @property
    def viewers(self) -> int:
        """How many play it now."""
        return len(self._sinks)

    def describe(self) -> SessionDescription:
        """Video, and audio where the camera hears."""
        media = [self._video_section()]
        sound = self._camera.spec.sound
        if sound is Codec.AAC:
            config = aac.specific_config(2, 16_000, 1).hex().upper()
            fmtp = f"{_AAC_TYPE} streamtype=5;profile-level-id=1;mode=AAC-hbr;sizelength=13;indexlength=3;"
            fmtp += f"indexdeltalength=3;config={config}"
            maps = (("rtpmap", f"{_AAC_TYPE} MPEG4-GENERIC/16000/1"), ("fmtp", fmtp))
            media.append(_section("audio", _AAC_TYPE, maps, SOUND_TRACK))
        elif sound is not None:
            name, number = ("PCMA", 8) if sound is Codec.PCMA else ("PCMU", 0)
            media.append(_section("audio", number, (("rtpmap", f"{number} {name}/8000"),), SOUND_TRACK))
        return SessionDescription(
            media=tuple(media), name=self._camera.spec.title or "Camera", owner="-",
            attributes=(("control", "*"), ("range", "npt=now-")),
        )  # fmt: skip

    def _video_section(self) -> MediaDescription:
        texts = [base64.b64encode(each).decode() for each in self._sets]
        if self._video.codec is Codec.H264:
            level = self._sets[0][1:4].hex().upper()
            fmtp = f"{_VIDEO_TYPE} packetization-mode=1;profile-level-id={level};sprop-parameter-sets={','.join(texts)}"
        else:
            fmtp = f"{_VIDEO_TYPE} sprop-vps={texts[0]};sprop-sps={texts[1]};sprop-pps={texts[2]}"
        maps = (("rtpmap", f"{_VIDEO_TYPE} {_NAMES[self._video.codec]}/90000"), ("fmtp", fmtp))
        return _section("video", _VIDEO_TYPE, maps, VIDEO_TRACK)

    def attach(self, viewer: Viewer) -> None:
        """Begin to send, from a key frame on."""
        sink = self._sinks[viewer] = _Sink(self._camera, self._video.codec, viewer)
        self._camera.live(self._quality).attach(sink.take)

    def detach(self, viewer: Viewer) -> None:
        """Stop sending."""
        sink = self._sinks.pop(viewer, None)
        if sink is not None:
            self._camera.live(self._quality).detach(sink.take)


def _section(kind: str, number: int, maps: tuple[tuple[str, str], ...], track: int) -> MediaDescription:
    return MediaDescription(kind, 0, "RTP/AVP", (str(number),), attributes=(*maps, ("control", f"trackID={track}")))


def _parameter_sets(camera: Camera, quality: Quality) -> tuple[bytes, ...]:
    """From one picture coded for this alone: an SDP is asked before anything flows."""
    video = camera.video(quality)
    at_us = camera.clock.now_us()
    coded = VideoEncoder(video).encode(camera.past().render(at_us, video.width, video.height), at_us, key=True)
    assert coded is not None
    hevc = video.codec is Codec.H265
    found = {(nal[0] >> 1 & 63 if hevc else nal[0] & 31): nal for nal in split_annex_b(coded.data) if nal}
    return tuple(found[kind] for kind in _PARAMETER_TYPES[video.codec])


class _Track:
    """Sequence, time base and counters of one track of one viewer."""

    def __init__(self, number: int, payload_type: int, clock_hz: int) -> None:
        self.number, self.payload_type, self.clock_hz = number, payload_type, clock_hz
        self.ssrc = secrets.randbits(32)
        self.sequence = secrets.randbits(16)
        self.packets = self.octets = 0
        self.reported_us = 0

    def stamp(self, at_us: int) -> int:
        return at_us * self.clock_hz // SECOND_US & 0xFFFFFFFF


class _Sink:
    """Coded units into RTP packets of one viewer."""

    def __init__(self, camera: Camera, codec: Codec, viewer: Viewer) -> None:
        self._viewer = viewer
        self._codec = codec
        self._sound = camera.spec.sound
        self._tracks = {True: _Track(VIDEO_TRACK, _VIDEO_TYPE, CLOCK_HZ)}
        if self._sound is not None:
            number = {Codec.PCMA: 8, Codec.PCMU: 0}.get(self._sound, _AAC_TYPE)
            self._tracks[False] = _Track(SOUND_TRACK, number, 16_000 if self._sound is Codec.AAC else 8_000)

    def take(self, unit: Coded) -> None:
        """Send one unit."""
        track = self._tracks.get(unit.is_video)
        if track is None or not self._viewer.wants(track.number):
            return
        stamp = track.stamp(unit.at_us)
        if unit.at_us - track.reported_us > _REPORT_EVERY_US:
            track.reported_us = unit.at_us
            ntp = (unit.at_us // SECOND_US + _NTP_EPOCH << 32) | (unit.at_us % SECOND_US << 32) // SECOND_US
            report = sender_report(track.ssrc, ntp, stamp, track.packets, track.octets)
            self._viewer.send(track.number, report, control=True)
        for payload, marker in self._payloads(unit):
            packet = RtpPacket(track.payload_type, marker, track.sequence, stamp, track.ssrc, payload)
            self._viewer.send(track.number, write(packet))
            track.sequence = (track.sequence + 1) & 0xFFFF
            track.packets += 1
            track.octets += len(payload)

    def _payloads(self, unit: Coded) -> Payloads:
        if not unit.is_video:
            # ADTS belongs to streams without an SDP; here the configuration stands there.
            return write_aac([unit.data[7:]]) if self._sound is Codec.AAC else [(unit.data, False)]
        nals = split_annex_b(unit.data)
        return write_h264(nals) if self._codec is Codec.H264 else write_h265(nals)
