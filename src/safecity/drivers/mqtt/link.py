"""The connection to a broker: bytes both ways, made anew for ever. Decides nothing about positions."""

from __future__ import annotations

import asyncio
import logging
import random
import ssl
from collections.abc import Callable
from typing import Final, cast

from safecity.drivers.mqtt.broker import Broker
from safecity.kit.errors import SafecityError
from safecity.kit.retry import Backoff
from safecity.protocols.mqtt.packets import Connect, Publish, TooLong
from safecity.protocols.mqtt.session import Ended, Happened, Listening, Session

logger = logging.getLogger(__name__)
MAX_MESSAGE: Final = 256 * 1024
"""Bytes of a packet: five hundred positions are a third of it."""
IN_FLIGHT: Final = 500
"""Messages that a broker of MQTT 5 sends ahead of our acknowledgements."""
SESSION_SECONDS: Final = 7 * 86_400
"""So long a broker of MQTT 5 keeps what comes while we are away: older positions are refused anyhow."""
CONNECT_SECONDS: Final = 15.0
FIRST_WAIT, LONGEST_WAIT = 1.0, 60.0
"""Seconds until the broker is called again; twice as long each time, and by chance up to half less."""


class BrokerLink(asyncio.Protocol):
    """One connection. `heard` gets the messages, in their order."""

    def __init__(self, broker: Broker, now: Callable[[], float], heard: Callable[[BrokerLink, Happened], None]) -> None:
        self._now = now
        self._heard = heard
        wish = Connect(
            client_id=broker.client_id, version=broker.version, username=broker.url.username,
            password=broker.url.password,
            session_seconds=SESSION_SECONDS, in_flight=IN_FLIGHT, max_bytes=MAX_MESSAGE,
        )  # fmt: skip
        self._session = Session(wish, f"{broker.topic}/+", MAX_MESSAGE, now())
        self._transport: asyncio.Transport | None = None
        self._deaf = False
        self._timer: asyncio.TimerHandle | None = None
        self.listening = False
        self.end: Ended | None = None
        self.over = asyncio.Event()

    @property
    def alive(self) -> bool:
        return self._transport is not None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own is none by its class
        self._say()

    def data_received(self, data: bytes) -> None:
        for one in self._session.feed(data, self._now()):
            self._happened(one)
        self._say()

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        if self._timer is not None:
            self._timer.cancel()
        self.end = self.end or Ended("mqtt_lost")
        self.over.set()

    def acknowledge(self, messages: list[Publish | TooLong]) -> None:
        """They are kept here; at a connection that is gone it is in vain, and they come again."""
        for one in messages:
            if one.qos:
                self._session.acknowledge(one.packet_id)
        self._say()

    def hold(self, deaf: bool) -> None:
        """Let nothing in for now, or again."""
        if deaf is not self._deaf and self._transport is not None:
            self._deaf = deaf
            if deaf:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    def leave(self) -> None:
        """Say goodbye."""
        self._session.leave()
        self._say()
        if self._transport is not None:
            self._transport.close()

    def _happened(self, one: Happened) -> None:
        if isinstance(one, Ended):
            self.end = one
            if self._transport is not None:
                self._transport.abort()
            return
        if isinstance(one, Listening):
            self.listening = True
        self._heard(self, one)

    def _say(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        data = self._session.output(self._now())
        if data:
            self._transport.write(data)
        if self._timer is not None:
            self._timer.cancel()
        wait = max(0.05, self._session.next_deadline() - self._now())
        self._timer = asyncio.get_running_loop().call_later(wait, self._look)

    def _look(self) -> None:
        for one in self._session.expire(self._now(), deaf=self._deaf):
            self._happened(one)
        self._say()


async def keep_calling(
    broker: Broker, now: Callable[[], float], heard: Callable[[BrokerLink, Happened], None],
    away: Callable[[Ended, str], None],
) -> None:  # fmt: skip
    """Until cancelled. `away` is told of each end, and of each call that nobody answered, with why."""
    loop = asyncio.get_running_loop()
    backoff = Backoff(FIRST_WAIT, LONGEST_WAIT)
    while True:
        began, link = now(), BrokerLink(broker, now, heard)
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(
                    lambda link=link: link, broker.url.host, broker.url.port, ssl=broker.certificates(),
                    server_hostname=broker.url.host if broker.url.tls else None,
                )  # fmt: skip
        except ssl.SSLError as error:
            away(Ended("mqtt_certificate"), getattr(error, "verify_message", "") or error.reason or "TLS")
        except SafecityError as error:
            away(Ended("mqtt_certificate"), str(error))
        except (OSError, UnicodeError) as error:
            away(Ended("mqtt_unreachable"), str(error) or "no answer")
        else:
            try:
                await link.over.wait()
            finally:
                link.leave()
            away(link.end or Ended("mqtt_lost"), "")
            if link.listening and now() - began > LONGEST_WAIT:
                backoff.succeeded()
        await asyncio.sleep(backoff.failed(random.random()))
