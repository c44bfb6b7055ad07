"""Libraries below us (GA/T 1400), and what we ask of them."""

from safecity.core.ground.lowers.decide import FORMS, SUBSCRIBABLE, Lower, Order, OrderKind, OrderState
from safecity.core.ground.lowers.found import ToldGate
from safecity.core.ground.lowers.hearing import Hearing
from safecity.core.ground.lowers.service import Lowers, Standing
from safecity.core.ground.lowers.teller import AskLower, LowerTeller
from safecity.core.ground.lowers.watching import (
    Wanted,
    answered,
    asked_by,
    brought_by,
    place,
    sent_down,
    take_back,
    watching,
)

__all__ = [
    "FORMS",
    "SUBSCRIBABLE",
    "AskLower",
    "Hearing",
    "Lower",
    "LowerTeller",
    "Lowers",
    "Order",
    "OrderKind",
    "OrderState",
    "Standing",
    "ToldGate",
    "Wanted",
    "answered",
    "asked_by",
    "brought_by",
    "place",
    "sent_down",
    "take_back",
    "watching",
]
