"""Downloads under way, by the session that asked: when it ends they end, whatever is left of the file."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

KEEP = 1000
"""Sessions that ended lately: a request that was let in just before may begin to send just after."""


class Downloads:
    """The sessions that fetch something now."""

    def __init__(self) -> None:
        self._open: dict[str, set[asyncio.Event]] = {}
        self._ended: deque[str] = deque(maxlen=KEEP)

    def end(self, sessions: Collection[str]) -> None:
        """Break off what these sessions fetch, and what they are just about to."""
        self._ended.extend(sessions)
        for session in sessions:
            for ended in self._open.get(session, ()):
                ended.set()

    def of(self, session: str, response: Response) -> Response:
        """The same answer, as long as the session lasts."""
        return _Bound(self, session, response)

    def begin(self, session: str) -> asyncio.Event:
        ended = asyncio.Event()
        if session in self._ended:
            ended.set()
        self._open.setdefault(session, set()).add(ended)
        return ended

    def done(self, session: str, ended: asyncio.Event) -> None:
        left = self._open.get(session, set())
        left.discard(ended)
        if not left:
            self._open.pop(session, None)


class _Bound(Response):
    """Sends another answer and stops in the middle of it: the server then closes the connection, since less came than
    was announced, and the browser knows that the file is not whole."""

    def __init__(self, downloads: Downloads, session: str, inner: Response) -> None:
        super().__init__(status_code=inner.status_code)
        self.raw_headers = inner.raw_headers
        self._downloads = downloads
        self._session = session
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        ended = self._downloads.begin(self._session)
        sending = asyncio.ensure_future(self._inner(scope, receive, send))
        ending = asyncio.ensure_future(ended.wait())
        try:
            await asyncio.wait({sending, ending}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._downloads.done(self._session, ended)
            ending.cancel()
            if not sending.done():
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)
        if not sending.cancelled():
            sending.result()
