"""Tollgates: fixed places that record every passing vehicle, and their lanes."""

from safecity.core.ground.tollgates.decide import MAX_CORNERS, Lane, Purpose, Tollgate
from safecity.core.ground.tollgates.service import Tollgates, find_tollgate, reported_by, thing_of
from safecity.core.ground.tollgates.store import (
    any_of,
    any_under,
    everything,
    find,
    find_by_code,
    find_many,
    meant,
    some_under,
)

__all__ = [
    "MAX_CORNERS",
    "Lane",
    "Purpose",
    "Tollgate",
    "Tollgates",
    "any_of",
    "any_under",
    "everything",
    "find",
    "find_by_code",
    "find_many",
    "find_tollgate",
    "meant",
    "reported_by",
    "some_under",
    "thing_of",
]
