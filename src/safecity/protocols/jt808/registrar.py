"""Who may come in (JT/T 808-2019, 8.8 to 8.10): what to answer to a registration and to an authentication.

The protocol has no security of its own. What can be done: the code is random and kept as a hash; phone, terminal id and
IMEI belong together once they were seen together; while a terminal is here nobody else can register in its name.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass
from typing import Final

from safecity.protocols.jt808.header import Version
from safecity.protocols.jt808.registration import Authenticate, Register, RegisterResult

CODE_BYTES: Final = 16
_NOBODY: Final = bytes(32)

UNKNOWN: Final = "jt_unknown_terminal"
DISABLED: Final = "jt_disabled"
OTHER_TERMINAL: Final = "jt_other_terminal"
OTHER_IMEI: Final = "jt_other_imei"
LIVE: Final = "jt_already_here"
WRONG_CODE: Final = "jt_wrong_code"
NO_CODE: Final = "jt_no_code"
OTHER_PHONE: Final = "jt_other_phone"
NOT_AUTHENTICATED: Final = "jt_not_authenticated"
UNREADABLE: Final = "jt_bad_body"
"""A registration or authentication whose fields are not all there."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terminal:
    """What is known of a terminal. Empty `terminal_id` and `imei`: bound by the first one that comes. `code_hash`:
    empty until it has registered. `version` as its last registration told, None before."""

    phone: str
    terminal_id: str = ""
    imei: str = ""
    code_hash: bytes = b""
    enabled: bool = True
    version: Version | None = None


def code_text(random: bytes) -> str:
    """The authentication code of 128 random bits, as terminals can keep it: ASCII letters and digits."""
    if len(random) != CODE_BYTES:
        raise ValueError(f"{CODE_BYTES} random bytes are needed")
    return random.hex()


def hash_code(code: str, phone: str) -> bytes:
    """What is stored. The code is random: a plain hash is enough, bound to the phone it was given to."""
    return hashlib.sha256(b"jt808\0" + phone.encode() + b"\0" + code.encode()).digest()


@dataclass(frozen=True, slots=True)
class Registration:
    """`result` goes to the terminal; `refusal` says why it was turned away."""

    result: RegisterResult
    refusal: str = ""


def rule_registration(register: Register, terminal: Terminal | None, *, live: bool) -> Registration:
    """`live`: a session of the same phone is there already, over another connection."""
    if terminal is None:
        return Registration(RegisterResult.NO_SUCH_TERMINAL, UNKNOWN)
    if not terminal.enabled:
        return Registration(RegisterResult.NO_SUCH_TERMINAL, DISABLED)
    if terminal.terminal_id and terminal.terminal_id != register.terminal:
        return Registration(RegisterResult.TERMINAL_ALREADY, OTHER_TERMINAL)
    if live:
        return Registration(RegisterResult.TERMINAL_ALREADY, LIVE)
    return Registration(RegisterResult.OK)


def rule_authentication(message: Authenticate, terminal: Terminal | None, phone: str) -> str:
    """Why it was turned away, empty when it may come in. A stranger costs as much as an acquaintance."""
    known = terminal is not None and bool(terminal.code_hash)
    stored = terminal.code_hash if terminal is not None and known else _NOBODY
    right = hmac.compare_digest(hash_code(message.code, phone), stored)
    if terminal is None:
        return UNKNOWN
    if not terminal.enabled:
        return DISABLED
    if not known:
        return NO_CODE
    if not right:
        return WRONG_CODE
    if terminal.imei and message.imei != terminal.imei:
        return OTHER_IMEI
    return ""
