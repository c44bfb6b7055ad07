"""What to answer to a REGISTER (GB/T 28181, 9.1): told the time and who asks, it decides; it keeps no socket.

The answer to somebody unknown costs and looks the same as that to a known device with a wrong password. Who fails
too often is not answered at all; the count is kept per source host and code, so that one misconfigured camera does
not silence its neighbours behind the same address.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from safecity.protocols.gb28181.codes import clean_code
from safecity.protocols.gb28181.limits import Bans, Buckets
from safecity.protocols.gb28181.times import date_text
from safecity.protocols.sip.digest import Challenge, Credentials, Nonces, NonceState, parse_credentials
from safecity.protocols.sip.message import Request

_NOBODY = "\x00 no device has this password"


class Source(NamedTuple):
    """Where a message really came from."""

    transport: str
    host: str
    port: int

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """How we register. Seconds; `expires_minimum` is what a device may ask at least (423 below it).

    `algorithms`: a challenge for each, in this order. RFC 7616 has a device take the first that it knows; devices that
    look at the first alone, whatever it says, know MD5 and nothing else: so MD5 stands in front where they may come.
    """

    realm: str
    version: str = "3.0"
    algorithms: tuple[str, ...] = ("MD5",)
    qop: str = ""
    send_date: bool = True
    expires_default: int = 86_400
    expires_minimum: int = 30
    expires_maximum: int = 604_800


@dataclass(frozen=True, slots=True)
class Member:
    """A device that may register. Empty password: nobody may. `redirect` is the SIP URI it is sent to instead,
    `algorithms` what it is offered in place of the policy's."""

    code: str
    password: str
    username: str = ""
    enabled: bool = True
    redirect: str = ""
    algorithms: tuple[str, ...] = ()


class Verdict(StrEnum):
    CHALLENGED = "challenged"
    ACCEPTED = "accepted"
    LEFT = "left"
    REDIRECTED = "redirected"
    REFUSED = "refused"
    SILENT = "silent"


@dataclass(frozen=True, slots=True)
class Ruling:
    """`status` 0: say nothing, else answer with it and the fields. `code` is the device's; `refusal` tells why it
    was turned away, in words of the catalogue."""

    verdict: Verdict
    code: str
    status: int = 0
    fields: tuple[tuple[str, str], ...] = ()
    refusal: str = ""
    expires: int = 0
    contact: str = ""
    version: str = ""


