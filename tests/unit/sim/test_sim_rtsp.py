"""Simulated RTSP cameras, judged by FFmpeg as the client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor

import av
import pytest

from safecity.model.values.media import Codec
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.encode import VideoSpec
from safecity.sim.rtsp.server import RtspCameras
from safecity.sim.scene.strip import read_clock


def video(codec: Codec) -> VideoSpec:
    return VideoSpec(codec=codec, width=320, height=180, fps=25, kbps=400, gop_seconds=1.0)


@pytest.fixture
def painter() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as pool:
        yield pool


@pytest.fixture
async def cameras(painter: ThreadPoolExecutor) -> AsyncIterator[RtspCameras]:
    made = [
        Camera(CameraSpec(number=number, title="R", main=video(codec), sound=sound, light=1.0), painter)
        for number, codec, sound in ((1, Codec.H264, Codec.AAC), (2, Codec.H265, Codec.PCMA))
    ]
    server = RtspCameras(made, username="viewer", password="se cret")
    await server.start()
    yield server
    await server.close()
    for camera in made:
        await camera.close()


def watch(url: str, transport: str, pictures: int) -> tuple[list[int | None], list[str]]:
    """Clocks of the first pictures, and the codecs of the tracks."""
    options = {"rtsp_transport": transport, "analyzeduration": "500000"}
    with av.open(url, options=options, timeout=10) as opened:
        clocks = []
        for frame in opened.decode(video=0):
            clocks.append(read_clock(frame.to_ndarray(format="rgb24")))
            if len(clocks) == pictures:
                break
        return clocks, [stream.codec_context.name for stream in opened.streams]


@pytest.mark.parametrize("transport", ["tcp", "udp"])
@pytest.mark.parametrize(("path", "codecs"), [("1/main", ["h264", "aac"]), ("2/main", ["hevc", "pcm_alaw"])])
async def test_a_foreign_client_plays_it(cameras: RtspCameras, transport: str, path: str, codecs: list[str]) -> None:
    url = f"rtsp://viewer:se%20cret@127.0.0.1:{cameras.port}/{path}"
    clocks, found = await asyncio.to_thread(watch, url, transport, 12)
    assert found == codecs
    good = [clock for clock in clocks if clock is not None]
    assert len(good) >= 11
    assert good == sorted(good)
    async with asyncio.timeout(60):
        while cameras.viewers:
            await asyncio.sleep(0.01)


async def test_a_wrong_password_sees_nothing(cameras: RtspCameras) -> None:
    with pytest.raises(av.error.HTTPUnauthorizedError):
        await asyncio.to_thread(watch, f"rtsp://viewer:wrong@127.0.0.1:{cameras.port}/1/main", "tcp", 1)
    assert cameras.viewers == 0


async def test_an_unknown_path_is_not_found(cameras: RtspCameras) -> None:
    with pytest.raises(av.error.HTTPNotFoundError):
        await asyncio.to_thread(watch, f"rtsp://viewer:se%20cret@127.0.0.1:{cameras.port}/9/main", "tcp", 1)
