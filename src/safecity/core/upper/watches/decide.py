"""A watch and its hits: what they say, how they live, and to whom a deadline that passed goes on. Pure."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from safecity.core.ground.alarms.api import ADMINISTRATORS, check_seats
from safecity.core.ground.passages.api import Passage, check_purpose
from safecity.core.ground.vehicles.api import Pattern, read_pattern
from safecity.kit.clock import SECOND_US
from safecity.kit.errors import ConflictError, InvalidError

DAY_US: Final = 86_400 * SECOND_US
LEAST_SIGNS: Final = 3
"""Signs that a pattern must name: fewer fit half a city, and an alarm for everybody is one for nobody."""
METHOD: Final = "watch"
NOT_IT: Final = "not_it"
"""What is reported of a hit that was another vehicle."""
"""Of the alarms that hits raise, in place of a method of GB/T 28181."""
EXACT: Final = "exact"
NEAR: Final = "near"


@dataclass(frozen=True, kw_only=True, slots=True)
class WatchSettings:
    """How long somebody has to sign for a hit and to report on it, how long a watch may last, and how long it is kept
    with its hits after its end."""

    sign_minutes: int = 5
    report_hours: int = 24
    longest_days: int = 180
    keep_days: int = 180

    @property
    def sign_us(self) -> int:
        return self.sign_minutes * 60 * SECOND_US

    @property
    def report_us(self) -> int:
        return self.report_hours * 3600 * SECOND_US


class WatchState(StrEnum):
    """Life of a watch."""

    PROPOSED = "proposed"
    APPROVED = "approved"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


ALLOWED: Final = {
    WatchState.PROPOSED: {WatchState.APPROVED, WatchState.REFUSED, WatchState.WITHDRAWN, WatchState.EXPIRED},
    WatchState.APPROVED: {WatchState.WITHDRAWN, WatchState.EXPIRED},
    WatchState.REFUSED: set[WatchState](),
    WatchState.WITHDRAWN: set[WatchState](),
    WatchState.EXPIRED: set[WatchState](),
}


class HitState(StrEnum):
    """`live`: what was said of the passage still fits; `taken_back`: it was corrected or withdrawn; `called_off`: the
    watch was withdrawn before anybody had reported."""

    LIVE = "live"
    TAKEN_BACK = "taken_back"
    CALLED_OFF = "called_off"


@dataclass(frozen=True, kw_only=True, slots=True)
class Watch:
    """A standing order for one vehicle, or for a pattern of plates. It never changes but for its state: who wants
    another one withdraws it, or what was approved would not be what is in force.

    plate           pattern as `read_pattern` writes it; colours and class, where given, must not contradict
    near            one character that readers take for another still hits, and is shown as such
    purpose         only passages that are kept for it are compared
    seats, further  who gets its alarms, and who does after them where a deadline passes
    restricted      passages of restricted tollgates are compared too: who approved it may see them
    origin          of another library: its device and identifier, empty for what people enter
    changed         number of its last change among all watches; who follows them reads on from there
    """

    id: str
    plate: str
    near: bool = True
    plate_colour: str = ""
    colour: str = ""
    vehicle_class: str = ""
    reason: str
    case_number: str = ""
    purpose: str
    priority: int = 1
    valid_from: int
    valid_until: int
    area: str | None = None
    area_path: str = "/"
    organisation: str | None = None
    organisation_path: str = "/"
    seats: frozenset[str]
    further: frozenset[str] = frozenset()
    state: WatchState = WatchState.PROPOSED
    restricted: bool = False
    proposed_by: str
    proposed_name: str
    proposed_at: int
    decided_by: str = ""
    decided_name: str = ""
    decided_at: int | None = None
    decision: str = ""
    ended_by: str = ""
    ended_name: str = ""
    ended_at: int | None = None
    ending: str = ""
    keep_until: int | None = None
    origin: str | None = None
    changed: int = 0
    revision: int = 1

    @property
    def pattern(self) -> Pattern:
        found = read_pattern(self.plate)
        assert found is not None
        return found

    def in_force(self, at: int) -> bool:
        """Whether it is approved and its time has come and is not over."""
        return self.state is WatchState.APPROVED and self.valid_from <= at < self.valid_until


@dataclass(frozen=True, kw_only=True, slots=True)
class Hit:
    """A watch met its target. What was seen is copied: a passage may be forgotten before the watch is.

    kind       `exact` or `near`; `differs` is the place of the character that was read otherwise, from 0
    late       the passage was told long after the vehicle passed
    audience   seats it is for, as of its alarm
    """

    id: str
    watch: str
    passage: str
    alarm: str
    state: HitState = HitState.LIVE
    kind: str
    differs: int | None = None
    plate: str
    tollgate: str | None
    place_name: str
    device: str | None
    lane: int | None
    direction: str
    speed_kmh: float | None
    at: int
    raised_at: int
    late: bool = False
    restricted: bool = False
    area_path: str
    organisation_path: str
    audience: frozenset[str]


def check_watch(watch: Watch, now: int, settings: WatchSettings) -> Watch:
    """InvalidError `watch_invalid` names the field that is wrong, `plate_pattern`, `plate_vague`, `purpose_needed`,
    `seat_invalid` what they say."""
    check_plate(watch.plate)
    check_purpose(watch.purpose)
    check_seats(watch.seats)
    check_seats(watch.further)
    _need(bool(watch.reason.strip()), "reason")
    _need(bool(watch.seats), "seats")
    _need(1 <= watch.priority <= 4, "priority")
    _need(watch.valid_from < watch.valid_until and now < watch.valid_until, "until")
    _need(watch.valid_until - watch.valid_from <= settings.longest_days * DAY_US, "until")
    return watch


def check_plate(text: str) -> Pattern:
    """What is watched for; InvalidError `plate_pattern` or `plate_vague` for what nobody could watch for."""
    pattern = read_pattern(text)
    if pattern is None or sum(letter != "?" for part in pattern.parts for letter in part) < LEAST_SIGNS:
        raise InvalidError("too few characters", code="plate_vague", params={"least": LEAST_SIGNS})
    return pattern


def move_to(watch: Watch, state: WatchState) -> Watch:
    """ConflictError `watch_state` when the life of a watch does not go that way."""
    if state not in ALLOWED[watch.state]:
        raise ConflictError(
            f"watch {watch.id} is {watch.state}", code="watch_state", params={"state": str(watch.state)}
        )
    return replace(watch, state=state, revision=watch.revision + 1)


def concerns(watch: Watch, passage: Passage, now: int) -> bool:
    """Whether a passage is one that the watch may be held against at all, whatever its plate."""
    return watch.in_force(passage.at) and watch.in_force(now) and agrees(watch, passage)


def agrees(watch: Watch, passage: Passage) -> bool:
    """The same, whatever time it is and whatever became of the watch."""
    return (
        watch.purpose in passage.purposes
        and passage.area_path.startswith(watch.area_path)
        and passage.organisation_path.startswith(watch.organisation_path)
        and (watch.restricted or not passage.restricted)
        and _agrees(watch.plate_colour, passage.plate_colour)
        and _agrees(watch.colour, passage.colour)
        and kinds_agree(watch.vehicle_class, passage.vehicle_class)
    )


def _agrees(wanted: str, seen: str) -> bool:
    """What was not seen contradicts nothing."""
    return not wanted or not seen or wanted == seen


def kinds_agree(wanted: str, seen: str) -> bool:
    """Codes of GA/T 16.4 grow more exact to their end: `H` are lorries of all sizes. A camera that says less than is
    wanted contradicts nothing."""
    return seen.startswith(wanted) or wanted.startswith(seen)


def audience_of(watch: Watch, passage: Passage) -> frozenset[str]:
    """Passages of restricted tollgates are for administrators alone, and so are hits there."""
    return frozenset({ADMINISTRATORS}) if passage.restricted else watch.seats


def goes_on_to(now: frozenset[str], further: frozenset[str], above: frozenset[str]) -> frozenset[str] | None:
    """Seats of an alarm that nobody took care of in time: those named for it, then the organisations `above` those it
    is for, then the administrators; None where nobody is left. Whoever had it keeps it."""
    for more in (further, above, frozenset({ADMINISTRATORS})):
        if more - now:
            return now | more
    return None


def _need(good: bool, name: str) -> None:
    if not good:
        raise InvalidError(f"{name}: not a value for it", code="watch_invalid", params={"field": name})