class Registrar:
    """Decides on REGISTERs, one after the other."""

    def __init__(self, policy: Policy, nonces: Nonces) -> None:
        self.policy = policy
        self._nonces = nonces
        self._bans = Bans(failures=10, window=60.0, seconds=60.0)
        self._strangers = Buckets(rate=20.0, burst=100.0)
        self._moves: dict[str, list[float]] = {}

    @staticmethod
    def code_of(request: Request) -> str:
        """The device code a REGISTER speaks for: the user of From, else of Contact."""
        code = clean_code(request.from_.user)
        if not code:
            contacts = request.contacts
            code = clean_code(contacts[0].user) if contacts else ""
        return code

    def rule(
        self,
        request: Request,
        source: Source,
        member: Member | None,
        *,
        now: float,
        now_us: int,
        salt: bytes,
        bound_host: str = "",
    ) -> Ruling:
        """`salt`: 8 random bytes. `bound_host`: where a living registration of the device is bound to, if any."""
        code = self.code_of(request)
        # UDP sources are easily forged: a device that is here cannot be silenced by somebody who borrows its address.
        if source.host != bound_host and self._bans.is_banned((source.host, code), now):
            return Ruling(Verdict.SILENT, code, refusal="gb_banned")
        known = member is not None and member.enabled and bool(member.password)
        algorithms = (member.algorithms if member else ()) or self.policy.algorithms
        if not known and not self._strangers.take(source.host, now):
            return Ruling(Verdict.SILENT, code, refusal="gb_flood")
        credentials = _credentials(request)
        scope = f"{code}|{request.call_id}"
        if credentials is None:
            return self._challenge(code, now, scope, salt, algorithms, stale=False)
        if not self._knows(credentials, member if known else None, code, algorithms):
            self._bans.failed((source.host, code), now)
            refusal = "gb_unknown_device" if member is None else "gb_wrong_password"
            if member is not None and not member.enabled:
                refusal = "gb_disabled"
            elif member is not None and not member.password:
                refusal = "gb_no_password"
            return Ruling(Verdict.REFUSED, code, 403, refusal=refusal)
        state = self._nonces.check(now, scope, credentials.nonce, credentials.nc)
        if state is not NonceState.GOOD:
            return self._challenge(code, now, scope, salt, algorithms, stale=True)
        assert member is not None
        self._bans.succeeded((source.host, code))
        return self._welcome(request, source, member, code, now, now_us, bound_host)

    def _welcome(
        self, request: Request, source: Source, member: Member, code: str, now: float, now_us: int, bound: str
    ) -> Ruling:
        version = request.get("X-GB-Ver")[:8]
        if member.redirect:
            fields = (("Contact", f"<{member.redirect}>"), ("Expires", str(self.policy.expires_default)))
            return Ruling(Verdict.REDIRECTED, code, 302, fields)
        asked = request.expires
        expires = self.policy.expires_default if asked is None else asked
        if expires == 0:
            self._moves.pop(code, None)
            return Ruling(Verdict.LEFT, code, 200, self._accept(request, 0, now_us), version=version)
        if expires < self.policy.expires_minimum:
            fields = (("Min-Expires", str(self.policy.expires_minimum)),)
            return Ruling(Verdict.REFUSED, code, 423, fields, "gb_expires_too_short")
        if bound and bound != source.host and self._flaps(code, now):
            # Two devices with one code would throw each other out for ever; the one that is here may stay.
            return Ruling(Verdict.REFUSED, code, 403, refusal="gb_duplicate_code")
        expires = min(expires, self.policy.expires_maximum)
        contacts = request.contacts
        return Ruling(
            Verdict.ACCEPTED,
            code,
            200,
            self._accept(request, expires, now_us),
            expires=expires,
            contact=contacts[0].uri if contacts else "",
            version=version,
        )

    def _flaps(self, code: str, now: float) -> bool:
        """Whether the device has moved between addresses more than thrice in five minutes."""
        moves = [at for at in self._moves.get(code, ()) if now - at < 300.0]
        if len(moves) >= 3:
            self._moves[code] = moves
            return True
        self._moves[code] = [*moves, now]
        return False

    def _challenge(
        self, code: str, now: float, scope: str, salt: bytes, algorithms: tuple[str, ...], *, stale: bool
    ) -> Ruling:
        policy = self.policy
        nonce = self._nonces.issue(now, scope, salt)
        fields = [
            ("WWW-Authenticate", str(Challenge(policy.realm, nonce, algorithm, policy.qop, stale=stale)))
            for algorithm in algorithms
        ]
        if policy.version:
            fields.append(("X-GB-Ver", policy.version))
        return Ruling(Verdict.CHALLENGED, code, 401, tuple(fields))

    def _accept(self, request: Request, expires: int, now_us: int) -> tuple[tuple[str, str], ...]:
        fields: list[tuple[str, str]] = [("Expires", str(expires))]
        contact = request.raw("Contact")
        if contact:
            fields.insert(0, ("Contact", contact))
        if self.policy.send_date:
            fields.append(("Date", date_text(now_us)))
        if self.policy.version:
            fields.append(("X-GB-Ver", self.policy.version))
        return tuple(fields)

    def _knows(self, credentials: Credentials, member: Member | None, code: str, algorithms: tuple[str, ...]) -> bool:
        password = member.password if member else _NOBODY
        right = credentials.matches("REGISTER", password)
        # Where no login name was agreed on any will do: many devices have one of their own; the password is proven.
        agreed = member is None or not member.username or credentials.username in (code, member.username)
        return (
            right
            and member is not None
            and agreed
            and credentials.realm == self.policy.realm
            and credentials.algorithm in algorithms
        )


def _credentials(request: Request) -> Credentials | None:
    text = request.raw("Authorization")
    if text is None:
        return None
    try:
        return parse_credentials(text)
    except ValueError:
        return None
