"""What an operator keeps on the desk: saved views, tours, and the lock of a PTZ camera."""

from safecity.core.ground.desk.cruises import Cruise
from safecity.core.ground.desk.service import Desk
from safecity.core.ground.desk.store import PtzLock, Saved

__all__ = ["Cruise", "Desk", "PtzLock", "Saved"]
