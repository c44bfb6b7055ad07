"""What terminals are asked to do, until they have answered."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from safecity.drivers.jt808.link import TerminalLink
from safecity.drivers.jt808.ordering import answer_of, body_of
from safecity.kit.errors import RefusedError, UnavailableError
from safecity.model.facts.vehicle_calls import Order, TerminalDid
from safecity.protocols.jt808.messages import AnyBody
from safecity.protocols.jt808.outputs import Answered, Unanswered
from safecity.protocols.jt808.registration import Result

_REFUSED: Final[dict[int, str]] = {
    Result.BAD_MESSAGE: "terminal_misunderstood",
    Result.UNSUPPORTED: "terminal_unsupported",
}


class Orders:
    """By connection and serial number; what came of each is told to whoever waits for it."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._waiting: dict[tuple[TerminalLink, int], asyncio.Future[Answered]] = {}

    def __len__(self) -> int:
        return len(self._waiting)

    async def give(self, link: TerminalLink, order: Order) -> TerminalDid:
        """What the terminal answered. The errors are those of `model.facts.vehicle_calls`."""
        answered = await self.ask(link, body_of(order, link.session.version))
        return answer_of(order, answered.body)

    async def ask(self, link: TerminalLink, body: AnyBody, *, within: float | None = None) -> Answered:
        """The same of a message that is written already: the answer, once it is a yes. `within` so many seconds, where
        somebody waits who is less patient than the session."""
        now = self._now()
        data, serial = link.session.send(body, now)
        future: asyncio.Future[Answered] = asyncio.get_running_loop().create_future()
        self._waiting[link, serial] = future
        link.send(data)
        link.look_ahead(now)
        try:
            async with asyncio.timeout(within):
                answered = await future
        except TimeoutError:
            raise UnavailableError("the terminal did not answer", code="terminal_no_answer") from None
        finally:
            self._waiting.pop((link, serial), None)
        if answered.result != Result.OK:
            code = _REFUSED.get(answered.result, "terminal_failed")
            raise RefusedError(f"the terminal answered {answered.result}", code=code)
        return answered

    def settle(self, link: TerminalLink, one: Answered | Unanswered) -> None:
        """A terminal answered, or did not in time."""
        future = self._waiting.get((link, one.serial))
        if future is None or future.done():
            return
        if isinstance(one, Answered):
            future.set_result(one)
        else:
            future.set_exception(UnavailableError("the terminal did not answer", code="terminal_no_answer"))

    def lost(self, link: TerminalLink) -> None:
        """Its connection is gone: nobody knows whether it heard what is still unanswered."""
        for (of, _), future in list(self._waiting.items()):
            if of is link and not future.done():
                future.set_exception(UnavailableError("the connection broke", code="terminal_lost"))
