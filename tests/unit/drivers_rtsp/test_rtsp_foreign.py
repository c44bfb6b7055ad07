"""The puller against cameras that share no code with it, each with the habits of some maker."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from safecity.drivers.rtsp.backoff import Backoff
from safecity.drivers.rtsp.driver import Patience, RtspPull
from safecity.kit.clock import SystemClock
from safecity.model.facts.media_calls import RtspSource
from safecity.model.values.media import AUDIO, VIDEO, Quality, StreamKey, Unit

sys.path.insert(0, str(Path(__file__).parent))
import itertools

from foreign_camera import AUDIO as SOUND
from foreign_camera import HEAD, METADATA, ForeignCamera, Habits, foreign, h265
from foreign_camera import VIDEO as PICTURES

PATIENT = Patience(packet=5, picture=8, silence=5, start=8, report=0.05, tick=0.02)
BACKCHANNEL = "m=audio 0 RTP/AVP 0\r\na=control:track9\r\na=rtpmap:0 PCMU/8000\r\na=sendonly\r\n"
HEVC = "m=video 0 RTP/AVP 96\r\na=control:track1\r\na=rtpmap:96 H265/90000\r\n"
AAC = "m=audio 0 RTP/AVP 97\r\na=control:track2\r\na=rtpmap:97 MPEG4-GENERIC/16000/1\r\na=fmtp:97 streamtype=5;"
HBR = AAC + " profile-level-id=15; mode=AAC-hbr; SizeLength=13;IndexLength=3; indexDeltaLength=3"
TWO_FRAMES = bytes.fromhex("0020 0280 0140") + b"\x21" * 80 + b"\x22" * 40
G726 = "m=audio 0 RTP/AVP 97\r\na=control:track8\r\na=rtpmap:97 G726-32/8000\r\n"
DIGEST = 'Digest realm="IP Camera(12345)", nonce="{nonce}"'


async def watched(habits: Habits, *, sound: bool = True, url: Callable[[str], str] = str) -> ForeignCamera:
    """Pull until there are pictures (and sound)."""
    units: list[Unit] = []
    states: list[tuple[str, str]] = []
    async with foreign(habits) as camera:
        pull = RtspPull(
            RtspSource(url(camera.url), "admin", "pass:word", "tcp"), StreamKey("ch_1", Quality.MAIN), units.append,
            lambda state, step, params: states.append((state, step)), SystemClock(), patience=PATIENT,
            backoff=Backoff(lambda: 0.5, first=0.02, last=0.1),
        )  # fmt: skip
        task = asyncio.create_task(pull.run())
        try:
            async with asyncio.timeout(60):
                while (
                    len({unit.track for unit in units}) < 1 + sound or sum(unit.track == VIDEO for unit in units) < 25
                ):
                    assert states[1:] in ([], [("running", "")]), (states, camera.asked)
                    await asyncio.sleep(0.005)
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        pictures = [unit for unit in units if unit.track == VIDEO]
        assert pictures[0].is_key
        assert [late.dts - early.dts for early, late in itertools.pairwise(pictures)].count(3600) > 15
        assert not any(unit.damaged for unit in pictures)
        assert sound == any(unit.track == AUDIO for unit in units)
    return camera


HABITS = {
    "ordinary": Habits(),
    "no content base": Habits(base=""),
    "content base of a private address": Habits(base="Content-Base: rtsp://192.168.1.64:554/cam/1?subtype=0/\r\n"),
    "content location": Habits(base="Content-Location: {url}\r\n"),
    "absolute controls": Habits(sdp=HEAD + (PICTURES + SOUND).replace("control:", "control:{url}/"), base=""),
    "absolute controls elsewhere": Habits(
        sdp=HEAD + PICTURES.replace("control:", "control:rtsp://10.0.0.7/v/") + SOUND.replace("control:", "control:rtsp://10.0.0.7:8554/a/"),
        tracks=("rtsp://127.0.0.1:{port}/v/track1", "rtsp://127.0.0.1:{port}/a/track2"),
    ),
    "star of the session": Habits(sdp=HEAD + "a=control:*\r\na=range:npt=0-\r\n" + PICTURES + SOUND),
    "control of the session": Habits(sdp=HEAD + "a=control:{url}/\r\n" + PICTURES + SOUND, base=""),
    "one track without control": Habits(sdp=HEAD + PICTURES.replace("a=control:track1\r\n", ""), tracks=("{url}/",)),
    "options refused": Habits(options_status=405),
    "options not implemented": Habits(options_status=501, public=""),
    "ping promised": Habits(public="Public: OPTIONS, DESCRIBE, SETUP, PLAY, GET_PARAMETER\r\n"),
    "no time-out": Habits(session="Session: 00004711\r\n"),
    "other channels": Habits(channels=(6, 4)),
    "one channel named": Habits(transport="Transport: RTP/AVP/TCP;unicast;interleaved={a}\r\n"),
    "transport not said": Habits(transport=""),
    "media before the answer": Habits(early=True),
    "no marker": Habits(marker=False),
    "in morsels": Habits(chunk=11),
    "bare line feeds": Habits(line_end="\n"),
    "cseq in lower case": Habits(cseq_name="cseq"),
    "no cseq": Habits(cseq_name=""),
    "teardown not answered": Habits(answers_teardown=False),
    "digest without qop": Habits(challenges=(DIGEST,)),
    "digest at options already": Habits(challenges=(DIGEST,), options_status=401),
    "digest with qop": Habits(challenges=(DIGEST + ', qop="auth"',)),
    "digest with two qops": Habits(challenges=(DIGEST + ', qop="auth,auth-int", algorithm="MD5", stale="FALSE"',)),
    "digest with opaque": Habits(challenges=(DIGEST + ', opaque="", algorithm=MD5',)),
    "realm with quotes and a comma": Habits(challenges=('Digest realm="Cam, \\"east\\"", nonce="{nonce}"',)),
    "sha-256 and md5": Habits(challenges=(DIGEST + ", algorithm=SHA-256", DIGEST + ", algorithm=MD5")),
    "basic": Habits(challenges=('Basic realm="/"',)),
    "basic before digest": Habits(challenges=('Basic realm="/"', DIGEST)),
    "a nonce for each request": Habits(challenges=(DIGEST,), nonce_each_time=True),
    "metadata of onvif": Habits(sdp=HEAD + PICTURES + SOUND + METADATA),
    "metadata first": Habits(sdp=HEAD + METADATA + PICTURES + SOUND),
    "unknown sound first": Habits(sdp=HEAD + PICTURES + G726 + SOUND),
    "back channel first": Habits(sdp=HEAD + PICTURES + BACKCHANNEL + SOUND),
    "everything is sendonly": Habits(sdp=HEAD + PICTURES + "a=sendonly\r\n" + SOUND + "a=sendonly\r\n"),
    "everything is recvonly": Habits(sdp=HEAD + PICTURES + "a=recvonly\r\n" + SOUND + "a=recvonly\r\n"),
    "h.265 without order numbers": Habits(sdp=HEAD + HEVC + SOUND, pictures=h265),
    "h.265 under its other name": Habits(sdp=HEAD + HEVC.replace("H265", "hevc"), pictures=h265),
    "aac with its configuration": Habits(sdp=HEAD + PICTURES + HBR + ";config=1408\r\n", sound=(97, TWO_FRAMES, 2048)),
    "aac without configuration": Habits(sdp=HEAD + PICTURES + HBR + "\r\n", sound=(97, TWO_FRAMES, 2048)),
    "aac with a broken configuration": Habits(
        sdp=HEAD + PICTURES + HBR + "; config=xyz;\r\n", sound=(97, TWO_FRAMES, 2048)
    ),
    "one payload type for all": Habits(
        sdp=HEAD + PICTURES + HBR.replace("97", "96") + ";config=1408\r\n", sound=(96, TWO_FRAMES, 2048)
    ),
    "two sounds": Habits(
        sdp=HEAD + PICTURES + HBR + ";config=1408\r\n" + SOUND.replace("track2", "track5"), sound=(97, TWO_FRAMES, 2048)
    ),
    "no sound at all": Habits(sdp=HEAD + PICTURES),
    "sound refused": Habits(setup_status={1: 461}),
    "sound not found": Habits(tracks=("{url}/track1",)),
}  # fmt: skip
SILENT = (
    "one track without control",
    "h.265 under its other name",
    "no sound at all",
    "sound refused",
    "sound not found",
)


@pytest.mark.parametrize("name", HABITS)
async def test_a_camera_is_played_whatever_its_habits(name: str) -> None:
    camera = await watched(HABITS[name], sound=name not in SILENT)
    async with asyncio.timeout(60):
        await camera.gone.wait()  # let go of, with a TEARDOWN where what lay unread has not cut it off
