"""Closures of roads."""

from safecity.core.ground.closures.decide import MAX_CLOSURES, Closure, ClosureKind
from safecity.core.ground.closures.service import Closures, thing_of
from safecity.core.ground.closures.store import any_under

__all__ = ["MAX_CLOSURES", "Closure", "ClosureKind", "Closures", "any_under", "thing_of"]
