"""A violation from candidate to record: what it says, what its evidence must show, how it lives. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, Final

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError, InvalidError

DAY_US: Final = 86_400 * SECOND_US
MAX_CLOCK_ERROR_MS: Final = 1000
"""GA/T 832: the time that stands on evidence is right to the second."""
LEAST_WIDTH, LEAST_HEIGHT = 1280, 720
STANDING_US: Final = 10 * SECOND_US
"""Between the first and the last picture of who stands where nobody may (GA/T 832)."""
LEAST_MOVE: Final = 0.25
"""Of the vehicle's own height or width in the picture: less can be a picture that trembles."""
STOOD: Final = 0.5
"""Of the same: who moved further did not stand."""
MAX_PICTURES: Final = 6
CROPS: Final = frozenset({"02", "09"})
"""Kinds of pictures that show a part: the plate, a close-up."""
MADE: Final = frozenset({"restored"})
"""What no camera took is no evidence."""


class Kind(StrEnum):
    """What the vehicle did. `other`: what a camera calls so, in its own code and words."""

    RED_LIGHT = "red_light"
    SOLID_LINE = "solid_line"
    WRONG_WAY = "wrong_way"
    ILLEGAL_STOP = "illegal_stop"
    LANE_DISOBEYED = "lane_disobeyed"
    SECTION_SPEED = "section_speed"
    SPOT_SPEED = "spot_speed"
    OTHER = "other"


SPEEDS: Final = frozenset({Kind.SECTION_SPEED, Kind.SPOT_SPEED})


class State(StrEnum):
    """Life of a violation. Only what two people confirmed leaves the platform."""

    PROPOSED = "proposed"
    REVIEWED = "reviewed"
    CONFIRMED = "confirmed"
    VOID = "void"


ALLOWED: Final = {
    State.PROPOSED: {State.REVIEWED, State.VOID},
    State.REVIEWED: {State.CONFIRMED, State.VOID},
    State.CONFIRMED: {State.VOID},  # an appeal that is right
    State.VOID: set[State](),
}


class Void(StrEnum):
    """Why a violation counts for nothing, in the order of the keys 1 to 9 and 0 at the desk; the last two are the
    platform's own."""

    NO_OFFENCE = "no_offence"
    PLATE_UNREADABLE = "plate_unreadable"
    OTHER_VEHICLE = "other_vehicle"
    FORCED = "forced"
    EMERGENCY = "emergency"
    SIGNAL_FAULT = "signal_fault"
    EVIDENCE_POOR = "evidence_poor"
    DUPLICATE = "duplicate"
    APPEAL = "appeal"
    OTHER = "other"
    EXEMPT = "exempt"
    TAKEN_BACK = "taken_back"


BY_RULE: Final = frozenset({Void.EXEMPT, Void.TAKEN_BACK})
"""Nobody chooses these: an exempt vehicle is on the list, and what a source takes back is the source's."""


