"""A rendered clip and the truth beside it."""

from __future__ import annotations

from pathlib import Path

import av
import msgspec

from safecity.sim.render import RenderOptions, render
from safecity.sim.scene.street import Truth
from safecity.sim.scene.strip import read_clock


def test_every_picture_has_its_line_of_truth_and_both_tell_the_same_time(tmp_path: Path) -> None:
    options = RenderOptions(width=640, height=360, fps=5, seconds=2, kbps=1500)
    assert render(options, tmp_path / "street.mp4") == 10
    lines = (tmp_path / "street.jsonl").read_bytes().splitlines()
    truths = [msgspec.json.decode(line, type=Truth) for line in lines]
    with av.open(str(tmp_path / "street.mp4")) as container:
        clocks = [read_clock(frame.to_ndarray(format="rgb24")) for frame in container.decode(video=0)]
    assert clocks == [truth.at_us // 1000 * 1000 for truth in truths]
    assert any(thing.plate for truth in truths for thing in truth.objects)
