"""Whole devices as makers sold them: which channels with which video."""

from __future__ import annotations

from concurrent.futures import Executor
from typing import Final

from safecity.model.values.media import Codec
from safecity.sim.camera import Camera, CameraSpec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.state import Channel

_MPEG4_CIF: Final = VideoSpec(codec=Codec.MPEG4, width=352, height=288, fps=12, kbps=400, gop_seconds=4.0)
_H264_CIF: Final = VideoSpec(width=352, height=288, fps=12, kbps=300, gop_seconds=4.0)
_H264_D1: Final = VideoSpec(width=704, height=576, fps=12, kbps=900, gop_seconds=4.0)


def dvr_2011_channels(code: str, painter: Executor) -> list[Channel]:
    """The sixteen analogue inputs of a recorder of 2011: eight in MPEG-4, four in H.264 CIF, four in D1; G.711A.

    Their codes are of type 131 beneath the recorder's own; no sub streams, pictures 4 s of GOP apart.
    """
    videos = [_MPEG4_CIF] * 8 + [_H264_CIF] * 4 + [_H264_D1] * 4
    serial = int(code[13:]) % 100_000
    return [
        Channel(
            code=f"{code[:10]}131{serial * 100 + number:07d}",
            name=f"通道{number}",
            camera=Camera(
                CameraSpec(
                    number=number, title=f"CH {number:02d}", main=video, sub=None, sound=Codec.PCMA, seed=1000 + number,
                    fixed=number != 1,
                ),
                painter,
            ),
        )
        for number, video in enumerate(videos, start=1)
    ]  # fmt: skip
