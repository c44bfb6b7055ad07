"""Requests to signs over HTTP: one POST each, to an address that was judged when its name was resolved."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from safecity.kit.errors import UnavailableError
from safecity.kit.outgoing import may_reach
from safecity.kit.weburl import read_url
from safecity.links.http_post import exchange
from safecity.protocols.signs import CONTENT_TYPE, Show, Shown, WireError, read, write

TIMEOUT_SECONDS: Final = 10.0


class HttpSigns:
    """A `SignLink`. `allow_loopback`: signs may be on this machine, as the simulated ones are."""

    def __init__(self, *, allow_loopback: bool = False, timeout: float = TIMEOUT_SECONDS) -> None:
        self._refuse: Callable[[str], bool] = lambda address: not may_reach(address, allow_loopback=allow_loopback)
        self._timeout = timeout

    async def tell(self, address: str, key: str, show: Show) -> Shown:
        """See `SignLink`. UnavailableError: those of `exchange`, `sign_status`, `sign_unreadable`, `sign_key_wrong`,
        `sign_other_answer`."""
        answer = await exchange(
            "POST", read_url(address), write(show, key), {"Content-Type": CONTENT_TYPE},
            refuse=self._refuse, timeout=self._timeout,
        )  # fmt: skip
        if answer.status != 200:
            raise UnavailableError(f"HTTP {answer.status}", code="sign_status", params={"status": answer.status})
        try:
            shown = read(answer.body, key, Shown)
        except WireError as error:
            raise UnavailableError("not a sign", code=error.code) from error
        if shown.number != show.number:
            raise UnavailableError("an answer to something else", code="sign_other_answer")
        return shown
