"""What of the city's data is forgotten, and when."""

from safecity.core.ground.retention.service import Retention

__all__ = ["Retention"]
