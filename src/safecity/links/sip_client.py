"""What a SIP client does again and again: build a first request, answer a digest challenge."""

from __future__ import annotations

import secrets
from collections.abc import Iterable

from safecity.links.sip import SipEndpoint, new_tag
from safecity.links.sip_flows import Flow
from safecity.protocols.sip.digest import ALGORITHMS, Challenge, answer_challenge, choose_challenge
from safecity.protocols.sip.message import Request, Response


def new_request(
    method: str,
    uri: str,
    *,
    local: str,
    remote: str,
    cseq: int = 1,
    call_id: str = "",
    tag: str = "",
    contact: str = "",
    fields: Iterable[tuple[str, str]] = (),
    body: bytes = b"",
) -> Request:
    """A request outside any dialog. `local`, `remote` and `contact` are URIs without brackets."""
    built = [
        ("From", f"<{local}>;tag={tag or new_tag()}"),
        ("To", f"<{remote}>"),
        ("Call-ID", call_id or new_tag()),
        ("CSeq", f"{cseq} {method}"),
        ("Max-Forwards", "70"),
    ]
    if contact:
        built.append(("Contact", f"<{contact}>"))
    built.extend(fields)
    return Request(method, uri, built, body)


class DigestMemory:
    """Answers challenges of one server, and sends the last nonce unasked next time with a growing count."""

    def __init__(self, username: str, password: str, algorithms: tuple[str, ...] = ALGORITHMS) -> None:
        self._username = username
        self._password = password
        self._algorithms = algorithms
        self._challenge: Challenge | None = None
        self._count = 0

    def authorize(self, request: Request) -> Request:
        """The request with an Authorization, where a nonce is known that may be used again."""
        if self._challenge is None:
            return request
        self._count += 1
        credentials = answer_challenge(
            self._challenge,
            self._username,
            self._password,
            request.method,
            request.uri,
            cnonce=secrets.token_hex(8),
            count=self._count,
        )
        return request.with_fields([("Authorization", str(credentials))])

    def learn(self, response: Response) -> bool:
        """Take over the challenge of a 401; False where it offers nothing that we can answer."""
        challenge = choose_challenge(_challenges(response), self._algorithms)
        self._challenge, self._count = challenge, 0
        return challenge is not None

    def used(self) -> None:
        """After success: a nonce without qop serves once."""
        if self._challenge is not None and not self._challenge.qop:
            self._challenge = None


async def request_authorized(
    endpoint: SipEndpoint, request: Request, flow: Flow, memory: DigestMemory, *, timeout: float | None = None
) -> Response:
    """Send; on 401 once more with the answer and CSeq + 1. The final response, which may be a second 401."""
    response = await endpoint.request(memory.authorize(request), flow, timeout=timeout)
    if response.status == 401 and memory.learn(response):
        number = request.cseq.number + 1
        again = memory.authorize(request.with_fields([("CSeq", f"{number} {request.method}")]))
        response = await endpoint.request(again, flow, timeout=timeout)
    if response.status != 401:
        memory.used()
    return response


def _challenges(response: Response) -> list[str]:
    return [value for name, value in response.fields if name == "WWW-Authenticate"]
