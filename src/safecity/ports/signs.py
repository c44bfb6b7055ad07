"""Guidance signs: told what to show, they say what they show."""

from __future__ import annotations

from typing import Protocol

from safecity.protocols.signs import Show, Shown


class SignLink(Protocol):
    """One wire to signs."""

    async def tell(self, address: str, key: str, show: Show) -> Shown:
        """What the sign at that address says it shows, once it was told. It speaks for itself: the answer is the one to
        this very request. UnavailableError with a code of the catalogue for anything else, within 15 seconds."""
        ...
