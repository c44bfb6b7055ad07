"""Which request the work under way belongs to, across awaits, threads of the database, processes and events.

One short text, made at the edge (an HTTP request), carried in a context variable, in each call between processes and
in each event that the work gives rise to, and written into each log line: so that one word finds all of it again.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Final

MAX_TRACE: Final = 64
_PLAIN = re.compile(r"[A-Za-z0-9._:-]{1,64}")
_current: ContextVar[str] = ContextVar("safecity_trace", default="")


def trace() -> str:
    """The request under way; empty for work that nobody asked for."""
    return _current.get()


@contextmanager
def traced(request: str) -> Generator[None]:
    """What runs inside belongs to `request`; a text that is none is taken as nobody's."""
    token = _current.set(request if _PLAIN.fullmatch(request) else "")
    try:
        yield
    finally:
        _current.reset(token)
