"""What other libraries answer us, and how we prove who we are there (RFC 7616)."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from safecity.core.ground.images.delivery import understood
from safecity.kit.errors import UnavailableError
from safecity.protocols.sip.digest import answer_challenge, choose_challenge


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer; `challenges` are its `WWW-Authenticate`, `kind` is its media type."""

    status: int
    challenges: tuple[str, ...] = ()
    body: bytes = b""
    kind: str = ""

    @property
    def agreed(self) -> bool:
        """Whether it did what was asked; see `understood`."""
        return understood(self.status, self.body, self.kind)[0]

    @property
    def unwanted(self) -> bool:
        """Whether it never will, because of what was asked."""
        return understood(self.status, self.body, self.kind)[1]


def proof(asked: Reply, username: str, password: str, method: str, target: str) -> str:
    """`Authorization` for a request that was answered 401. UnavailableError `http_answer_unexpected` where there is
    nothing to answer."""
    challenge = choose_challenge(list(asked.challenges))
    if challenge is None:
        raise UnavailableError("no challenge to answer", code="http_answer_unexpected")
    return str(answer_challenge(challenge, username, password, method, target, cnonce=secrets.token_hex(8)))
