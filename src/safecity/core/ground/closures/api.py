"""Closures of roads."""

from safecity.core.ground.closures.decide import MAX_CLOSURES, Closure, ClosureKind
from safecity.core.ground.closures.service import Closures, thing_of
from safecity.core.ground.closures.store import any_under
from safecity.core.ground.closures.tolls import TollTeller

__all__ = ["MAX_CLOSURES", "Closure", "ClosureKind", "Closures", "TollTeller", "any_under", "thing_of"]
