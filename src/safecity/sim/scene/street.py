"""A street as one simulated camera sees it. What is where is a pure function of the time: the main and the sub
stream agree, and a camera's "recording" of last night is painted when somebody asks for it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

import cv2
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from safecity.kit.clock import BEIJING, SECOND_US
from safecity.sim.scene import sprites, strip, weather, world
from safecity.sim.scene.lens import Pose
from safecity.sim.scene.plates import random_plate
from safecity.sim.scene.sprites import Drawing, Frame, Sprites, paste

Picture = NDArray[np.uint8]

DAY, NIGHT = 1.0, 0.3
FAR, NEAR = 7.0, 0.62
"""Depths at which vehicles appear and are gone; their scale is 1/depth."""


class TruthObject(Struct, frozen=True):
    """A thing in the picture; boxes are left, top, width, height in pixels, cut at nothing."""

    id: str
    kind: str
    box: tuple[int, int, int, int]
    plate: str = ""
    plate_box: tuple[int, int, int, int] | None = None
    colour: str = ""


class Truth(Struct, frozen=True):
    """What one picture shows, a line of the JSON lines file beside the video."""

    at_us: int
    channel: int
    night: bool
    objects: tuple[TruthObject, ...]


@dataclass(frozen=True, slots=True)
class _Thing:
    key: str
    kind: str
    x: float
    y: float
    width: float
    height: float
    depth: float
    plate: str = ""
    plate_box: tuple[int, ...] = ()
    sprite: str = ""
    colour: str = ""


@dataclass(frozen=True, slots=True)
class _Look:
    key: str
    rarity: float
    starts: float
    kind: str
    paint: tuple[int, int, int]
    plate: str


@dataclass(frozen=True, slots=True)
class _Lane:
    number: int
    offset: float
    towards: bool
    period: float
    seconds: float


LANES = (
    _Lane(0, -480.0, True, 3.7, 9.0),
    _Lane(1, -160.0, True, 4.9, 7.5),
    _Lane(2, 160.0, False, 5.3, 8.0),
    _Lane(3, 480.0, False, 6.1, 9.5),
)
WALKERS = ((0.72, 7.3, 14.0, 1), (0.72, 11.9, 17.0, -1), (0.42, 9.1, 21.0, 1))
"""Depth scale, seconds between two, seconds to cross, direction."""


class Street:
    """One scene of one channel, drawn at any size. Not thread-safe; cheap to make for another size."""

    def __init__(
        self, *, seed: int, channel: int, title: str = "", light: float | None = None, rain: bool = False,
        paints: Mapping[tuple[int, int, int], str] = sprites.PAINT_NAMES,
    ) -> None:  # fmt: skip
        """`title` is Latin text; `light` None follows the clock (night from 18:30 to 6:00 in Beijing time); `paints`
        (BGR) are what vehicles have, with the names that the truth gives them."""
        self.channel = channel
        self._seed = seed
        self._title = title
        self._light = light
        self._rain = rain
        self._paints = paints
        self._choice = tuple(paints)
        self._sprites = Sprites()
        self._plate_boxes: dict[str, tuple[int, ...]] = {}
        self._looks: dict[tuple[int, int], _Look] = {}
        self._strides: dict[tuple[int, int], tuple[float, int]] = {}
        self._worlds: dict[float, Picture] = {}
        self._views: dict[tuple[int, int], tuple[Pose, float, Frame]] = {}
        self._frames: dict[tuple[int, int], Frame] = {}
        self._texts: dict[tuple[str, int], Picture] = {}

    def light_at(self, at_us: int) -> float:
        """1 by day, 0.3 by night."""
        if self._light is not None:
            return self._light
        moment = datetime.fromtimestamp(at_us / SECOND_US, BEIJING)
        return DAY if 6 * 60 <= moment.hour * 60 + moment.minute < 18 * 60 + 30 else NIGHT

    def render(
        self, at_us: int, width: int, height: int, pose: Pose | None = None, *, shown_us: int | None = None
    ) -> Frame:
        """The picture of this moment; the frame is painted over at the next call with the same size.

        pose: of a camera that can be steered; it stands in the strip, so that a test knows which picture has moved.
        shown_us: what the camera believes the time is, where its clock is wrong (the written clock; the strip stays
        true, it belongs to the test bench).
        """
        told, pose = pose, pose or Pose()
        light = self.light_at(at_us)
        frame = self._frames.setdefault((width, height), Frame(width, height))
        frame.buffer[:] = self._background(pose, light, width, height).buffer
        view = world.View.of(pose, width, height)
        for thing in self._things(at_us, light):
            self._paste(frame, view, thing, light)
        if pose.iris:
            cv2.convertScaleAbs(frame.luma, frame.luma, 1.0, 90.0 * pose.iris)
        if self._rain:
            weather.rain(frame, self._seed, at_us, light)
        covered = strip.strip_height(height, lens=told is not None)
        self._write(frame, at_us if shown_us is None else shown_us, covered)
        strip.draw_strip(frame.luma, at_us, self.channel, told)
        edge = (height - covered) // 2
        frame.blue[edge:] = 128
        frame.red[edge:] = 128
        return frame

    def truth(self, at_us: int, width: int, height: int, pose: Pose | None = None) -> Truth:
        """What `render` shows for the same arguments."""
        view = world.View.of(pose or Pose(), width, height)
        light = self.light_at(at_us)
        objects = [
            TruthObject(thing.key, thing.kind, _box(view, thing), thing.plate, _plate_box(view, thing), thing.colour)
            for thing in self._things(at_us, light)
        ]
        inside = (each for each in objects if _touches(each.box, width, height))
        return Truth(at_us, self.channel, light < DAY, tuple(inside))

    def _background(self, pose: Pose, light: float, width: int, height: int) -> Frame:
        kept = self._views.get((width, height))
        if kept is not None and kept[0] == pose and kept[1] == light:
            return kept[2]
        painting = self._worlds.get(light)
        if painting is None:
            self._worlds.clear()  # 11 MB each: day and night are not needed together
            painting = self._worlds[light] = world.paint_world(self._seed, light)
        view = world.View.of(pose, width, height)
        left, top = view.left - world.LEFT, view.top - world.TOP
        if view.scale_x < 1:  # shrinking: crop and average, else the road marks flicker
            span_x, span_y = round(width / view.scale_x), round(height / view.scale_y)
            part = painting[round(top) : round(top) + span_y, round(left) : round(left) + span_x]
            picture = cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA)
        else:
            matrix = np.array([[view.scale_x, 0, -left * view.scale_x], [0, view.scale_y, -top * view.scale_y]])
            picture = cv2.warpAffine(painting, matrix, (width, height), flags=cv2.INTER_LINEAR)
        if abs(pose.focus) > 0.02:
            picture = cv2.GaussianBlur(picture, (0, 0), abs(pose.focus) * width / 60)
        frame = kept[2] if kept is not None else Frame(width, height)
        frame.take(np.asarray(picture, np.uint8))
        self._views[width, height] = (pose, light, frame)
        return frame

    def _things(self, at_us: int, light: float) -> list[_Thing]:
        seconds = at_us / SECOND_US
        things = [*self._vehicles(seconds, light), *self._walkers(seconds)]
        things.sort(key=lambda thing: -thing.depth)
        return things

    def _vehicles(self, now: float, light: float) -> Iterator[_Thing]:
        for lane in LANES:
            for number in range(int((now - lane.seconds) / lane.period), int(now / lane.period) + 1):
                look = self._look(lane, number)
                progress = (now - look.starts) / lane.seconds
                if not 0 <= progress <= 1 or look.rarity < (0.25 if light == DAY else 0.55):
                    continue
                along = 1 - progress if not lane.towards else progress
                depth = FAR + (NEAR - FAR) * along
                self._vehicle(look, towards=lane.towards)
                width = {sprites.CAR: 250.0, sprites.VAN: 270.0, sprites.BUS: 300.0}[look.kind] / depth
                drawn = sprites.SHAPES[look.kind]
                x, y = world.VANISH[0] + lane.offset / depth, world.VANISH[1] + world.GROUND / depth
                height = width * drawn[1] / drawn[0]
                box = self._plate_boxes[look.key]
                yield _Thing(
                    look.key, look.kind, x, y, width, height, depth, look.plate, box, look.key,
                    self._paints[look.paint],
                )  # fmt: skip

    def _look(self, lane: _Lane, number: int) -> _Look:
        """The vehicle of that number: when it comes and what it looks like, the same whenever one asks."""
        look = self._looks.get((lane.number, number))
        if look is None:
            dice = Random(self._seed << 40 ^ lane.number << 36 ^ number)
            rarity, starts = dice.random(), (number + 0.3 * dice.random()) * lane.period
            kind = dice.choices((sprites.CAR, sprites.VAN, sprites.BUS), (7, 2, 1))[0]
            paint = dice.choice(self._choice)
            plate = random_plate(dice, energy=dice.random() < 0.2)
            look = _Look(f"{lane.number}-{number}", rarity, starts, kind, paint, plate)
            self._looks[lane.number, number] = look
            if len(self._looks) > 256:
                del self._looks[next(iter(self._looks))]
        return look

    def _vehicle(self, look: _Look, *, towards: bool) -> None:
        if self._sprites.drawing(look.key) is None:
            drawing, box = sprites.draw_vehicle(look.kind, look.paint, look.plate, front=towards)
            self._sprites.keep(look.key, drawing)
            self._plate_boxes[look.key] = box
            if len(self._plate_boxes) > 512:
                del self._plate_boxes[next(iter(self._plate_boxes))]

    def _walkers(self, now: float) -> Iterator[_Thing]:
        for row, (scale, period, seconds, direction) in enumerate(WALKERS):
            for number in range(int((now - seconds) / period), int(now / period) + 1):
                stride = self._strides.get((row, number))
                if stride is None:
                    dice = Random(self._seed << 40 ^ (row + 8) << 36 ^ number)
                    stride = self._strides[row, number] = (number + 0.5 * dice.random()) * period, dice.randrange(24)
                    if len(self._strides) > 256:
                        del self._strides[next(iter(self._strides))]
                progress, look = (now - stride[0]) / seconds, stride[1]
                if not 0 <= progress <= 1:
                    continue
                step = int(now * 4 + number) % 4
                sprite = f"p{look}-{step}"
                if self._sprites.drawing(sprite) is None:
                    self._sprites.keep(sprite, sprites.draw_person(self._seed * 31 + look, step))
                x = world.VANISH[0] + direction * (progress - 0.5) * 1700 * scale
                y = world.VANISH[1] + world.GROUND * scale
                height = 210.0 * scale
                yield _Thing(f"w{row}-{number}", "person", x, y, height * 0.4, height, 1 / scale, sprite=sprite)

    def _paste(self, frame: Frame, view: world.View, thing: _Thing, light: float) -> None:
        left, top, width, height = _box(view, thing)
        if not _touches((left, top, width, height), frame.width, frame.height):
            return
        drawing = self._sprites.drawing(thing.sprite)
        if drawing is None:
            return
        paste(frame, self._sprites.at_size(thing.sprite, drawing, width, height, light), left, top)

    def _write(self, frame: Frame, shown_us: int, covered: int) -> None:
        moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=shown_us)
        text = moment.astimezone(BEIJING).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3]
        size = max(10, frame.height // 20)
        left = size // 2
        for letter in text:
            glyph = self._glyph(letter, size)
            frame.luma[size // 2 : size // 2 + size, left : left + glyph.shape[1]] = glyph
            left += glyph.shape[1]
        frame.blue[size // 4 : (size // 2 + size) // 2, size // 4 : left // 2] = 128
        frame.red[size // 4 : (size // 2 + size) // 2, size // 4 : left // 2] = 128
        if self._title:
            title = self._glyph(self._title, size)
            top = frame.height - covered - size - 4
            width = min(title.shape[1], frame.width - size)
            frame.luma[top : top + size, size // 2 : size // 2 + width] = title[:, :width]

    def _glyph(self, text: str, size: int) -> Picture:
        glyph = self._texts.get((text, size))
        if glyph is None:
            weight = 2 if size >= 24 else 1
            font, scale = cv2.FONT_HERSHEY_SIMPLEX, size / 30
            (drawn, _), _ = cv2.getTextSize(text, font, scale, weight)
            width = round(size * 0.66) if len(text) == 1 else drawn + size // 3  # digits of one width stand still
            glyph = np.full((size, width), strip.BLACK, np.uint8)
            left = (width - drawn) // 2
            cv2.putText(glyph, text, (left, round(size * 0.8)), font, scale, strip.WHITE, weight, cv2.LINE_AA)
            self._texts[text, size] = glyph
        return glyph


def _box(view: world.View, thing: _Thing) -> tuple[int, int, int, int]:
    x, y = view.to_picture(thing.x, thing.y)
    exact = thing.width * view.scale_x
    step = 2 if exact < 40 else 4 if exact < 100 else 8  # few sizes, so that scaled sprites serve several pictures
    width = round(exact / step) * step
    height = round(width * thing.height / thing.width * view.scale_y / view.scale_x / 2) * 2
    return round((x - width / 2) / 2) * 2, round((y - height) / 2) * 2, width, height


def _plate_box(view: world.View, thing: _Thing) -> tuple[int, int, int, int] | None:
    if not thing.plate_box:
        return None
    left, top, width, height = _box(view, thing)
    drawn = sprites.SHAPES[thing.kind]
    x, y, plate_width, plate_height = thing.plate_box
    part_x, part_y = width / drawn[0], height / drawn[1]
    return round(left + x * part_x), round(top + y * part_y), round(plate_width * part_x), round(plate_height * part_y)


def _touches(box: tuple[int, int, int, int], width: int, height: int) -> bool:
    left, top, across, tall = box
    return left < width and top < height and left + across > 0 and top + tall > 0 and across >= 6


__all__ = ["DAY", "NIGHT", "Drawing", "Street", "Truth", "TruthObject"]
