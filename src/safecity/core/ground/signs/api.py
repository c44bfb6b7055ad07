"""Guidance signs."""

from safecity.core.ground.signs.ahead import Trouble
from safecity.core.ground.signs.decide import GuidanceSign, SignMessage, SignReport, SignState, thing_of, width
from safecity.core.ground.signs.service import Signs, Standing, Suggested
from safecity.core.ground.signs.store import any_under
from safecity.core.ground.signs.teller import Teller

__all__ = [
    "GuidanceSign",
    "SignMessage",
    "SignReport",
    "SignState",
    "Signs",
    "Standing",
    "Suggested",
    "Teller",
    "Trouble",
    "any_under",
    "thing_of",
    "width",
]
