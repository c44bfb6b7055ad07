"""Basic and Digest of an RTSP client (RFC 2617, 7616), one memory for each session."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field

from safecity.protocols.rtsp.message import RtspResponse
from safecity.protocols.sip.digest import Challenge, answer_challenge, choose_challenge


@dataclass(slots=True)
class ClientAuth:
    """`cnonce` is random text of the caller. Basic is used only where the camera offers nothing better."""

    username: str
    password: str = field(repr=False)
    cnonce: str = field(repr=False)
    _challenge: Challenge | None = None
    _basic: bool = False
    _count: int = 0

    def learn(self, response: RtspResponse) -> bool:
        """Take the challenges of a 401; False where we cannot, or may not, answer."""
        if not self.username:
            return False
        offers = response.all("WWW-Authenticate")
        # Several challenges in one line are rare but known; Digest begins at its own word.
        split = [part for offer in offers for part in _split(offer)]
        self._challenge = choose_challenge([part for part in split if part.lower().startswith("digest")])
        self._basic = self._challenge is None and any(part.lower().startswith("basic") for part in split)
        self._count = 0
        return self._challenge is not None or self._basic

    def field(self, method: str, url: str) -> str:
        """The value of Authorization, empty before any challenge."""
        if self._basic:
            pair = f"{self.username}:{self.password}".encode()
            return f"Basic {base64.b64encode(pair).decode()}"
        if self._challenge is None:
            return ""
        self._count += 1
        return str(
            answer_challenge(
                self._challenge, self.username, self.password, method, url, cnonce=self.cnonce, count=self._count
            )
        )


def _split(offer: str) -> list[str]:
    lower = offer.lower()
    for word in ("digest ", "basic "):
        at = lower.find(f", {word}")
        if at > 0:
            return [offer[:at].strip(), offer[at + 1 :].strip()]
    return [offer.strip()]
