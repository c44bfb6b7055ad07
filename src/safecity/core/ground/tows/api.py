"""Vehicles that are to be taken away."""

from safecity.core.ground.tows.decide import Tow, TowReason, TowState, thing_of
from safecity.core.ground.tows.service import Tows
from safecity.core.ground.tows.store import any_under

__all__ = ["Tow", "TowReason", "TowState", "Tows", "any_under", "thing_of"]
