"""Scenes: what is drawn on the picture of a camera, and what the signals on it show."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from fastapi import Path, Response
from pydantic import Field

from safecity.core.ground.access.api import Action
from safecity.core.ground.scenes.api import Drawn
from safecity.vision.enforcement.calibration import CAMERA_HEIGHTS, SIDES
from safecity.vision.enforcement.scene import SIGNAL, read_scene, write_scene
from safecity.web.guard import Here, Routes, Who
from safecity.web.shapes import Answer, Ask, IfMatch, Moment, OptionalMoment, read_revision, tag

routes = Routes("violations")
Share = Annotated[float, Field(ge=0, le=1)]
Point = Annotated[list[Share], Field(min_length=2, max_length=2)]
Area = Annotated[list[Point], Field(min_length=3, max_length=30)]
Line = Annotated[list[Point], Field(min_length=2, max_length=30)]
Region = Annotated[list[Share], Field(min_length=4, max_length=4)]
Heading = Annotated[list[Annotated[float, Field(ge=-1, le=1)]], Field(min_length=2, max_length=2)]
TurnWord = Literal["left", "straight", "right", "back"]
SignalName = Annotated[str, Field(max_length=40, pattern=f"^{SIGNAL}$")]
Light = Literal["red", "yellow", "green", "flashing", "dark", "unknown"]
LAMPS = ("red", "yellow", "green")


class SceneLane(Ask):
    """A lane before the stop line. `heading`: which way traffic goes, as a direction in the picture. `turns`: where
    its arrows allow to go. `signals`: the signal that holds for each way; a way that is not there is free."""

    number: Annotated[int, Field(ge=1, le=99)]
    area: Area
    heading: Heading
    turns: Annotated[list[TurnWord], Field(min_length=1, max_length=4)]
    signals: dict[TurnWord, SignalName] = Field(default_factory=dict[TurnWord, str])


class SceneExit(Ask):
    """Where vehicles come that went this way."""

    turn: TurnWord
    area: Area


class SceneZone(Ask):
    """Where nobody may stand for longer than so many seconds."""

    name: Annotated[str, Field(min_length=1, max_length=100)]
    area: Area
    seconds: Annotated[float, Field(ge=10, le=86_400)]


class SceneLamps(Ask):
    """Regions of the lamps of a signal (left, top, right, bottom), those that it has."""

    signal: SignalName
    red: Region | None = None
    yellow: Region | None = None
    green: Region | None = None


class SceneCalibration(Ask):
    """A rectangle on the road, by which speeds are estimated. `corners` in the picture, one after another around it,
    the first two across the road; metres from the first to the second, from the second to the third, and of the camera
    above the road."""

    corners: Annotated[list[Point], Field(min_length=4, max_length=4)]
    width_m: Annotated[float, Field(ge=SIDES[0], le=SIDES[1])]
    length_m: Annotated[float, Field(ge=SIDES[0], le=SIDES[1])]
    camera_height_m: Annotated[float, Field(ge=CAMERA_HEIGHTS[0], le=CAMERA_HEIGHTS[1])]


class SceneAsk(Ask):
    """All that is drawn on a camera's picture, as shares of its width and height, from the upper left corner.

    `clock_error_ms`: the largest error of the times of its pictures, also against the signals' clock; it stands on the
    evidence. `lamps`: where no controller says what a signal shows, it is read from them.
    """

    name: Annotated[str, Field(max_length=200)] = ""
    clock_error_ms: Annotated[int, Field(ge=0, le=60_000)]
    lanes: Annotated[list[SceneLane], Field(max_length=30)] = Field(default_factory=list[SceneLane])
    stop_lines: Annotated[list[Annotated[list[Point], Field(min_length=2, max_length=2)]], Field(max_length=30)] = (
        Field(default_factory=list[list[list[float]]])
    )
    solid_lines: Annotated[list[Line], Field(max_length=30)] = Field(default_factory=list[list[list[float]]])
    exits: Annotated[list[SceneExit], Field(max_length=30)] = Field(default_factory=list[SceneExit])
    zones: Annotated[list[SceneZone], Field(max_length=30)] = Field(default_factory=list[SceneZone])
    lamps: Annotated[list[SceneLamps], Field(max_length=30)] = Field(default_factory=list[SceneLamps])
    calibration: SceneCalibration | None = None


class SceneLaneOut(Answer):
    """A lane before the stop line."""

    number: int
    area: list[list[float]]
    heading: list[float]
    turns: list[TurnWord]
    signals: dict[str, str]


class SceneExitOut(Answer):
    """Where vehicles come that went this way."""

    turn: TurnWord
    area: list[list[float]]


class SceneZoneOut(Answer):
    """Where nobody may stand for longer than so many seconds."""

    name: str
    area: list[list[float]]
    seconds: float


class SceneLampsOut(Answer):
    """Regions of the lamps of a signal."""

    signal: str
    red: list[float] | None
    yellow: list[float] | None
    green: list[float] | None


class SceneCalibrationOut(Answer):
    """A rectangle on the road, by which speeds are estimated."""

    corners: list[list[float]]
    width_m: float
    length_m: float
    camera_height_m: float


class SceneOut(Answer):
    """What is drawn, and who drew it last. See `SceneAsk`."""

    channel: str
    name: str
    clock_error_ms: int
    lanes: list[SceneLaneOut]
    stop_lines: list[list[list[float]]]
    solid_lines: list[list[list[float]]]
    exits: list[SceneExitOut]
    zones: list[SceneZoneOut]
    lamps: list[SceneLampsOut]
    calibration: SceneCalibrationOut | None
    changed_by: str
    changed_at: Moment
    revision: int


class PhaseAsk(Ask):
    """From `at` on the signal shows `colour`."""

    at: Moment
    colour: Light


class PhasesAsk(Ask):
    """What a controller says, in any order: each change, or what it shows every few seconds. Said again it changes
    nothing and is a sign of life."""

    items: Annotated[list[PhaseAsk], Field(min_length=1, max_length=500)]


class PhasesTaken(Answer):
    """How many were taken."""

    taken: int


class SignalOut(Answer):
    """What a signal shows now, and since when; `unknown` where nothing was heard of it for three minutes."""

    signal: str
    colour: Light
    since: OptionalMoment


Named = Annotated[str, Path(max_length=40, description="As the scenes name it: lower case letters and digits.")]


@routes.get("/channels/{channel}/scene", Action.VIOLATION_SEE)
async def see_scene(channel: str, who: Who, here: Here, response: Response) -> SceneOut:
    """What is drawn on the camera's picture; 404 where nothing is."""
    return tag(response, _out(await here.scenes.see(who, channel)))


