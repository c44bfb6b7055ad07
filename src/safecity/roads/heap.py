"""A heap of four children in two arrays, smallest key first: half as deep as one of two, and its children lie side by
side."""

from __future__ import annotations

from typing import Any

from safecity.roads.compiled import F64, I32, compiled


@compiled
def heap_push(keys: F64, entries: I32, size: int, key: Any, entry: int) -> int:
    """Returns the new size."""
    at = size
    while at > 0:
        above = (at - 1) >> 2
        if keys[above] <= key:
            break
        keys[at], entries[at] = keys[above], entries[above]
        at = above
    keys[at], entries[at] = key, entry
    return size + 1


@compiled
def heap_pop(keys: F64, entries: I32, size: int) -> int:
    """Take the first away; returns the new size."""
    size -= 1
    key, entry = keys[size], entries[size]
    at = 0
    while True:
        first = 4 * at + 1
        if first >= size:
            break
        below, least = first, keys[first]
        for child in range(first + 1, min(first + 4, size)):
            if keys[child] < least:
                below, least = child, keys[child]
        if least >= key:
            break
        keys[at], entries[at] = least, entries[below]
        at = below
    keys[at], entries[at] = key, entry
    return size
