"""One camera's pictures into vehicles that were read: tracks, votes, and the best picture of each."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from safecity.kit.errors import SafecityError
from safecity.model.facts.vision_calls import LaneZone
from safecity.vision.enforcement.judge import Sight
from safecity.vision.enforcement.speed import Speed, spot_speed
from safecity.vision.enforcement.watching import MAX_FRAMES_BYTES, Caught, Left, SceneWatch, vehicle_box
from safecity.vision.lanes import lane_of
from safecity.vision.objects.detector import Detector, ObjectSeen
from safecity.vision.plates.film import PlateFilm
from safecity.vision.plates.recognise import PlateRecogniser
from safecity.vision.plates.restore import Restored, restore
from safecity.vision.plates.straighten import grown
from safecity.vision.plates.voting import MAX_LOOKS_BYTES, PlateSeen
from safecity.vision.vehicles.bodies import DETECTOR, MOVEMENT, PLATE, Body
from safecity.vision.vehicles.colour import BodyColour
from safecity.vision.vehicles.unread import Unread
from safecity.vision.vehicles.watching import VehicleWatch

logger = logging.getLogger(__name__)
MAX_KEPT = 12
"""Pictures kept of vehicles in sight; a crowd beyond that goes without."""
MAX_KEPT_BYTES = 64 << 20
"""All of them together, as they lie in memory: ten of 1920 x 1080, one of 8192 x 2560."""
LOOKS_SHARE = 1 / 8
"""Of that, as much again for the looks by which plates are read once more."""
MAX_SCENE_BYTES, MAX_PLATE_BYTES, MAX_VEHICLE_BYTES = 600_000, 300_000, 250_000
"""Of a JPEG; the first two and the words must fit into one call (`backends.calls`, 1 MiB), others where there is room.
"""
_LEAST_SIGHTS = 2
_LEAST_SIGNS = 4
_LEAST_MOVE = 0.5  # plate widths
SECOND_US = 1_000_000
STANDING_US = 5 * SECOND_US
"""So often those in sight are asked whether they stand where they may not."""


@dataclass(frozen=True, slots=True)
class Passed:
    """A vehicle that has left the picture. `scene` and `plate` are JPEG, empty where no picture was kept; `vehicle` is
    what the user's own detector says of it, in the scene; `restored` what a doubtful plate could be without blur;
    `lane` that in whose zone it drove, where zones are drawn; `body` all of the vehicle in the scene, and `close` a
    JPEG of that alone; `colour` its body's; `speed` an estimate, where the
    road is measured."""

    seen: PlateSeen
    at: int
    first: int
    last: int
    scene: bytes
    plate: bytes
    size: tuple[int, int]
    vehicle: ObjectSeen | None = None
    restored: Restored | None = None
    lane: int | None = None
    body: Body | None = None
    close: bytes = b""
    colour: BodyColour | None = None
    speed: Speed | None = None


@dataclass(frozen=True, slots=True)
class PassedUnread:
    """A vehicle that has left a lane's zone and whose plate was not read. `scene` and `close` are JPEG, empty where no
    picture was kept."""

    lane: int
    at: int
    first: int
    last: int
    looks: int
    body: Body
    scene: bytes
    close: bytes


class PlateWatch:
    """Pictures of one camera in order of time. Not thread-safe."""

    def __init__(
        self, recogniser: PlateRecogniser, detector: Detector | None = None, scene: SceneWatch | None = None,
        zones: Sequence[LaneZone] = (),
    ) -> None:  # fmt: skip
        """`scene` judges the ways of vehicles; `zones` tell lanes apart."""
        self.recogniser = recogniser
        self.detector = detector
        self._stumbled = self._blind = False
        self.max_kept_bytes = MAX_KEPT_BYTES
        """May change at any time; the newest picture is kept whatever its size."""
        self._scene = scene
        self._zones = zones
        self._vehicles = VehicleWatch(zones)
        self._unread: list[PassedUnread] = []
        self._film = PlateFilm(recogniser, ways=scene is not None or bool(zones))
        self._tracks = self._film.tracks
        self._caught: list[Caught] = []
        self._stood_at = 0
        self._kept: dict[float, NDArray[np.uint8]] = {}
        self._begin: int | None = None
        self._last = 0
        self._size: tuple[int, int] = (0, 0)
        self.left_out = 0
        """What was read and is no vehicle: clocks in the picture, signs by the road."""
        self.unpictured = 0
        """Vehicles that were told without a picture: more were in sight than pictures are kept of."""
        self.not_read = 0
        """Vehicles that passed a zone and whose plate was not read, whether they are told or not."""

    def keep(self, pictures: int, frames: int) -> None:
        """So much memory, in bytes, for pictures of vehicles in sight from now on, and for those that a scene proves
        offences by; at most MAX_KEPT_BYTES and MAX_FRAMES_BYTES."""
        self.max_kept_bytes = min(pictures, MAX_KEPT_BYTES)
        if self._scene is not None:
            self._scene.max_bytes = min(frames, MAX_FRAMES_BYTES)

    def look(self, at: int, picture: NDArray[np.uint8]) -> list[Passed]:
        """`at` in microseconds UTC; who has passed by now.

        A clock that was set back and a camera that was set to another size of picture end what was in sight: neither
        the times nor the places of before can be compared with what comes.
        """
        size: tuple[int, int] = (picture.shape[1], picture.shape[0])
        passed: list[Passed] = []
        if self._begin is not None and (at < self._last or size != self._size):
            passed = self.end()
            self._begin = None
            self._vehicles = VehicleWatch(self._zones)
        self._begin = at if self._begin is None else self._begin
        self._last, self._size = at, size
        seconds = (at - self._begin) / SECOND_US
        self._tracks.max_looks_bytes = min(round(LOOKS_SHARE * self.max_kept_bytes), MAX_LOOKS_BYTES)
        reads, gone = self._film.look(seconds, picture)
        if self._scene is not None:
            self._scene.look(self._moment(seconds), picture, anybody=bool(reads))
        passed += self._told(gone)
        self._look_at_vehicles(self._moment(seconds), picture, seconds)
        self._judge(at)
        if reads:
            self._kept[seconds] = picture
            self._keep()
        return passed

    def _look_at_vehicles(self, at: int, picture: NDArray[np.uint8], seconds: float) -> None:
        """Whatever goes wrong with them costs no reading."""
        try:
            self._vehicles.look(at, picture, self._tracks.seen_at(seconds))
        except (SafecityError, ValueError, ArithmeticError, cv2.error) as error:
            if not self._blind:
                logger.warning("vehicles not looked at why=%r", error)
            self._blind = True
        self._take_unread()

    def _keep(self) -> None:
        """The pictures in which somebody in sight was seen best, as far as there is room: the oldest go first."""
        worth = self._tracks.best_moments()
        self._kept = {moment: kept for moment, kept in self._kept.items() if moment in worth}
        held = sum(kept.nbytes for kept in self._kept.values())
        while len(self._kept) > MAX_KEPT or (held > self.max_kept_bytes and len(self._kept) > 1):
            held -= self._kept.pop(min(self._kept)).nbytes

    def idle(self, at: int) -> list[Passed]:
        """Nothing moved until `at`: who was already looked for in vain has left."""
        passed = [] if self._begin is None else self._told(self._tracks.forget((at - self._begin) / SECOND_US))
        self._vehicles.idle(at)
        self._take_unread()
        self._judge(at)
        return passed

    def end(self) -> list[Passed]:
        """The stream is over, or something else is to be watched."""
        passed = self._told(self._film.end())
        self._vehicles.end()
        self._take_unread()
        self._kept.clear()
        if self._scene is not None:
            self._caught += self._scene.judged(self._last, all_of=True)
        return passed

    def caught(self) -> list[Caught]:
        """Offences since this was asked last."""
        found, self._caught = self._caught, []
        return found

    def unread(self) -> list[PassedUnread]:
        """Vehicles that passed a lane which asks for those whose plate was not read, since this was asked last."""
        found, self._unread = self._unread, []
        return found

    def _take_unread(self) -> None:
        asked = {zone.number for zone in self._zones if zone.unread}
        for one in self._vehicles.unread():
            self.not_read += 1
            if one.lane in asked:
                self._unread.append(pictured(one))
                self.unpictured += one.picture is None

    def _judge(self, at: int) -> None:
        if self._scene is None:
            return
        self._caught += self._scene.judged(at)
        if self._scene.scene.zones and not 0 <= at - self._stood_at < STANDING_US:
            self._stood_at = at
            for seen in self._tracks.in_sight():
                picture = self._kept.get(seen.best.at_seconds)
                if picture is not None and worth_telling(seen):
                    plate = jpeg(around(picture, seen.best.read.corners), MAX_PLATE_BYTES)
                    self._caught += self._scene.stands(self._left(seen, plate))

    def _speed(self, seen: PlateSeen) -> Speed | None:
        """Where the road is measured. Whatever goes wrong with it costs no reading."""
        if self._scene is None or self._scene.scene.calibration is None:
            return None
        try:
            return spot_speed(self._scene.scene.calibration, seen.way, self._size)
        except (ValueError, ArithmeticError, np.linalg.LinAlgError) as error:
            logger.warning("speed not estimated why=%r", error)
            return None

    def _left(self, seen: PlateSeen, plate: bytes, speed: Speed | None = None) -> Left:
        """A vehicle as the scene judges it; `plate` is a JPEG."""
        colour = (seen.best.read.kind.colour or "") if seen.best.read.kind is not None else ""
        best = self._moment(seen.best.at_seconds)
        boxes = {at: body.box for at, body in self._vehicles.bodies(seen.number).items() if body.found_by != PLATE}
        sure = float(seen.confidence)
        way = self._way(seen)
        return Left(seen.number, self._last, way, seen.text, sure, colour, plate, best, boxes, seen.second, speed)

    def _way(self, seen: PlateSeen) -> tuple[Sight, ...]:
        return tuple(Sight(self._moment(at), vehicle_box(corners.tolist(), self._size)) for at, corners in seen.way)

    def _moment(self, seconds: float) -> int:
        """Of a picture, as it is named everywhere here."""
        return (self._begin or 0) + round(seconds * SECOND_US)

    def _told(self, gone: list[PlateSeen]) -> list[Passed]:
        begin = self._begin or 0
        found: list[Passed] = []
        for seen in gone:
            moment = seen.best.at_seconds
            picture = self._kept.get(moment)
            if not worth_telling(seen):
                self.left_out += 1
                self._vehicles.left(seen.number, told=False)
                continue
            scene = plate = close = b""
            vehicle = restored = None
            if picture is not None:
                vehicle = self._vehicle(picture, seen.best.read.corners)
                restored = self._restored(picture, seen)
                scene = jpeg(picture, MAX_SCENE_BYTES)
                plate = jpeg(around(picture, seen.best.read.corners), MAX_PLATE_BYTES)
            body = self._body(seen, vehicle)
            if picture is not None:
                close = jpeg(within(picture, body), MAX_VEHICLE_BYTES)
            self.unpictured += not scene
            speed = self._speed(seen)
            if self._scene is not None:
                self._scene.left(self._left(seen, plate, speed))
            colour = self._vehicles.colour(seen.number)
            self._vehicles.left(seen.number, told=True)
            found.append(
                Passed(
                    seen, begin + round(moment * SECOND_US), begin + round(seen.first_seconds * SECOND_US),
                    begin + round(seen.last_seconds * SECOND_US), scene, plate, self._size, vehicle, restored,
                    lane_of(self._zones, (sight.foot for sight in self._way(seen))), body, close, colour, speed,
                )
            )  # fmt: skip
        if gone:
            self._keep()
        return found

    def _body(self, seen: PlateSeen, vehicle: ObjectSeen | None) -> Body:
        """All of the vehicle in its best picture: as the user's own detector has it, else as it moved."""
        if vehicle is not None:
            left, top, right, bottom = vehicle.box
            width, height = self._size
            return Body((left / width, top / height, right / width, bottom / height), DETECTOR)
        moved = self._vehicles.bodies(seen.number).get(self._moment(seen.best.at_seconds))
        return moved or Body(vehicle_box(seen.best.read.corners.tolist(), self._size), PLATE)

    def _restored(self, picture: NDArray[np.uint8], seen: PlateSeen) -> Restored | None:
        """Of what is doubtful alone. Whatever goes wrong with it costs no reading."""
        if not seen.doubtful:
            return None
        try:
            return restore(self.recogniser, picture, seen.best.read.corners)
        except (SafecityError, ValueError, ArithmeticError, cv2.error) as error:
            logger.warning("plate not restored why=%r", error)
            return None

    def _vehicle(self, picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> ObjectSeen | None:
        """Whose plate it is. A detector that stumbles costs no reading."""
        if self.detector is None:
            return None
        x, y = (float(one) for one in corners.mean(0))
        try:
            vehicle = self.detector.vehicle_at(picture, x, y)
        except (SafecityError, ValueError, ArithmeticError, cv2.error) as error:
            if not self._stumbled:
                logger.warning("detector failed model=%s why=%r", self.detector.info.name, error)
            self._stumbled = True
            return None
        self._stumbled = False
        return vehicle


def worth_telling(seen: PlateSeen) -> bool:
    """Whether it was a vehicle. What is clearly written as a plate always is; what is doubtful must have been seen more
    than once and to move: writing in the picture and by the road does neither change nor go anywhere."""
    if len(seen.text) < _LEAST_SIGNS:
        return False
    return not seen.doubtful or (seen.sights >= _LEAST_SIGHTS and seen.moved >= _LEAST_MOVE)


def around(picture: NDArray[np.uint8], corners: NDArray[np.float32]) -> NDArray[np.uint8]:
    """The upright box around a plate, with a little of the car."""
    box = grown(corners, 0.15, 0.3)
    height, width = picture.shape[:2]
    left, top = np.floor(box.min(0)).astype(int)
    right, bottom = np.ceil(box.max(0)).astype(int)
    return picture[max(top, 0) : min(max(bottom, top + 1), height), max(left, 0) : min(max(right, left + 1), width)]


def pictured(one: Unread) -> PassedUnread:
    body = Body(one.box, MOVEMENT)
    scene = close = b""
    if one.picture is not None:
        scene = jpeg(one.picture, MAX_SCENE_BYTES)
        close = jpeg(within(one.picture, body), MAX_VEHICLE_BYTES)
    return PassedUnread(one.lane, one.at, one.first, one.last, one.looks, body, scene, close)


def within(picture: NDArray[np.uint8], body: Body) -> NDArray[np.uint8]:
    """The vehicle alone, with a little around it."""
    height, width = picture.shape[:2]
    left, top, right, bottom = body.box
    aside, above = 0.03 * (right - left), 0.03 * (bottom - top)
    first, last = round((left - aside) * width), round((right + aside) * width)
    high, low = round((top - above) * height), round((bottom + above) * height)
    return picture[max(high, 0) : min(max(low, high + 1), height), max(first, 0) : min(max(last, first + 1), width)]


def jpeg(picture: NDArray[np.uint8], max_bytes: int, qualities: Sequence[int] = (88, 75, 55, 35)) -> bytes:
    """As good as fits, the first of `qualities` that does; empty for a picture without points."""
    if picture.size == 0:
        return b""
    for quality in qualities:
        done, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, quality])
        if done and data.size <= max_bytes:
            return data.tobytes()
    half = cv2.resize(
        picture, (max(picture.shape[1] // 2, 1), max(picture.shape[0] // 2, 1)), interpolation=cv2.INTER_AREA
    )
    return jpeg(half.astype(np.uint8, copy=False), max_bytes, qualities)
