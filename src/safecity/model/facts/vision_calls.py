"""What control and a vision slot (address `vision-N`) say to one another.

Fields are only ever added at the end. Times are microseconds UTC; points are shares of the picture's width and height.
"""

from __future__ import annotations

from typing import Final

from safecity.model.facts.media_calls import Message
from safecity.model.values.media import Quality

MAX_MOVEMENT_SPAN_US: Final = 7 * 86_400_000_000
"""Of one search."""
MAX_MOVEMENT_REGIONS: Final = 8
MAX_MOVEMENT_PAGES: Final = 10
"""That wait for their turn at one slot, the one that has it included."""
MOVEMENT_PAGE_SECONDS: Final = 3.0
"""A page ends with the piece of footage in which it has taken so long."""
MOVEMENT_PATIENCE_SECONDS: Final = 2 * MOVEMENT_PAGE_SECONDS * MAX_MOVEMENT_PAGES
"""So long whoever asks for a page waits: for all before it too, although that last piece takes each as long again."""


class LaneZone(Message, frozen=True):
    """Where a lane lies in the picture: the corners of a polygon. `unread`: vehicles that drive through it and whose
    plate is not read are told, too, without one; they are counted in any case."""

    number: int
    area: tuple[tuple[float, float], ...]
    unread: bool = False


class PlateTask(Message, frozen=True):
    """Read the plates of what passes before a camera.

    slot       media slot that has the stream
    fps        pictures looked at in a second; 0: key frames alone
    priority   1 is kept up longest when the processors are not enough
    tollgate   whose passages they are; `lane` None where the camera looks at several
    scene      JSON of what is drawn on the picture (`vision.enforcement.scene`); empty: nothing is judged
    zones      where its lanes lie; then who drives in none of them is told without a lane
    """

    channel: str
    slot: str
    tollgate: str
    lane: int | None = None
    quality: Quality = Quality.MAIN
    fps: float = 5.0
    priority: int = 3
    scene: str = ""
    zones: tuple[LaneZone, ...] = ()


class ApplyVision(Message, frozen=True):
    """All that the slot is to do; what it does beyond that it ends. Answer: Done."""

    revision: int
    plates: tuple[PlateTask, ...] = ()


class AskVision(Message, frozen=True):
    """Answer: VisionFigures."""


class TaskFigure(Message, frozen=True):
    """How one task goes. `state` is `starting`, `running`, `no_stream`, `decoder_failed`, `not_installed`, or
    `left_out` where the slot has more tasks than it takes.

    granted_fps    what the budget allows; less than `wanted_fps` when the processors are not enough; 0: key frames
    fps            pictures really judged, over the last seconds, those in which nothing moved included
    decode_ms, look_ms   processor time of a second of the stream, and of a picture that was looked at
    still          share of the pictures in which nothing moved, which were not looked at
    no_vehicle     readings that were told to nobody: signs by the road, clocks in the picture
    unpictured     vehicles told without a picture, because too many were in sight at once
    not_read       vehicles that drove through a zone and whose plate was not read, told or not
    """

    channel: str
    state: str
    wanted_fps: float
    granted_fps: float
    fps: float
    decode_ms: float
    look_ms: float
    still: float
    vehicles: int
    crashes: int
    no_vehicle: int = 0
    unpictured: int = 0
    not_read: int = 0


class VisionFigures(Message, frozen=True):
    """All tasks of the slot. `revision`: of what it was told, 0: nothing yet. `waiting`: readings that control has not
    taken yet; `lost`: those that its disk did not take or gave back wrong, and the oldest of too many that waited.
    `second_reader`: `used`, `absent` (not installed, or of no use), or empty where no plate was looked for yet."""

    tasks: tuple[TaskFigure, ...]
    revision: int = 0
    waiting: int = 0
    lost: int = 0
    second_reader: str = ""


class ShownPicture(Message, frozen=True):
    """A picture as JPEG; `kind` as GA/T 1400 numbers them (02 plate, 09 vehicle alone, 14 scene), or `restored`."""

    kind: str
    data: bytes


class NetworkUsed(Message, frozen=True):
    """Which network said so: its name and the SHA-256 of its file, hexadecimal."""

    name: str
    digest: str


class SpeedEstimated(Message, frozen=True):
    """How fast a vehicle drove, as our own pictures say: km/h, its standard uncertainty, how many pictures it rests on,
    and how many metres of road. No measurement, and no ground of a violation."""

    kmh: float
    uncertainty_kmh: float
    looks: int
    metres: float


