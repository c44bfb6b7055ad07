"""Calls: request, stream, cancel, deadline, between the processes of the platform."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from typing import Any, Protocol

from safecity.model.facts.media_calls import Message

Handler = Callable[[Any], Awaitable[Message]]
"""Takes a request, answers or raises a SafecityError, which is raised again at the caller."""

StreamHandler = Callable[[Any], AsyncGenerator[Message]]
"""Takes a request and yields until the caller leaves (the generator is closed then)."""


class Calls(Protocol):
    """The caller's side. Addresses are duties: `control`, `signal`, `media-0`."""

    async def call(self, address: str, message: Message, *, timeout: float) -> Message:
        """One answer, or the SafecityError of the other side; UnavailableError when it is not there or too slow."""
        ...

    def stream(self, address: str, message: Message) -> AsyncGenerator[Message]:
        """Answers until either side ends; UnavailableError when the connection breaks."""
        ...

    async def close(self) -> None:
        """Cancel everything under way."""
        ...


class CallServer(Protocol):
    """The answering side: one handler per request type."""

    async def serve(
        self,
        address: str,
        handlers: Mapping[type[Message], Handler],
        streams: Mapping[type[Message], StreamHandler],
    ) -> None:
        """Listen until closed."""
        ...

    async def close(self) -> None:
        """Stop listening and end what is under way."""
        ...
