"""The duty `traffic`. What computes (`city`, `following`) is loaded when there is a network."""

from safecity.core.upper.traffic.slot import TrafficSlot

__all__ = ["TrafficSlot"]
