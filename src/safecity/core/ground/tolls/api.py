"""What roads cost."""

from safecity.core.ground.tolls.decide import MAX_TOLLS, Crossing, Gantry, Price, Toll, VehicleClass, price, thing_of
from safecity.core.ground.tolls.service import TollBook
from safecity.core.ground.tolls.store import any_under
from safecity.core.ground.tolls.teller import TollTeller

__all__ = [
    "MAX_TOLLS", "Crossing", "Gantry", "Price", "Toll", "TollBook", "TollTeller", "VehicleClass", "any_under", "price",
    "thing_of",
]  # fmt: skip