class VehicleRead(Message, frozen=True):
    """One vehicle, once it has passed. Said again with the same `id` it is the same. Answer: Done.

    plate        empty where a vehicle drove through a lane's zone and nobody could read it
    confidence   0-1 of the whole text; `doubtful` below `threshold` or where it is not written as plates are
    signs        confidence of each sign
    corners      of the plate in the scene, from the upper left one clockwise
    sights       pictures in which it was read
    vehicle_*    what the user's own detector says where there is one: its label, the code of GA/T 16.4 for it, 0-1, and
                 left, top, right, bottom in the scene
    body         all of the vehicle in the scene: left, top, right, bottom
    body_from    what says so: `detector`, `movement`, or `plate` where its size alone does (an estimate)
    colour       of its body, as GA/T 1400 words it, how sure (0-1), and where it is empty the doubt: `dark`, `glare`,
                 `colourless`, `tinted`, `between` or `hidden`
    restored     what a doubtful plate could be once its blur is taken out, how sure, and that blur: its length as a
                 share of the plate's width, and its direction in degrees
    speed        an estimate, where the road is measured
    """

    id: str
    channel: str
    tollgate: str
    lane: int | None
    at: int
    plate: str
    confidence: float
    doubtful: bool
    threshold: float
    signs: tuple[float, ...]
    others: tuple[str, ...]
    country: str
    plate_colour: str
    plate_kind: str
    corners: tuple[tuple[float, float], ...]
    sights: int
    first: int
    last: int
    networks: tuple[NetworkUsed, ...]
    pictures: tuple[ShownPicture, ...] = ()
    vehicle_label: str = ""
    vehicle_class: str = ""
    vehicle_score: float = 0.0
    vehicle_box: tuple[float, ...] = ()
    restored: str = ""
    restored_confidence: float = 0.0
    restored_blur: float = 0.0
    restored_angle: float = 0.0
    body: tuple[float, ...] = ()
    body_from: str = ""
    colour: str = ""
    colour_confidence: float = 0.0
    colour_doubt: str = ""
    speed: SpeedEstimated | None = None


class SearchMovement(Message, frozen=True):
    """When something moved in a part of what a camera recorded, [start, end). Answer: MovementFound.

    start, end    MAX_MOVEMENT_SPAN_US apart at most
    volumes       folders of the recordings, absolute
    regions       rectangles, one to MAX_MOVEMENT_REGIONS: left, top, right, bottom
    sensitivity   `low`, `normal` or `high`
    precise       all pictures at the begin and end of a find are looked at: its times are theirs, and one where nothing
                  moved is none
    """

    channel: str
    quality: Quality
    start: int
    end: int
    volumes: tuple[str, ...]
    regions: tuple[tuple[float, float, float, float], ...]
    sensitivity: str = "normal"
    precise: bool = False


class MovementSeen(Message, frozen=True):
    """Something moved after `start` and before `end`.

    peak, strength   when most moved, and which share of the searched part that was
    box              what moved of it meanwhile: left, top, right, bottom
    everywhere       the picture as a whole changed at the peak: the camera turned, a light was switched
    precise          `start` and `end` are of the first and last picture that show it, of all that were recorded
    """

    start: int
    end: int
    peak: int
    strength: float
    box: tuple[float, float, float, float]
    everywhere: bool = False
    precise: bool = False


class NotThere(Message, frozen=True):
    """Nothing is recorded within [start, end), and why."""

    start: int
    end: int
    cause: str


class MovementFound(Message, frozen=True):
    """What a page of the search found, and what it looked at: [start of the request, next), to the end where `next`
    is 0.

    frames       key frames in it; `kept` of them from heat maps of earlier searches, `unreadable` could not be decoded
    step_us      the longest time between two that were compared: who came and went within it may not be seen
    gaps         where nothing is recorded, the first of them
    missing_us   how long nothing is recorded, all gaps together
    dismissed    finds of a precise search in which no picture shows movement
    """

    found: tuple[MovementSeen, ...]
    next: int
    frames: int
    kept: int
    unreadable: int
    step_us: int
    gaps: tuple[NotThere, ...]
    missing_us: int = 0
    dismissed: int = 0


class LightChange(Message, frozen=True):
    """From `at` on a signal shows `colour`: red, yellow, green, flashing, dark or unknown."""

    signal: str
    at: int
    colour: str


class LightsSaid(Message, frozen=True):
    """What a signal controller said, for whoever judges red lights; said again it changes nothing. Answer: Done."""

    changes: tuple[LightChange, ...]


class MomentShown(Message, frozen=True):
    """A picture of an offence as JPEG, with the vehicle's place in it (left, top, right, bottom) and what the signal
    showed. `kind` as GA/T 1400 numbers them."""

    kind: str
    at: int
    data: bytes
    box: tuple[float, ...] = ()
    light: str = ""


class OffenceSeen(Message, frozen=True):
    """A candidate of an offence, judged by what is drawn on the picture. Said again with the same `id` it is the same.
    Answer: Done.

    kind             red_light, solid_line, wrong_way, illegal_stop or lane_disobeyed
    clock_error_ms   the largest error of its times, as whoever drew the scene states it
    networks         those that read plates there, and from which confidence on a reading of theirs is not doubtful
    speed            an estimate, for whoever reviews it
    """

    id: str
    channel: str
    tollgate: str
    lane: int | None
    kind: str
    at: int
    plate: str
    confidence: float
    plate_colour: str
    words: str
    light: str
    light_source: str
    signal: str
    clock_error_ms: int
    pictures: tuple[MomentShown, ...] = ()
    networks: tuple[NetworkUsed, ...] = ()
    threshold: float = 0.0
    speed: SpeedEstimated | None = None
