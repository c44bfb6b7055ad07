"""The client's side of GA/T 1400 over one connection: digest, registration, requests; for simulated devices, load."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import ssl
from dataclasses import dataclass
from typing import Any

from safecity.kit.errors import RefusedError, UnavailableError
from safecity.protocols.gat1400.envelope import CONTENT_TYPE, read_json, read_statuses, write_json
from safecity.protocols.sip.digest import answer_challenge, choose_challenge

MAX_ANSWER = 32 << 20
TIMEOUT_SECONDS = 30.0


@dataclass(frozen=True, kw_only=True, slots=True)
class Login:
    """Who it is and where it registers. An empty user name: the code."""

    code: str
    password: str
    host: str
    port: int
    username: str = ""
    tls: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """An answer; header names in lower case, repeated ones in order."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes


class ViidClient:
    """One device. UnavailableError when nobody answers; RefusedError when the answer is no."""

    def __init__(self, login: Login) -> None:
        self.login = login
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def register(self, call: str = "Register") -> None:
        """Register, or sign off with `UnRegister`."""
        path = f"/VIID/System/{call}"
        body = write_json({f"{call}Object": {"DeviceID": self.login.code}})
        first = await self.request("POST", path, body)
        if first.status == 401:
            offered = [value for name, value in first.headers if name == "www-authenticate"]
            challenge = choose_challenge(offered)
            if challenge is None:
                raise RefusedError("no challenge to answer")
            name = self.login.username or self.login.code
            proof = answer_challenge(challenge, name, self.login.password, "POST", path, cnonce=secrets.token_hex(8))
            first = await self.request("POST", path, body, {"Authorization": str(proof)})
        if first.status != 200:
            raise RefusedError(f"{call}: HTTP {first.status}")

    async def keepalive(self) -> bool:
        """False when it must register anew."""
        body = write_json({"KeepaliveObject": {"DeviceID": self.login.code}})
        return (await self.request("POST", "/VIID/System/Keepalive", body)).status == 200

    async def send(self, path: str, body: dict[str, Any]) -> list[tuple[str, int]]:
        """(Id, StatusCode) of each object of a batch. RefusedError for any other answer; register and send again."""
        answer = await self.request("POST", f"/VIID/{path}", write_json(body))
        if answer.status != 200:
            raise RefusedError(f"{path}: HTTP {answer.status}")
        return read_statuses(read_json(answer.body))

    async def request(self, method: str, path: str, body: bytes, headers: dict[str, str] | None = None) -> Answered:
        """One request on the connection that is there, else on a new one."""
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                reader, writer = await self._connected()
                fields = {
                    "Host": f"{self.login.host}:{self.login.port}", "User-Identify": self.login.code,
                    "Content-Type": CONTENT_TYPE, "Content-Length": str(len(body)), **(headers or {}),
                }  # fmt: skip
                lines = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
                writer.write(f"{method} {path} HTTP/1.1\r\n{lines}\r\n".encode() + body)
                await writer.drain()
                return await self._answer(reader)
        except (OSError, TimeoutError, ValueError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            await self.close()
            raise UnavailableError(f"{self.login.host}:{self.login.port}: {error}") from error

    async def close(self) -> None:
        """Hang up."""
        writer, self._reader, self._writer = self._writer, None, None
        if writer is not None:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is None or self._writer is None or self._reader.at_eof():
            await self.close()
            context = None
            if self.login.tls:  # a simulated device asks the platform beside it, whose certificate is its own
                context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            opened = await asyncio.open_connection(self.login.host, self.login.port, ssl=context)
            self._reader, self._writer = opened
        return self._reader, self._writer

    async def _answer(self, reader: asyncio.StreamReader) -> Answered:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
        pairs = [line.partition(":") for line in head[1:] if line]
        headers = [(name.strip().lower(), value.strip()) for name, _, value in pairs]
        length = int(next((value for name, value in headers if name == "content-length"), "0"))
        if not 0 <= length <= MAX_ANSWER:
            raise ValueError("a length beyond the limit")
        body = await reader.readexactly(length)
        if ("connection", "close") in headers:
            await self.close()
        return Answered(status, headers, body)
