"""Alarms: they ask somebody to look."""

from safecity.core.ground.alarms.pictures import AlarmPictures
from safecity.core.ground.alarms.service import Alarms, move_to, thing_of
from safecity.core.ground.alarms.store import Alarm, AlarmState, add, find, of_event, open_of, save

__all__ = [
    "Alarm",
    "AlarmPictures",
    "AlarmState",
    "Alarms",
    "add",
    "find",
    "move_to",
    "of_event",
    "open_of",
    "save",
    "thing_of",
]
