"""The globe, as a ball."""

from __future__ import annotations

import math
from typing import Final

EARTH_METRES: Final = 6_371_008.8
"""Mean radius (IUGG)."""
METRES_OF_DEGREE: Final = EARTH_METRES * math.pi / 180
"""Of latitude; of longitude at the equator."""
