"""What control itself tells on the bus: written with the change it tells of, drained afterwards."""

from safecity.core.ground.outbox.relay import Relay
from safecity.core.ground.outbox.store import add, waiting_since

__all__ = ["Relay", "add", "waiting_since"]
