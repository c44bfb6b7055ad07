"""Hostile viewers: a request, then frames, in any pieces."""

from __future__ import annotations

import contextlib

from safecity.kit.errors import InvalidError
from safecity.protocols.websocket import FrameDecoder, parse_request


def one_input(data: bytes) -> None:
    """Nothing but InvalidError may come out, and any split gives the same."""
    with contextlib.suppress(InvalidError):
        request = parse_request(data)
        if request is not None:
            _ = request.key
    whole, pieces = FrameDecoder(), FrameDecoder()
    first, second = [], []
    with contextlib.suppress(InvalidError):
        first = whole.feed(data)
        for start in range(0, len(data), 3):
            second += pieces.feed(data[start : start + 3])
        assert first == second
