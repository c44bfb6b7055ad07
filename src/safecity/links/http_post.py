"""One request to one address: the name is resolved once and judged, no redirects, an end to size and time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from safecity.kit.errors import Param, UnavailableError
from safecity.kit.weburl import WebUrl

MAX_ANSWER: Final = 1 << 20
MAX_HEAD: Final = 16 << 10
NO_BODY: Final = frozenset({204, 304})
"""Statuses whose answers end with the head, whatever it says (RFC 9112, 6.3)."""
TIMEOUT_SECONDS: Final = 20.0
MOST_INTERIM: Final = 16
"""Answers such as 100 and 103 before the one that counts; other sides send one or two."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`headers` by names in lower case, repeated ones in order."""

    status: int
    headers: dict[str, list[str]]
    body: bytes


async def exchange(
    method: str,
    url: WebUrl,
    body: bytes,
    headers: dict[str, str],
    *,
    refuse: Callable[[str], bool],
    timeout: float = TIMEOUT_SECONDS,
) -> Answer:
    """One request, one answer. UnavailableError: `http_unknown_host`, `http_refused_address` (`refuse` said so of what
    the name resolves to), `http_unreachable`, `http_no_answer`, `http_answer_unexpected`. Its `params` say `sent` where
    the request had left: what it asks for may have been done."""
    host = url.host
    said: dict[str, Param] = {"host": host}
    try:
        async with asyncio.timeout(timeout):
            address = await _resolved(host, url.port, refuse)
            context = ssl.create_default_context() if url.tls else None
            # The address that was judged is the one that is used; the name is only what the certificate must say.
            reader, writer = await asyncio.open_connection(
                address, url.port, ssl=context, server_hostname=host if url.tls else None, limit=MAX_HEAD
            )
            try:
                writer.write(_request(method, url, body, headers))
                said["sent"] = True
                await writer.drain()
                return await _answer(reader)
            finally:
                writer.close()
    except TimeoutError as error:
        raise UnavailableError(f"{host}: no answer", code="http_no_answer", params=said) from error
    except (OSError, asyncio.IncompleteReadError) as error:
        raise UnavailableError(f"{host}: {error}", code="http_unreachable", params=said) from error
    except (ValueError, asyncio.LimitOverrunError) as error:
        raise UnavailableError(f"{host}: not HTTP", code="http_answer_unexpected", params=said) from error


async def _resolved(host: str, port: int, refuse: Callable[[str], bool]) -> str:
    try:
        found = await asyncio.get_running_loop().getaddrinfo(host, port, type=1)
    except (OSError, UnicodeError) as error:
        raise UnavailableError(f"{host}: no such name", code="http_unknown_host", params={"host": host}) from error
    address = str(found[0][4][0])
    if refuse(address):
        raise UnavailableError(f"{host} is not to be reached", code="http_refused_address", params={"host": host})
    return address


def _request(method: str, url: WebUrl, body: bytes, headers: dict[str, str]) -> bytes:
    name = f"[{url.host}]" if ":" in url.host else url.host
    fields = {"Host": f"{name}:{url.port}", "Content-Length": str(len(body)), "Connection": "close", **headers}
    if any("\r" in text or "\n" in text for text in (url.target, *fields, *fields.values())):
        raise ValueError("a line break in a header")
    lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"{method} {url.target} HTTP/1.1\r\n{lines}\r\n".encode("latin-1") + body


async def _answer(reader: asyncio.StreamReader) -> Answer:
    """The final one: those of 1xx only say that it comes (RFC 9110, 15.2), and to change the protocol nobody asked."""
    for _ in range(MOST_INTERIM):
        status, fields = await _head(reader)
        if status == 101:
            break
        if status >= 200:
            return Answer(status, fields, b"" if status in NO_BODY else await _body(reader, fields))
    raise ValueError("no final answer")


async def _head(reader: asyncio.StreamReader) -> tuple[int, dict[str, list[str]]]:
    head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    version, _, rest = head[0].partition(" ")
    if not version.startswith("HTTP/1.") or not rest[:3].isdigit():
        raise ValueError("not HTTP")
    fields: dict[str, list[str]] = {}
    for name, _, value in (line.partition(":") for line in head[1:] if line):
        fields.setdefault(name.strip().lower(), []).append(value.strip())
    return int(rest[:3]), fields


async def _body(reader: asyncio.StreamReader, fields: dict[str, list[str]]) -> bytes:
    if any("chunked" in one.lower() for one in fields.get("transfer-encoding", ())):
        return await _chunks(reader)
    length = next(iter(fields.get("content-length", ())), None)
    if length is None:
        return await _rest(reader)
    if length.isascii() and length.isdigit() and len(length) < 10 and int(length) <= MAX_ANSWER:
        return await reader.readexactly(int(length))
    raise ValueError("a length beyond the limit")


async def _rest(reader: asyncio.StreamReader) -> bytes:
    """Until the other side closes, however many pieces come; no more than the limit."""
    body = bytearray()
    while len(body) < MAX_ANSWER and (piece := await reader.read(MAX_ANSWER - len(body))):
        body += piece
    return bytes(body)


async def _chunks(reader: asyncio.StreamReader) -> bytes:
    body = bytearray()
    while True:
        size = int((await reader.readuntil(b"\r\n")).partition(b";")[0].strip() or b"0", 16)
        if size < 0 or len(body) + size > MAX_ANSWER:
            raise ValueError("a length beyond the limit")
        if size == 0:
            return bytes(body)
        body += await reader.readexactly(size)
        await reader.readexactly(2)
