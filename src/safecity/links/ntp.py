"""Asks time servers over UDP: a socket per question, connected, so that the kernel drops what others send."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import socket
from collections.abc import Sequence
from typing import Any, cast

from safecity.kit.clock import Clock
from safecity.kit.errors import UnavailableError
from safecity.protocols import ntp

ROUNDS = 4
TIMEOUT_SECONDS = 2.0


class _Asking(asyncio.DatagramProtocol):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._nonce = secrets.randbits(64) or 1
        self._asked = 0
        self.heard: asyncio.Future[ntp.Measured] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._asked = self._clock.now_us()
        cast("asyncio.DatagramTransport", transport).sendto(ntp.ask(self._nonce))

    def datagram_received(self, data: bytes, addr: Any) -> None:
        now = self._clock.now_us()
        if self.heard.done():
            return
        match ntp.read_answer(data, self._nonce):
            case ntp.Answer() as answer:
                self.heard.set_result(ntp.measure(answer, self._asked, now))
            case ntp.Refusal(reason="other_question" | "short" | "mode"):
                pass  # somebody guesses; the true answer may still come
            case ntp.Refusal(reason=reason):
                self.heard.set_exception(_refused(reason))

    def error_received(self, exc: Exception) -> None:
        if not self.heard.done():
            self.heard.set_exception(UnavailableError("nothing there answers", code="ntp_unreachable"))


async def ask_time(host: str, port: int, clock: Clock, *, timeout: float = TIMEOUT_SECONDS) -> ntp.Measured:
    """The clearest of a few answers. UnavailableError: `ntp_unknown_host`, `ntp_unreachable`, `ntp_no_answer`,
    `ntp_unsynchronised` (it has no time itself), `ntp_refused` (it says that it is asked too much)."""
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout):
            found: Sequence[Any] = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    except (OSError, TimeoutError, UnicodeError) as error:
        raise UnavailableError(f"{host}: no such name", code="ntp_unknown_host", params={"server": host}) from error
    address = found[0][4]
    measured: list[ntp.Measured] = []
    failed: UnavailableError | None = None
    for _ in range(ROUNDS):
        try:
            measured.append(await _once(address, found[0][0], clock, timeout))
        except UnavailableError as error:
            failed = error
            break  # who does not answer is not asked three times more, and who refuses even less
    if not measured:
        assert failed is not None
        failed.params["server"] = host
        raise failed
    return ntp.clearest(measured)


async def _once(address: Any, family: int, clock: Clock, timeout: float) -> ntp.Measured:
    loop = asyncio.get_running_loop()
    transport = None
    try:
        async with asyncio.timeout(timeout):
            transport, asking = await loop.create_datagram_endpoint(
                lambda: _Asking(clock), remote_addr=address[:2], family=family
            )
            return await asking.heard
    except TimeoutError as error:
        raise UnavailableError("no answer", code="ntp_no_answer", params={"seconds": timeout}) from error
    except OSError as error:
        raise UnavailableError("no way there", code="ntp_unreachable") from error
    finally:
        if transport is not None:
            with contextlib.suppress(OSError):
                transport.close()


def _refused(reason: str) -> UnavailableError:
    code = "ntp_refused" if reason in ("kiss_rate", "kiss_deny", "kiss_rstr") else "ntp_unsynchronised"
    return UnavailableError(f"the server says: {reason}", code=code, params={"reason": reason})
