"""How far this machine's clock is off, measured and never set."""

from safecity.core.ground.timekeeping.decide import Standing, TimeServer, servers_of
from safecity.core.ground.timekeeping.record import ClockRecord
from safecity.core.ground.timekeeping.service import Ask, Measure, Timekeeper

__all__ = ["Ask", "ClockRecord", "Measure", "Standing", "TimeServer", "Timekeeper", "servers_of"]