@routes.put("/channels/{channel}/scene", Action.VIOLATION_CHANGE)
async def put_scene(
    channel: str, ask: SceneAsk, who: Who, here: Here, response: Response, if_match: IfMatch = None
) -> SceneOut:
    """Draw it anew, whole. Ways are judged where a lane of a checkpoint says that plates are read by this camera."""
    drawn = await here.scenes.put(who, channel, read_scene(_said(ask)), read_revision(if_match))
    return tag(response, _out(drawn))


@routes.delete("/channels/{channel}/scene", Action.VIOLATION_CHANGE, status_code=204)
async def delete_scene(channel: str, who: Who, here: Here) -> None:
    """Nothing is judged there any more."""
    await here.scenes.remove(who, channel)


@routes.post("/signals/{signal}/phases", Action.VIOLATION_REPORT, once=False)
async def say_phases(signal: Named, ask: PhasesAsk, who: Who, here: Here) -> PhasesTaken:
    """For signal controllers. Times of the last quarter of an hour are taken, also late and out of order; a vehicle is
    judged five seconds after it has left the picture."""
    return PhasesTaken(taken=await here.signals.say(who, signal, [(one.at, one.colour) for one in ask.items]))


@routes.get("/signals/{signal}", Action.VIOLATION_SEE)
async def see_signal(signal: Named, who: Who, here: Here) -> SignalOut:
    """What it shows now, as far as its controller says."""
    return SignalOut.model_validate(await here.signals.now(who, signal))


def _said(ask: SceneAsk) -> dict[str, Any]:
    lamps = {
        one.signal: {colour: region for colour in LAMPS if (region := getattr(one, colour)) is not None}
        for one in ask.lamps
    }
    return {**ask.model_dump(), "lamps": lamps}


def _out(drawn: Drawn) -> SceneOut:
    own = {name: getattr(drawn, name) for name in ("channel", "changed_by", "changed_at", "revision")}
    said = write_scene(drawn.scene)
    lamps = [
        {"signal": name, **{colour: shown.get(colour) for colour in LAMPS}} for name, shown in said["lamps"].items()
    ]
    return SceneOut.model_validate({**said, **own, "lamps": lamps})
