"""Whether the machine's own time service keeps its clock, as the kernel knows it. Reads, never sets."""

from __future__ import annotations

import ctypes

_ERROR = 5  # TIME_ERROR: nobody keeps this clock


class _Timex(ctypes.Structure):
    """`struct timex`: only `modes` is said, 0 = nothing to change; room for what the kernel answers."""

    _fields_ = (("modes", ctypes.c_uint), ("rest", ctypes.c_byte * 512))


def is_kept() -> bool | None:
    """None where the kernel cannot be asked."""
    try:
        state = ctypes.CDLL(None, use_errno=True).adjtimex(ctypes.byref(_Timex()))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state != _ERROR
