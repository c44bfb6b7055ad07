"""Positions that come as letters: from a broker, by whoever carries them, to whoever knows the devices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Letter:
    """`name`: the last part of the topic it came under. `payload`: as it came."""

    name: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of letters. `taken`: positions; `doubled`: how many of these were known already; `refused`: reasons
    with how often, and `last` with who said the last of each."""

    taken: int = 0
    doubled: int = 0
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
    last: Mapping[str, str] = field(default_factory=dict[str, str])


class LetterBox(Protocol):
    """Where letters go."""

    async def take(self, letters: Sequence[Letter]) -> Receipt:
        """Durable on return; the same letter again changes nothing. UnavailableError: nothing of it was taken, come
        again."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedFigure:
    """How a feed is. `state`: `online` or `offline`, since `since` (microseconds UTC); `code`: why it is away, or what
    is wrong with it, with `params`. Counts since the process began."""

    name: str
    state: str
    since: int
    code: str = ""
    params: Mapping[str, str | int] = field(default_factory=dict[str, str | int])
    messages: int = 0
    taken: int = 0
    doubled: int = 0
    waiting: int = 0
    refused: Mapping[str, int] = field(default_factory=dict[str, int])
