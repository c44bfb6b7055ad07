"""Keeping the other duties at what people set."""

from safecity.core.ground.duties.demands import forget_demand, keep_demand
from safecity.core.ground.duties.desired import Desired, Keepalive, desired, policy, slot_settings
from safecity.core.ground.duties.keys import TicketKeys
from safecity.core.ground.duties.loop import Duties, DutySettings
from safecity.core.ground.duties.placement import Placement

__all__ = [
    "Desired",
    "Duties",
    "DutySettings",
    "Keepalive",
    "Placement",
    "TicketKeys",
    "desired",
    "forget_demand",
    "keep_demand",
    "policy",
    "slot_settings",
]
