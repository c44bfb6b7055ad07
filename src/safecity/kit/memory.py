"""Memory that was needed once is given back to the system."""

from __future__ import annotations

import ctypes
from collections.abc import Callable


def _find_trim() -> Callable[[int], int] | None:
    """malloc_trim(3) of the GNU C library; other C libraries have none."""
    try:
        return ctypes.CDLL(None).malloc_trim
    except (OSError, AttributeError):
        return None


_trim = _find_trim()


def give_back_memory() -> bool:
    """Free pages between what is in use go back to the system; False where the C library cannot.

    Takes about 0.15 ms per MiB given back, during which other threads wait to allocate: for once after a flood, not for
    each turn. The allocator alone gives back only what lies at the end of its heap.
    """
    return _trim is not None and bool(_trim(0))
