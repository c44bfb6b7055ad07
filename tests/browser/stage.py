"""Cameras whose recordings several files look at: added at once, so that footage is waited for once and not by each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from benchmarks.whole import Platform

from safecity.model.values.media import Codec
from safecity.sim.encode import VideoSpec
from safecity.sim.gb28181.device import SimDevice
from safecity.sim.gb28181.profiles import NVR_2022
from safecity.sim.yard import SMALLER, Yard

CLEAR = VideoSpec(width=320, height=180, fps=10, kbps=800, gop_seconds=1.0)
"""Small, and so good that the clock can be read in every single picture."""
SMALL_CLEAR = VideoSpec(width=256, height=144, fps=5, kbps=300, gop_seconds=1.0)
STREET = VideoSpec(width=320, height=180, fps=10, kbps=600, gop_seconds=1.0)
UNKNOWN = VideoSpec(Codec.H265, SMALLER.width, SMALLER.height, 5, 60, 1.0)


@dataclass(frozen=True)
class Stage:
    """A platform, the yard its cameras stand in, and the channels they have."""

    platform: Platform
    yard: Yard
    gate: str
    """Before a street."""
    nine: list[str]
    """One that can be read well and the eight of a recorder."""
    foreign: str
    """H.265, which a browser without a decoder for it cannot show."""
    unsteady: tuple[SimDevice, str]
    """It can be sent away for a while."""


class Theatre:
    """The stage, from the first file that looks at it to the end of the last one."""

    def __init__(self) -> None:
        self._stage: Stage | None = None
        self._open = ExitStack()

    def begin(self, folder: Callable[[], Path], add: Callable[..., tuple[SimDevice, list[str]]]) -> Stage:
        """`add` gives a platform a device of a yard, and tells its channels once they run."""
        if self._stage is None:
            yard = self._open.enter_context(Yard())
            platform = Platform(folder())
            self._open.callback(platform.stop)
            self._stage = _built(platform.start().setup(), yard, add)
        return self._stage

    def end(self) -> None:
        self._stage = None
        self._open.close()


def _built(platform: Platform, yard: Yard, add: Callable[..., tuple[SimDevice, list[str]]]) -> Stage:
    _, [gate] = add(platform, yard, 1, video=STREET)
    _, first = add(platform, yard, 2, video=CLEAR)
    _, others = add(platform, yard, 3, profile=NVR_2022, channels=8, video=SMALL_CLEAR)
    _, [foreign] = add(platform, yard, 4, video=UNKNOWN)
    unsteady, [comes_and_goes] = add(platform, yard, 5, video=SMALL_CLEAR)
    return Stage(platform, yard, gate, [*first, *others], foreign, (unsteady, comes_and_goes))
