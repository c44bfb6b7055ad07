"""Digest login of a view library (GA/T 1400.4, annex on authentication; RFC 7616). The caller owns clock and dice.

What the field's products get wrong is what this is careful about: the nonce is ours and random, its count must grow,
realm, opaque, algorithm, address and method must be those of this request, a stranger costs as much as an acquaintance,
and guessing is slowed down for the guesser alone.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from safecity.protocols.sip.digest import Challenge, Credentials, parse_credentials

NONCE_SECONDS: Final = 60.0
"""A nonce that nobody used is forgotten after so long."""
USED_SECONDS: Final = 600.0
"""One that is in use, after so long without use."""
MAX_NONCES: Final = 50_000
MAX_SUSPECTS: Final = 50_000
FREE_FAILURES: Final = 5
LONGEST_LOCK: Final = 300.0
_NOBODY = "no such account has this password"


@dataclass(frozen=True, slots=True)
class Account:
    """What a client signs in with. `algorithms` in the order they are offered; old clients take the first."""

    username: str
    password: str
    algorithms: tuple[str, ...] = ("MD5",)


class Verdict(Enum):
    """What came of an `Authorization`."""

    GOOD = "good"
    ABSENT = "absent"  # challenge
    STALE = "stale"  # challenge anew; the password was right, or the nonce is too old to tell
    WRONG = "wrong"
    LOCKED = "locked"


@dataclass(slots=True)
class _Nonce:
    until: float
    opaque: str
    count: int = 0
    used: bool = False


class Doorkeeper:
    """Issues challenges and judges the answers."""

    def __init__(self, realm: str, fresh: Callable[[], str]) -> None:
        self._realm = realm
        self._fresh = fresh
        self._nonces: OrderedDict[str, _Nonce] = OrderedDict()
        self._failures: OrderedDict[tuple[str, str], tuple[int, float]] = OrderedDict()

    def challenge(self, now: float, algorithms: tuple[str, ...] = ("MD5",), *, stale: bool = False) -> list[str]:
        """Values of `WWW-Authenticate`, one for each algorithm, all with a nonce of their own."""
        fields: list[str] = []
        for algorithm in algorithms:
            nonce, opaque = self._fresh(), self._fresh()
            self._nonces[nonce] = _Nonce(now + NONCE_SECONDS, opaque)
            if len(self._nonces) > MAX_NONCES:
                self._nonces.popitem(last=False)
            fields.append(str(Challenge(self._realm, nonce, algorithm, "auth", opaque, stale)))
        return fields

    def judge(
        self,
        now: float,
        authorization: str,
        method: str,
        target: str,
        find: Callable[[str], Account | None],
        address: str,
    ) -> tuple[Verdict, Credentials | None]:
        """`target` is path and query as they came; `find` gives the account of a name."""
        if not authorization:
            return Verdict.ABSENT, None
        try:
            given = parse_credentials(authorization)
        except ValueError:
            return Verdict.WRONG, None
        who = (given.username[:200], address)
        if self._locked_until(who) > now:
            return Verdict.LOCKED, given
        account = find(given.username)
        good = given.matches(method, account.password if account is not None else _NOBODY)
        known = self._nonces.get(given.nonce)
        if known is not None and known.until <= now:
            del self._nonces[given.nonce]
            known = None
        if (
            account is None or not good or given.realm != self._realm or not _same_target(given.uri, target)
            or given.algorithm not in account.algorithms
            or (known is not None and given.opaque not in ("", known.opaque))
        ):  # fmt: skip
            self._count(who, now)
            return Verdict.WRONG, given
        # From here on the password was right: what is old or was seen before is asked for anew, and not held against
        # anybody; some clients always count from 1 and use a nonce twice.
        if known is None or not self._grows(known, given):
            return Verdict.STALE, given
        known.until, known.used = now + USED_SECONDS, True
        self._failures.pop(who, None)
        return Verdict.GOOD, given

    def wait(self, username: str, address: str, now: float) -> float:
        """Seconds until that one is listened to again."""
        return max(0.0, self._locked_until((username[:200], address)) - now)

    def expire(self, now: float) -> None:
        """Forget nonces whose time is over."""
        for nonce in [one for one, known in self._nonces.items() if known.until <= now]:
            del self._nonces[nonce]

    @staticmethod
    def _grows(known: _Nonce, given: Credentials) -> bool:
        if not given.qop:  # the form of RFC 2069 has no count: it serves once
            return not known.used
        try:
            count = int(given.nc, 16)
        except ValueError:
            return False
        if count <= known.count or len(given.nc) > 8:
            return False
        known.count = count
        return True

    def _locked_until(self, who: tuple[str, str]) -> float:
        return self._failures.get(who, (0, 0.0))[1]

    def _count(self, who: tuple[str, str], now: float) -> None:
        failures = self._failures.pop(who, (0, 0.0))[0] + 1
        lock = 0.0 if failures < FREE_FAILURES else min(2.0 ** (failures - FREE_FAILURES), LONGEST_LOCK)
        self._failures[who] = failures, now + lock if lock else 0.0
        if len(self._failures) > MAX_SUSPECTS:
            self._failures.popitem(last=False)


def _same_target(uri: str, target: str) -> bool:
    """Some clients sign the absolute URL; it must still be this path and query."""
    if uri == target:
        return True
    try:
        parts = urlsplit(uri)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and f"{parts.path}{'?' if parts.query else ''}{parts.query}" == target