class Light(StrEnum):
    """What a signal showed. `unknown`: nobody said, or too late to be believed."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"
    FLASHING = "flashing"
    DARK = "dark"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Evidence:
    """A picture in `Blobs`. `kind` as GA/T 1400 numbers them (14 scene, 02 plate, 08 composite); `at` when it was
    taken; `box` where the vehicle is in it (left, top, right, bottom as shares), None where nobody says; `light` what
    the signal showed then."""

    key: str
    sha256: str
    size: int
    kind: str
    format: str
    width: int
    height: int
    at: int
    box: tuple[float, float, float, float] | None = None
    light: str = ""

    @property
    def full(self) -> bool:
        """Whether it is a full view, and not a part of one."""
        return self.kind not in CROPS | MADE

    @property
    def large(self) -> bool:
        return self.width >= LEAST_WIDTH and self.height >= LEAST_HEIGHT


@dataclass(frozen=True, kw_only=True, slots=True)
class Violation:
    """A candidate until two people have confirmed it.

    plate, plate_read       as the first review left it, and as it was read; `confidence` of the reading, 0 to 1
    code                    of the offence (GA/T 16.31), empty where only the words of `kind` or `words` are sure
    place_name, direction   as they stand on the evidence
    clock_error_ms          the largest error of the time, as whoever measured states it; None: nobody does
    light, light_source     what the signal showed at the offence, and who says so: `controller`, `lamps`, `camera`
    speed_kmh, speed_error_kmh, limit_kmh   of a speed; `certificate` of the instrument, empty for an estimate
    unfit                   what the evidence lacks; while there is anything nobody can confirm it
    origin, reference       who proposed it, and their own name for it: proposed again it is the same
    first_*, second_*       who reviewed and confirmed it, and when
    """

    id: str
    kind: Kind
    code: str = ""
    words: str = ""
    state: State = State.PROPOSED
    plate: str
    plate_read: str
    confidence: float | None = None
    plate_colour: str = ""
    vehicle_class: str = ""
    tollgate: str | None = None
    channel: str | None = None
    lane: int | None = None
    place_name: str = ""
    direction: str = ""
    at: int
    seen: int
    clock_error_ms: int | None = None
    light: str = ""
    light_source: str = ""
    speed_kmh: float | None = None
    speed_error_kmh: float | None = None
    limit_kmh: float | None = None
    certificate: str = ""
    pictures: tuple[Evidence, ...] = ()
    unfit: frozenset[str] = frozenset()
    details: dict[str, Any] = field(default_factory=dict[str, Any])
    origin: str
    reference: str
    passages: tuple[str, ...] = ()
    area_path: str = "/"
    organisation_path: str = "/"
    restricted: bool = False
    first_by: str = ""
    first_name: str = ""
    first_at: int | None = None
    second_by: str = ""
    second_name: str = ""
    second_at: int | None = None
    void_reason: str = ""
    void_words: str = ""
    void_by: str = ""
    void_name: str = ""
    void_at: int | None = None
    exported_at: int | None = None
    exports: int = 0
    held_by: str = ""
    held_until: int = 0
    keep_until: int
    revision: int = 1


def unreviewed(one: Violation) -> Violation:
    """What whoever proposed it may see of it: how it stands, but not who reviewed it nor in which words."""
    return replace(
        one, plate=one.plate_read, first_by="", first_name="", first_at=None, second_by="", second_name="",
        second_at=None, void_words="", void_by="", void_name="", void_at=None, exported_at=None, exports=0,
    )  # fmt: skip


def check(one: Violation) -> Violation:
    """InvalidError `violation_invalid` names the field that is wrong."""
    _need(one.lane is None or 1 <= one.lane <= 99, "lane")
    _need(one.clock_error_ms is None or 0 <= one.clock_error_ms <= 86_400_000, "clock_error_ms")
    _need(one.kind is not Kind.OTHER or bool(one.code or one.words.strip()), "words")
    _need(len(one.pictures) <= MAX_PICTURES, "pictures")
    if one.kind in SPEEDS:
        _need(one.speed_kmh is not None and 0 < one.speed_kmh <= 400, "speed_kmh")
        _need(one.speed_error_kmh is not None and 0 <= one.speed_error_kmh <= 400, "speed_error_kmh")
        _need(one.limit_kmh is not None and 5 <= one.limit_kmh <= 200, "limit_kmh")
    for picture in one.pictures:
        box = picture.box
        good = box is None or (0 <= box[0] < box[2] <= 1 and 0 <= box[1] < box[3] <= 1)
        _need(good, "box")
    return one


def lacking(one: Violation) -> frozenset[str]:
    """What the evidence set lacks (GA/T 832, and what the asked measurement needs). Empty: it is fit.

    `clock_unstated`, `clock_wrong`, `place`, `plate`, `pictures` (fewer than two full views at different times),
    `small`, `still` (no movement to be seen), `moved` (who should stand did not), `short` (less than ten seconds
    between), `light`, `speed` (the lower end of the estimate is not above the limit), `estimate` (a spot speed without
    a certified instrument).
    """
    found: set[str] = set()
    if one.clock_error_ms is None:
        found.add("clock_unstated")
    elif one.clock_error_ms > MAX_CLOCK_ERROR_MS:
        found.add("clock_wrong")
    if not one.place_name and one.tollgate is None:
        found.add("place")
    if not one.plate or "?" in one.plate:
        found.add("plate")
    if one.kind is Kind.RED_LIGHT and one.light != Light.RED:
        found.add("light")
    if one.kind in SPEEDS:
        lower = (one.speed_kmh or 0) - (one.speed_error_kmh or 0)
        if lower <= (one.limit_kmh or 0):
            found.add("speed")
        if one.kind is Kind.SPOT_SPEED and not one.certificate:
            found.add("estimate")
    return frozenset(found | _pictures_lack(one))


def _pictures_lack(one: Violation) -> set[str]:
    views = sorted((picture for picture in one.pictures if picture.full), key=lambda each: each.at)
    large = [picture for picture in views if picture.large]
    if len({picture.at for picture in views}) < 2:
        return {"pictures"}
    if len({picture.at for picture in large}) < 2:
        return {"small"}
    found: set[str] = set()
    first, last = large[0], large[-1]
    if one.kind is Kind.ILLEGAL_STOP and last.at - first.at < STANDING_US:
        found.add("short")
    if one.kind is Kind.SECTION_SPEED:  # two places: there is no way within one picture
        return found
    way = moved(first, last)
    if way is not None and one.kind is Kind.ILLEGAL_STOP and way > STOOD:
        found.add("moved")
    if way is not None and one.kind is not Kind.ILLEGAL_STOP and way < LEAST_MOVE:
        found.add("still")
    return found


def moved(first: Evidence, last: Evidence) -> float | None:
    """How far the vehicle went from one picture to the other, in its own sizes; None where nobody says where it is."""
    if first.box is None or last.box is None:
        return None
    wide, high = (max(first.box[side + 2] - first.box[side], 1e-6) for side in (0, 1))
    across, along = ((last.box[n] + last.box[n + 2] - first.box[n] - first.box[n + 2]) / 2 for n in (0, 1))
    return max(abs(across) / wide, abs(along) / high)


@dataclass(frozen=True, kw_only=True, slots=True)
class ViolationSettings:
    """How long candidates are kept that nobody decided on, what was void, and what was confirmed; for how long one who
    judges has a candidate to themselves; and the code that a candidate of each kind gets where whoever proposes it says
    none (GA/T 16.31 and the ministry's lists after it).

    Codes of speed depend on road, vehicle and excess, and have changed: none is made up here. Whoever does the first
    review enters it, or the city sets one.
    """

    open_days: int = 90
    void_days: int = 30
    confirmed_days: int = 730
    hold_minutes: int = 10
    code_red_light: str = "1625"
    code_solid_line: str = "1345"
    code_wrong_way: str = "1301"
    code_illegal_stop: str = "1039"
    code_lane_disobeyed: str = "1208"
    code_section_speed: str = ""
    code_spot_speed: str = ""

    def code_of(self, kind: Kind) -> str:
        """Empty where only the words of the kind are sure."""
        return "" if kind is Kind.OTHER else getattr(self, f"code_{kind}")

    def keep_until(self, state: State, now: int) -> int:
        days = {State.VOID: self.void_days, State.CONFIRMED: self.confirmed_days}.get(state, self.open_days)
        return now + days * DAY_US


def move_to(one: Violation, state: State) -> Violation:
    """ConflictError `violation_state` when its life does not go that way."""
    if state not in ALLOWED[one.state]:
        raise ConflictError(f"{one.id} is {one.state}", code="violation_state", params={"state": str(one.state)})
    return replace(one, state=state, revision=one.revision + 1, held_by="", held_until=0)


def check_fit(one: Violation) -> None:
    """ConflictError `violation_unfit`: what its evidence lacks nobody can make good by a review."""
    if one.unfit:
        raise ConflictError(
            "not fit as evidence", code="violation_unfit", params={"lacks": " ".join(sorted(one.unfit))}
        )


def check_void(reason: Void, words: str) -> None:
    """InvalidError `void_reason` for what nobody chooses, and for `other` without words."""
    if reason in BY_RULE or (reason is Void.OTHER and not words.strip()):
        raise InvalidError("not a reason to choose", code="void_reason", params={"reason": str(reason)})


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="violation_invalid", params={"field": name})
