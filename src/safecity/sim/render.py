"""A rendered clip with its ground truth beside it, for evaluation: `clip.mp4` and `clip.jsonl`, a line per picture."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import msgspec

from safecity.kit.clock import SECOND_US
from safecity.model.values.media import Codec
from safecity.sim.scene.street import Street

_NAMES = {Codec.H264: "libx264", Codec.H265: "libx265", Codec.MPEG4: "mpeg4"}


@dataclass(frozen=True, kw_only=True, slots=True)
class RenderOptions:
    """`light` 0.3 is night, 1 is day, None follows the clock; `start_us` is the clock in the first picture."""

    width: int = 1280
    height: int = 720
    fps: int = 15
    kbps: int = 3000
    seconds: float = 20.0
    seed: int = 1
    channel: int = 1
    title: str = "Rendered"
    light: float | None = 1.0
    rain: bool = False
    codec: Codec = Codec.H264
    start_us: int = 1_790_000_000 * SECOND_US


def render(options: RenderOptions, video: Path) -> int:
    """Write the clip and, with the ending `.jsonl`, its truth. How many pictures. The same options, the same street."""
    street = Street(
        seed=options.seed, channel=options.channel, title=options.title, light=options.light, rain=options.rain
    )
    count = round(options.seconds * options.fps)
    video.parent.mkdir(parents=True, exist_ok=True)
    container: Any  # PyAV's stubs leave its types open
    with av.open(str(video), "w") as container, video.with_suffix(".jsonl").open("wb") as truths:
        stream = container.add_stream(_NAMES[options.codec], rate=options.fps)
        stream.width, stream.height, stream.pix_fmt = options.width, options.height, "yuv420p"
        stream.bit_rate = options.kbps * 1000
        for index in range(count):
            at_us = options.start_us + index * SECOND_US // options.fps
            painted = street.render(at_us, options.width, options.height)
            frame: Any = av.VideoFrame.from_ndarray(painted.buffer.reshape(-1, painted.width), format="yuv420p")
            frame.pts, frame.time_base = index, Fraction(1, options.fps)
            container.mux(stream.encode(frame))
            truth = street.truth(at_us, options.width, options.height)
            truths.write(msgspec.json.encode(truth) + b"\n")
        container.mux(stream.encode(None))
    return count
