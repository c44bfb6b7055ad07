"""Alarms: they ask somebody to look."""

from safecity.core.ground.alarms.audience import ADMINISTRATORS, Hearing, check_seats, hearing
from safecity.core.ground.alarms.pictures import AlarmPictures
from safecity.core.ground.alarms.service import Alarms, may_see, move_to, report_on, thing_of
from safecity.core.ground.alarms.store import (
    Alarm,
    AlarmState,
    add,
    due_by,
    find,
    find_many,
    in_state,
    is_raised_after,
    next_due,
    of_event,
    of_events,
    open_of,
    remove,
    save,
    stock,
)

__all__ = [
    "ADMINISTRATORS",
    "Alarm",
    "AlarmPictures",
    "AlarmState",
    "Alarms",
    "Hearing",
    "add",
    "check_seats",
    "due_by",
    "find",
    "find_many",
    "hearing",
    "in_state",
    "is_raised_after",
    "may_see",
    "move_to",
    "next_due",
    "of_event",
    "of_events",
    "open_of",
    "remove",
    "report_on",
    "save",
    "stock",
    "thing_of",
]
