"""Checks passwords: slowly for who guesses, and never so many at once that the house has no memory left."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from safecity.core.ground.access import store
from safecity.core.ground.access.secrets import Passwords
from safecity.core.ground.access.store import Login
from safecity.core.ground.access.throttle import OF_NAME_THERE, OF_NETWORK, Buckets
from safecity.kit.clock import Clock
from safecity.kit.errors import ExhaustedError
from safecity.ports.database import Database

MAX_WAITING = 64
"""Checks that may wait for one another; a crowd beyond it is sent away."""


class Checking:
    """Tries are counted for a network, for a name from one network, and for a name from everywhere together."""

    def __init__(self, database: Database, clock: Clock, passwords: Passwords) -> None:
        self._database = database
        self._clock = clock
        self._passwords = passwords
        self._by_network = Buckets(*OF_NETWORK)
        # Together with the network, so that a stranger cannot lock a person out from elsewhere.
        self._by_both = Buckets(*OF_NAME_THERE)
        # Against guessing from many places at once; who has signed in from a place before is not held up by it.
        self._by_name = Buckets(burst=60, seconds=30)
        # Argon2 takes 64 MiB and a core each time.
        self._hashing = asyncio.Semaphore(2)
        self._waiting = 0

    async def check(self, username: str, password: str, address: str) -> Login | None:
        """Who it is; None for a wrong name or password alike. ExhaustedError `too_many_tries`."""
        now, name, network = self._clock.monotonic(), store.name_key(username)[:200], network_of(address)
        self._take(self._by_both, f"{name}@{network}", now)
        self._take(self._by_network, network, now)
        found = await self._database.read(lambda tx: store.find_login(tx, username))
        if not await self._knows(found, network):
            self._take(self._by_name, name, now)
        async with self._turn():
            good = await asyncio.to_thread(self._passwords.check, found.password_hash if found else None, password)
        if not good:
            return None
        self._by_both.forgive(f"{name}@{network}")
        return found

    async def hash(self, password: str) -> str:
        """What is stored of a new password."""
        async with self._turn():
            return await asyncio.to_thread(self._passwords.hash, password)

    async def _knows(self, found: Login | None, network: str) -> bool:
        if found is None:
            return False
        addresses = await self._database.read(lambda tx: store.addresses_of(tx, found.user))
        return any(network_of(address) == network for address in addresses)

    @staticmethod
    def _take(buckets: Buckets, key: str, now: float) -> None:
        refuse_for(buckets.take(key, now))

    @asynccontextmanager
    async def _turn(self) -> AsyncGenerator[None]:
        if self._waiting >= MAX_WAITING:
            raise ExhaustedError("too many at once", code="too_many_tries", params={"seconds": 5})
        self._waiting += 1
        try:
            async with self._hashing:
                yield
        finally:
            self._waiting -= 1


def refuse_for(wait: float) -> None:
    """ExhaustedError `too_many_tries` where somebody is to wait for so many seconds."""
    if wait > 0:
        seconds = max(1, round(wait + 0.5))
        raise ExhaustedError("too many tries", code="too_many_tries", params={"seconds": seconds})


def network_of(address: str) -> str:
    """What one person has: an IPv4 address, or the 64 bits of an IPv6 network in which anybody picks addresses."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return address[:100]
    if isinstance(ip, ipaddress.IPv6Address):
        if ip.ipv4_mapped is not None:
            return str(ip.ipv4_mapped)
        return str(ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
