"""One camera's pictures and ways of vehicles held against what is drawn on its picture: offences with the pictures that
prove them. Not thread-safe."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from safecity.kit.clock import SECOND_US
from safecity.vision.enforcement.judge import Box, Judge, Offence, Sight
from safecity.vision.enforcement.lamps import LampWatch, read_lamps
from safecity.vision.enforcement.lights import LAMPS, Lights
from safecity.vision.enforcement.scene import Scene
from safecity.vision.enforcement.speed import Speed

SETTLE_US: Final = 5 * SECOND_US
"""A vehicle is judged so long after it has left: what a controller says may come late."""
WHOLE_US: Final = 20 * SECOND_US
"""Every picture of the last seconds is kept; of those before, one in five seconds."""
THIN_US: Final = 5 * SECOND_US
KEPT_US: Final = 900 * SECOND_US
MAX_FRAME_BYTES: Final = 280_000
"""Of a JPEG: three of them and the plate must fit into one call (`backends.calls`, 1 MiB)."""
MAX_FRAMES_BYTES: Final = 64 << 20
"""Of all that are kept."""
NEAR_US: Final = 3 * SECOND_US
"""Who stands still may be shown by a picture taken so much earlier or later."""
Encode = Callable[[NDArray[np.uint8], int], bytes]


@dataclass(frozen=True, slots=True)
class Caught:
    """An offence of a vehicle, with a JPEG for each of its moments, and one of the plate. `second`: the second reader
    had a say in that. `speed` is an estimate for whoever reviews it, and no ground of any offence."""

    offence: Offence
    plate: str
    confidence: float
    plate_colour: str
    shown: tuple[tuple[Sight, bytes], ...]
    crop: bytes
    crop_at: int
    second: bool = False
    speed: Speed | None = None


@dataclass(frozen=True, slots=True)
class Left:
    """A vehicle that has left the picture, or stands in it: its way, and how its plate was read. `number` is its name
    among those of this camera."""

    number: int
    at: int
    way: tuple[Sight, ...]
    plate: str
    confidence: float
    plate_colour: str
    crop: bytes
    crop_at: int
    bodies: Mapping[int, Box] = field(default_factory=dict[int, Box])
    """Where all of it was seen to be, by moment, as far as that is known: for whoever looks at the pictures."""
    second: bool = False
    """Whether the second reader had a say in its plate."""
    speed: Speed | None = None


def vehicle_box(corners: Sequence[Sequence[float]], size: tuple[int, int]) -> Box:
    """About where a vehicle is whose plate is there: some four plates wide and high, with its plate low in the middle.
    `corners` in pixels; the answer in shares of the picture."""
    xs, ys = [float(x) for x, _ in corners], [float(y) for _, y in corners]
    wide = max(max(xs) - min(xs), 1.0)
    middle, bottom = (min(xs) + max(xs)) / 2, max(ys) + 0.6 * wide
    edges = (middle - 2 * wide, bottom - 3.4 * wide, middle + 2 * wide, bottom)
    left, top, right, low = (
        min(max(edge / side, 0.0), 1.0) for edge, side in zip(edges, (size[0], size[1]) * 2, strict=True)
    )
    return left, top, max(right, left + 1e-4), max(low, top + 1e-4)


class SceneWatch:
    """`lights` is shared with the other cameras; `encode` makes a JPEG of at most so many bytes."""

    def __init__(self, scene: Scene, lights: Lights, encode: Encode) -> None:
        self.scene = scene
        self._lights = lights
        self._encode = encode
        self._judge = Judge(scene, lights, scene.clock_error_ms * 1000)
        self._lamps = {name: LampWatch() for name in scene.lamps}
        self._frames: dict[int, bytes] = {}
        self._bytes = 0
        self.max_bytes = MAX_FRAMES_BYTES
        """Of pictures that are kept; may change at any time."""
        self._left: list[Left] = []
        self._told: set[tuple[int, str]] = set()
        """Vehicles that were told for standing somewhere while they stood there."""

    def look(self, at: int, picture: NDArray[np.uint8], *, anybody: bool) -> None:
        """The next picture; `anybody`: a vehicle is in it, so that it may be evidence."""
        for name, lamps in self.scene.lamps.items():
            change = self._lamps[name].look(at, read_lamps(picture, lamps))
            if change is not None:
                self._lights.say(name, change[0], change[1], LAMPS)
            self._lights.alive(name, at)
        if anybody and self.scene.judges:
            frame = self._encode(picture, MAX_FRAME_BYTES)
            self._frames[at] = frame
            self._bytes += len(frame)
            self._thin(at)

    def _thin(self, now: int) -> None:
        last = -THIN_US
        for at in list(self._frames):
            old = now - at > WHOLE_US
            if now - at > KEPT_US or at > now or (old and at - last < THIN_US) or self._bytes > self.max_bytes:
                self._bytes -= len(self._frames.pop(at))
            elif old:
                last = at

    def left(self, one: Left) -> None:
        """A vehicle has left; it is judged once the lights of its time are known."""
        self._left.append(one)

    def stands(self, one: Left) -> list[Caught]:
        """A vehicle that is in sight: who stands too long is not waited for until it leaves."""
        found = [each for each in self._judge.standing(one.way) if (one.number, each.words) not in self._told]
        self._told |= {(one.number, each.words) for each in found}
        return [self._proven(one, each) for each in found]

    def judged(self, now: int, *, all_of: bool = False) -> list[Caught]:
        """The offences of whoever left long enough ago, or of all."""
        due = [one for one in self._left if all_of or now - one.at >= SETTLE_US or now < one.at]
        self._left = [one for one in self._left if one not in due]
        return [caught for one in due for caught in self._caught(one)]

    def _caught(self, one: Left) -> list[Caught]:
        told = {where for number, where in self._told if number == one.number}
        self._told = {each for each in self._told if each[0] != one.number}
        found = self._judge.judge(one.way)
        return [self._proven(one, each) for each in found if each.kind != "illegal_stop" or each.words not in told]

    def _proven(self, one: Left, offence: Offence) -> Caught:
        shown = [self._shown(offence, sight) for sight in offence.moments]
        pictures = tuple(
            (Sight(sight.at, one.bodies.get(sight.at, sight.box)), data)
            for sight, data in (each for each in shown if each is not None)
        )
        return Caught(
            offence, one.plate, one.confidence, one.plate_colour, pictures, one.crop, one.crop_at, one.second, one.speed
        )

    def _shown(self, offence: Offence, sight: Sight) -> tuple[Sight, bytes] | None:
        """The picture of a moment; of who stands still, one nearby does."""
        if sight.at in self._frames:
            return sight, self._frames[sight.at]
        if offence.kind != "illegal_stop":
            return None
        first, last = offence.moments[0].at, offence.moments[-1].at
        near = [at for at in self._frames if first <= at <= last and abs(at - sight.at) <= NEAR_US]
        if not near:
            return None
        at = min(near, key=lambda each: abs(each - sight.at))
        return Sight(at, sight.box), self._frames[at]
