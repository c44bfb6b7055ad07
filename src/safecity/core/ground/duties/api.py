"""Keeping the other duties at what people set."""

from safecity.core.ground.duties.desired import Desired, Keepalive, desired, policy, slot_settings
from safecity.core.ground.duties.keys import TicketKeys
from safecity.core.ground.duties.loop import Duties, DutySettings

__all__ = ["Desired", "Duties", "DutySettings", "Keepalive", "TicketKeys", "desired", "policy", "slot_settings"]
