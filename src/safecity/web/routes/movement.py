"""When something moved in a part of what a camera recorded."""

from __future__ import annotations

import zlib
from typing import Annotated, Literal

from fastapi import Request
from pydantic import Field, model_validator

from safecity.core.ground.access.api import Action
from safecity.core.ground.exports.api import check_range
from safecity.kit.errors import InvalidError, UnavailableError
from safecity.model.facts.vision_calls import (
    MAX_MOVEMENT_REGIONS,
    MAX_MOVEMENT_SPAN_US,
    MOVEMENT_PATIENCE_SECONDS,
    MovementFound,
    SearchMovement,
)
from safecity.web.guard import Here, Routes, Who
from safecity.web.leaving import while_there
from safecity.web.media import choose_quality, note_movement
from safecity.web.shapes import Answer, Ask, Moment, Words, read_cursor, write_cursor

routes = Routes("channels")
Share = Annotated[float, Field(ge=0, le=1)]


class RegionShape(Ask):
    """A rectangle in shares of the picture's width and height, from the upper left."""

    left: Share
    top: Share
    right: Share
    bottom: Share

    @model_validator(mode="after")
    def _has_size(self) -> RegionShape:
        if self.left >= self.right or self.top >= self.bottom:
            raise ValueError("a rectangle has a width and a height")
        return self


class MovementAsk(Ask):
    """Where and when to look. `precise`: what the key frames propose is looked at picture by picture, so that finds in
    which nothing moved are none and the others begin and end with the movement; it takes longer. `cursor`: the `next`
    of the page before, with everything else unchanged."""

    start: Moment
    end: Moment
    regions: Annotated[list[RegionShape], Field(min_length=1, max_length=MAX_MOVEMENT_REGIONS)]
    sensitivity: Literal["low", "normal", "high"] = "normal"
    reason: Words = ""
    precise: bool = False
    cursor: Annotated[str, Field(max_length=200)] = ""


class BoxOut(Answer):
    """What moved of the searched part, in shares of the picture."""

    left: float
    top: float
    right: float
    bottom: float


class MovementOut(Answer):
    """Something moved after `start_us` and before `end_us`.

    `peak_us`: when most moved, `strength`: which share of the searched part that was. `everywhere`: the picture as a
    whole changed then, because the camera turned or a light was switched. `precise`: the times are those of the first
    and the last picture that show it, not of the key frames around (the last may be 0.4 s late).
    """

    start_us: int
    end_us: int
    peak_us: int
    strength: float
    everywhere: bool
    box: BoxOut
    precise: bool = False


class AbsentOut(Answer):
    """A stretch without footage, and why."""

    start_us: int
    end_us: int
    cause: str


class LookedAtOut(Answer):
    """What a page looked at: key frames of [start_us, end_us), `kept` of them by what an earlier search had computed;
    `unreadable` could not be decoded. `step_us`: the longest time between two that were compared, within which somebody
    may have come and gone unseen. `gaps`: where there is no footage, the first 200 of them; `missing_us`: how long
    there is none, all gaps together. `dismissed`: what the key frames proposed, and no picture between them shows."""

    start_us: int
    end_us: int
    frames: int
    kept: int
    unreadable: int
    step_us: int
    gaps: list[AbsentOut]
    missing_us: int
    dismissed: int = 0


class MovementPage(Answer):
    """In order of time. A find that fills a page to its end goes on in the next one. `next` is null when everything was
    looked at; a page without finds may have one."""

    items: list[MovementOut]
    looked_at: LookedAtOut
    next: str | None


@routes.post("/channels/{channel}/movement", Action.PLAYBACK_WATCH, once=False)
async def search_movement(channel: str, ask: MovementAsk, who: Who, here: Here, request: Request) -> MovementPage:
    """A page of a search for movement: some seconds of work. Whoever asks for no further page, or hangs up, has ended
    the search."""
    found = await here.channels.find(who, Action.PLAYBACK_WATCH, channel)
    check_range(ask.start, ask.end, MAX_MOVEMENT_SPAN_US)
    place = read_cursor(ask.cursor, int)
    start = ask.start if place is None else int(place[0])
    if not ask.start <= start < ask.end:
        raise InvalidError("a cursor of another search", code="cursor_invalid")
    slots = here.web.vision
    if not slots:
        raise UnavailableError("no vision slot", code="vision_off")
    await note_movement(here, who, found, ask.start, ask.end, ask.reason, begins=place is None)
    platform = await here.settings.read()
    message = SearchMovement(
        channel=channel,
        quality=choose_quality(found, str(found.record.get("quality", "main"))),
        start=start,
        end=ask.end,
        volumes=tuple(str(here.web.data_dir.absolute() / volume.path) for volume in platform.volumes),
        regions=tuple((one.left, one.top, one.right, one.bottom) for one in ask.regions),
        sensitivity=ask.sensitivity,
        precise=ask.precise,
    )
    slot = slots[zlib.crc32(channel.encode()) % len(slots)]  # always the same one: it keeps what it computed
    answer = await while_there(request, here.calls.call(slot, message, timeout=MOVEMENT_PATIENCE_SECONDS))
    if not isinstance(answer, MovementFound):
        raise UnavailableError("no finds", code="answer_unexpected")
    return _page(answer, start, ask.end)


def _page(answer: MovementFound, start: int, end: int) -> MovementPage:
    items = [
        MovementOut(
            start_us=one.start, end_us=one.end, peak_us=one.peak, strength=one.strength, everywhere=one.everywhere,
            box=BoxOut(left=one.box[0], top=one.box[1], right=one.box[2], bottom=one.box[3]), precise=one.precise,
        )
        for one in answer.found
    ]  # fmt: skip
    looked = LookedAtOut(
        start_us=start, end_us=answer.next or end, frames=answer.frames, kept=answer.kept,
        unreadable=answer.unreadable, step_us=answer.step_us,
        gaps=[AbsentOut(start_us=one.start, end_us=one.end, cause=one.cause) for one in answer.gaps],
        missing_us=answer.missing_us, dismissed=answer.dismissed,
    )  # fmt: skip
    return MovementPage(items=items, looked_at=looked, next=write_cursor(answer.next) if answer.next else None)
