"""The box in which untrusted video is decoded: a child process that has its pipes and little else."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from typing import IO, Any, Final

from safecity.vision.live.wire import MAX_CHILD_BYTES

NOT_INSTALLED: Final = 3
"""Status of a child without a decoder."""

Read = Callable[[int], bytes]


def confined(serve: Callable[[Any, Read, IO[bytes]], bool], nicer: int = 0) -> int:
    """Give `serve` the decoder's library and both pipes, and up what it needs for anything else. Answers the status of
    the process: 0 when the input ends, 1 when it makes no sense (`serve` says False, or raises), NOT_INSTALLED.

    nicer   than the slot
    """
    try:
        import av
    except ImportError:
        return NOT_INSTALLED
    os.nice(nicer)
    resource.setrlimit(resource.RLIMIT_AS, (MAX_CHILD_BYTES, MAX_CHILD_BYTES))
    # It has its pipes; whoever takes it over by a picture made for that opens no file and calls nobody.
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    library: Any = av
    library.logging.set_level(None)
    try:
        return 0 if serve(library, sys.stdin.buffer.read, sys.stdout.buffer) else 1
    except BrokenPipeError:
        return 0  # the slot has enough
    except (ValueError, MemoryError) as error:
        print(error, file=sys.stderr)  # noqa: T201
        return 1
