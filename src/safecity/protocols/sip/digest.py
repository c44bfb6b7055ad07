"""Digest authentication (RFC 2617, 7616, 8760; GB/T 28181-2022 adds SM3), shared by SIP and RTSP.

MD5 is what the devices in the field can do; nothing here decides whether it is good enough.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from enum import Enum

from cryptography.hazmat.primitives import hashes

ALGORITHMS = ("MD5", "SHA-256", "SM3")
MAX_FIELD = 4096

_PAIR = re.compile(r"\s*([!#$%&'*+\-.^_`|~0-9A-Za-z]+)\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))\s*(?:,|$)", re.S)
_ESCAPE = re.compile(r"\\(.)", re.S)


@dataclass(frozen=True, slots=True)
class Challenge:
    """`WWW-Authenticate: Digest ...`. `qop` is what is offered (`auth` or empty)."""

    realm: str
    nonce: str
    algorithm: str = "MD5"
    qop: str = ""
    opaque: str = ""
    stale: bool = False

    def __str__(self) -> str:
        parts = [f'Digest realm="{_escape(self.realm)}"', f'nonce="{_escape(self.nonce)}"']
        if self.opaque:
            parts.append(f'opaque="{_escape(self.opaque)}"')
        if self.stale:
            parts.append("stale=true")
        parts.append(f"algorithm={self.algorithm}")
        if self.qop:
            parts.append(f'qop="{self.qop}"')
        return ", ".join(parts)


@dataclass(frozen=True, slots=True)
class Credentials:
    """`Authorization: Digest ...`, every part as it came. Empty `qop` means the form of RFC 2069."""

    username: str
    realm: str
    nonce: str
    uri: str
    response: str
    algorithm: str = "MD5"
    qop: str = ""
    cnonce: str = ""
    nc: str = ""
    opaque: str = ""

    def __str__(self) -> str:
        parts = [
            f'Digest username="{_escape(self.username)}"',
            f'realm="{_escape(self.realm)}"',
            f'nonce="{_escape(self.nonce)}"',
            f'uri="{_escape(self.uri)}"',
            f'response="{self.response}"',
            f"algorithm={self.algorithm}",
        ]
        if self.opaque:
            parts.append(f'opaque="{_escape(self.opaque)}"')
        if self.qop:
            parts += [f"qop={self.qop}", f"nc={self.nc}", f'cnonce="{_escape(self.cnonce)}"']
        return ", ".join(parts)

    def matches(self, method: str, password: str) -> bool:
        """Whether the sender knew the password. Says nothing about the nonce: ask `Nonces`."""
        try:
            ha1 = digest_ha1(self.algorithm, self.username, self.realm, password)
            return self.matches_ha1(method, ha1)
        except ValueError:
            return False

    def matches_ha1(self, method: str, ha1: str) -> bool:
        """The same, for those who keep H(user:realm:password) instead of the password."""
        try:
            good = _response(self.algorithm, ha1, self.nonce, method, self.uri, self.qop, self.nc, self.cnonce)
        except ValueError:
            return False
        return hmac.compare_digest(good.encode(), self.response.lower().encode("utf-8", "surrogateescape"))


def parse_digest(text: str) -> dict[str, str]:
    """`Digest a="1", b=2` as a dict with lower-case names; ValueError for other schemes and for what is none."""
    scheme, _, rest = text.strip().partition(" ")
    if scheme.lower() != "digest" or len(text) > MAX_FIELD:
        raise ValueError("not Digest")
    pairs: dict[str, str] = {}
    place = 0
    rest = rest.strip()
    while place < len(rest):
        match = _PAIR.match(rest, place)
        if match is None or match.end() == place or len(pairs) > 32:
            raise ValueError("malformed Digest")
        place = match.end()
        name, quoted, plain = match.groups()
        value = plain if quoted is None else _ESCAPE.sub(r"\1", quoted)
        if name.lower() in pairs:
            raise ValueError(f"Digest names {name[:20]} twice")
        pairs[name.lower()] = value
    return pairs


def parse_challenge(text: str) -> Challenge:
    """ValueError where it is no Digest challenge that we can answer."""
    pairs = parse_digest(text)
    if "nonce" not in pairs:
        raise ValueError("Digest without nonce")
    offered = {part.strip().lower() for part in pairs.get("qop", "").split(",")}
    return Challenge(
        realm=pairs.get("realm", ""),
        nonce=pairs["nonce"],
        algorithm=_known(pairs.get("algorithm", "MD5")),
        qop="auth" if "auth" in offered else "",
        opaque=pairs.get("opaque", ""),
        stale=pairs.get("stale", "").lower() == "true",
    )


def parse_credentials(text: str) -> Credentials:
    """ValueError where it is no Digest answer that we can check."""
    pairs = parse_digest(text)
    missing = {"username", "realm", "nonce", "uri", "response"} - pairs.keys()
    if missing:
        raise ValueError(f"Digest without {sorted(missing)[0]}")
    qop = pairs.get("qop", "").lower()
    if qop not in ("", "auth"):
        raise ValueError("unknown qop")
    if qop and not (pairs.get("nc") and pairs.get("cnonce")):
        raise ValueError("qop without nc or cnonce")
    return Credentials(
        username=pairs["username"],
        realm=pairs["realm"],
        nonce=pairs["nonce"],
        uri=pairs["uri"],
        response=pairs["response"],
        algorithm=_known(pairs.get("algorithm", "MD5")),
        qop=qop,
        cnonce=pairs.get("cnonce", ""),
        nc=pairs.get("nc", ""),
        opaque=pairs.get("opaque", ""),
    )


def answer_challenge(
    challenge: Challenge, username: str, password: str, method: str, uri: str, *, cnonce: str = "", count: int = 1
) -> Credentials:
    """What a client sends back; `cnonce` is needed where the challenge offers qop, `count` is the nonce count."""
    nc = f"{count:08x}" if challenge.qop else ""
    cnonce = cnonce if challenge.qop else ""
    ha1 = digest_ha1(challenge.algorithm, username, challenge.realm, password)
    response = _response(challenge.algorithm, ha1, challenge.nonce, method, uri, challenge.qop, nc, cnonce)
    return Credentials(
        username, challenge.realm, challenge.nonce, uri, response, challenge.algorithm, challenge.qop, cnonce, nc,
        challenge.opaque,
    )  # fmt: skip


def choose_challenge(fields: list[str], known: tuple[str, ...] = ALGORITHMS) -> Challenge | None:
    """The strongest challenge among several WWW-Authenticate fields that we can answer, or None."""
    best: Challenge | None = None
    for text in fields:
        try:
            challenge = parse_challenge(text)
        except ValueError:
            continue
        if challenge.algorithm in known and (best is None or _RANK[challenge.algorithm] > _RANK[best.algorithm]):
            best = challenge
    return best


def digest_ha1(algorithm: str, username: str, realm: str, password: str) -> str:
    """H(user:realm:password). ValueError for an algorithm we do not have."""
    return _hash(algorithm, f"{username}:{realm}:{password}")


_RANK = {"MD5": 0, "SM3": 1, "SHA-256": 2}


def _known(algorithm: str) -> str:
    name = algorithm.upper()
    name = {"SHA256": "SHA-256"}.get(name, name)
    if name not in ALGORITHMS:
        raise ValueError("unknown digest algorithm")
    return name


def _response(
    algorithm: str, ha1: str, nonce: str, method: str, uri: str, qop: str, nc: str, cnonce: str
) -> str:  # fmt: skip
    ha2 = _hash(algorithm, f"{method}:{uri}")
    if qop:
        return _hash(algorithm, f"{ha1}:{nonce}:{nc}:{cnonce}:{qop}:{ha2}")
    return _hash(algorithm, f"{ha1}:{nonce}:{ha2}")


def _hash(algorithm: str, text: str) -> str:
    data = text.encode("utf-8", "surrogateescape")
    if algorithm == "MD5":
        return hashlib.md5(data, usedforsecurity=False).hexdigest()
    if algorithm == "SHA-256":
        return hashlib.sha256(data).hexdigest()
    if algorithm == "SM3":
        digest = hashes.Hash(hashes.SM3())
        digest.update(data)
        return digest.finalize().hex()
    raise ValueError("unknown digest algorithm")


def _escape(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')


class NonceState(Enum):
    """What `Nonces.check` says. STALE: challenge again with stale=true. REPLAYED: the same, and count it."""

    GOOD = "good"
    STALE = "stale"
    REPLAYED = "replayed"


class Nonces:
    """Issues and checks nonces. Stateless to issue: a flood of requests costs no memory (RFC 7616, 5.12).

    A nonce is bound to who asked (`scope`: device and Call-ID) and to a time. Its use is counted: with qop the
    nonce count must grow, without qop a nonce serves once, so that a recorded answer cannot be played again.
    """

    def __init__(self, key: bytes, *, lifetime_seconds: float = 300.0, max_used: int = 50_000) -> None:
        self._key = key
        self._lifetime = lifetime_seconds
        self._max_used = max_used
        self._used: dict[str, int] = {}

    def issue(self, now: float, scope: str, salt: bytes) -> str:
        """A fresh nonce. `salt` is 8 random bytes of the caller; `now` in seconds of any clock that `check` shares."""
        body = f"{int(now * 1000):x}.{salt.hex()}"
        return f"{body}.{self._mark(body, scope)}"

    def check(self, now: float, scope: str, nonce: str, nc: str = "") -> NonceState:
        """Only ask once the password was right: a good answer is counted as used."""
        body, _, mark = nonce.rpartition(".")
        stamp, _, salt = body.partition(".")
        if len(nonce) > 128 or not salt or not hmac.compare_digest(self._mark(body, scope), _ascii(mark)):
            return NonceState.STALE
        try:
            age = now - int(stamp, 16) / 1000
            count = int(nc, 16) if nc else 0
        except ValueError:
            return NonceState.STALE
        if not -1.0 <= age <= self._lifetime:
            return NonceState.STALE
        last = self._used.get(nonce)
        if last is not None and (count == 0 or count <= last):
            return NonceState.REPLAYED
        self._used.pop(nonce, None)
        self._used[nonce] = count
        if len(self._used) > self._max_used:
            del self._used[next(iter(self._used))]
        return NonceState.GOOD

    def _mark(self, body: str, scope: str) -> str:
        data = f"{body}|{scope}".encode("utf-8", "surrogateescape")
        return hmac.digest(self._key, data, hashlib.sha256)[:12].hex()


def _ascii(text: str) -> str:
    return text if text.isascii() else ""
