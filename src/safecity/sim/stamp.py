"""When a coded picture was sent, written into the picture: what a strip is for eyes and browsers, for loads that are
coded once and sent for ever.

An SEI message with user data (ITU-T H.264, annex D.1.7) in front of the slices: decoders pass over it, the platform
carries it like everything else, and whoever reads the picture at the other end knows how old it is.
"""

from __future__ import annotations

from typing import Final

_NAME: Final = b"Safecity sent at"
"""The sixteen bytes that stand where a UUID is due."""
_HEAD: Final = b"\x06\x05\x20" + _NAME  # SEI, user data unregistered, 32 bytes
_DIGITS: Final = 16


def stamped(picture: bytes, at_us: int) -> bytes:
    """The access unit (Annex B) with the message as its first NAL unit; no zero byte in it needs escaping."""
    return b"\0\0\0\1" + _HEAD + b"%016d" % at_us + b"\x80" + picture


def read_stamp(picture: bytes) -> int | None:
    """Microseconds UTC, wherever it lies (Annex B, length-prefixed or in a fragment); None where there is none."""
    at = picture.find(_HEAD)
    if at < 0:
        return None
    digits = picture[at + len(_HEAD) : at + len(_HEAD) + _DIGITS]
    return int(digits) if len(digits) == _DIGITS and digits.isdigit() else None
