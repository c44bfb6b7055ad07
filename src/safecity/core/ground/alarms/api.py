"""Alarms: they ask somebody to look."""

from safecity.core.ground.alarms.service import Alarms, move_to, thing_of
from safecity.core.ground.alarms.store import Alarm, AlarmState, add, find, of_event, save

__all__ = ["Alarm", "AlarmState", "Alarms", "add", "find", "move_to", "of_event", "save", "thing_of"]
