"""Vehicles in the hands of people: what they are told to do, the fences they are held against, where
they were, and what they took."""

from safecity.core.upper.fleet.beaconing import Beacons
from safecity.core.upper.fleet.beacons import MAX_FEATURES, OLD_DAYS, Refused, features_of
from safecity.core.upper.fleet.copies import Copy, FenceWriter
from safecity.core.upper.fleet.fences import EVERY_DAY, Fence
from safecity.core.upper.fleet.following import FenceFollower
from safecity.core.upper.fleet.journeys import Journey
from safecity.core.upper.fleet.mail import Mailroom
from safecity.core.upper.fleet.media import VehicleMedia, attachment
from safecity.core.upper.fleet.mediatable import VehicleMedium
from safecity.core.upper.fleet.orders import VehicleOrders
from safecity.core.upper.fleet.phones import LONGEST_HOURS, Call, Phones
from safecity.core.upper.fleet.replay import Replay
from safecity.core.upper.fleet.service import Fences
from safecity.core.upper.fleet.shapes import ShapeKind
from safecity.core.upper.fleet.store import any_of, any_under

__all__ = [
    "EVERY_DAY",
    "LONGEST_HOURS",
    "MAX_FEATURES",
    "OLD_DAYS",
    "Beacons",
    "Call",
    "Copy",
    "Fence",
    "FenceFollower",
    "FenceWriter",
    "Fences",
    "Journey",
    "Mailroom",
    "Phones",
    "Refused",
    "Replay",
    "ShapeKind",
    "VehicleMedia",
    "VehicleMedium",
    "VehicleOrders",
    "any_of",
    "any_under",
    "attachment",
    "features_of",
]
