"""Has the decoder of G.726 compiled when the first stream needs it, beside everything else that goes on.

Compiled it costs a hundredth. The compiler is in the extra `roads`: without it few streams are decoded at once
(`PLAIN_STREAMS`).
"""

from __future__ import annotations

import logging
import threading
from array import array
from pathlib import Path
from typing import Any, cast

from safecity.kit.kernels import keep_kernels
from safecity.protocols.sound import g726
from safecity.protocols.sound.room import Decode, SoundRoom

logger = logging.getLogger(__name__)


def compile_beside(room: SoundRoom) -> threading.Thread:
    """Begin; until it is there the plain one goes on."""
    thread = threading.Thread(target=_hand_over, args=(room,), name="compiler", daemon=True)
    thread.start()
    return thread


def _hand_over(room: SoundRoom) -> None:
    try:
        room.use(compiled_decode())
    except ImportError:
        logger.warning("no compiler (extra roads): sound of G.726 is decoded for few streams at once")
    except Exception:
        logger.exception("the decoder of G.726 could not be compiled")


def compiled_decode() -> Decode:
    """`g726.decode` as machine code. ImportError without the compiler."""
    import numba
    from numba.extending import register_jitable

    kept = keep_kernels(numba.config, Path(g726.__file__).parent)  # pyright: ignore
    for helper in (g726.product, g726.short_float):
        register_jitable(helper)
    made: Any = numba.njit(cache=kept, nogil=True, error_model="numpy")(g726.decode)  # pyright: ignore
    tables = g726.LEVELS, g726.SCALES, g726.SPEEDS, g726.LENGTHS
    made(g726.new_state(), b"\0", array("h", bytes(4)), 4, False, *tables)  # for these types, now and not in a stream
    return cast(Decode, made)
