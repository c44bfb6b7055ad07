"""Passwords, tokens and sealed secrets. Nothing here is written by hand that a library does."""

from __future__ import annotations

import hashlib
import hmac
import os
import secrets
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from safecity.kit.errors import InvalidError, UnavailableError

MIN_PASSWORD = 10
MAX_PASSWORD = 256
_COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "password123",
        "admin12345",
        "qwertyuiop",
        "1q2w3e4r5t",
        "administrator",
        "safecity123",
        "hikvision123",
        "admin123456",
        "1234567891",
        "12345678910",
        "123456789a",
        "a123456789",
        "password1234",
        "qwerty12345",
        "iloveyou123",
        "dahua12345",
    ]
)


class Passwords:
    """Argon2id. `check` costs the same for a user who does not exist."""

    def __init__(self, *, memory_kib: int = 65536, time_cost: int = 2) -> None:
        self._hasher = PasswordHasher(time_cost=time_cost, memory_cost=memory_kib, parallelism=1)
        self._nobody = self._hasher.hash(secrets.token_urlsafe(16))

    def hash(self, password: str) -> str:
        return self._hasher.hash(password)

    def check(self, stored: str | None, password: str) -> bool:
        """True when it is the password; a missing user is checked against a hash that nothing matches."""
        try:
            good = self._hasher.verify(stored or self._nobody, password)
        except (VerificationError, InvalidHashError):
            return False
        return good and stored is not None


def check_new_password(password: str, username: str) -> None:
    """InvalidError `password_weak` with the reason that a person can act on."""
    reason = ""
    if len(password) < MIN_PASSWORD:
        reason = "short"
    elif len(password) > MAX_PASSWORD:
        reason = "long"
    elif password.lower() in _COMMON or len(set(password)) < 4:
        reason = "common"
    elif username and username.lower() in password.lower():
        reason = "contains_name"
    if reason:
        raise InvalidError(
            "password too weak", code="password_weak", params={"reason": reason, "minimum": MIN_PASSWORD}
        )


def new_token() -> str:
    """256 bits, URL-safe."""
    return secrets.token_urlsafe(32)


def token_hash(token: str) -> bytes:
    """What is stored of a token: who reads the database cannot use it."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def same(left: str, right: str) -> bool:
    """Compare in constant time."""
    return hmac.compare_digest(left.encode("utf-8", "surrogatepass"), right.encode("utf-8", "surrogatepass"))


class Vault:
    """Seals device secrets with AES-256-GCM; the key lies in a file outside the database, mode 0600."""

    def __init__(self, key: bytes) -> None:
        self._cipher = AESGCM(key)

    def seal(self, text: str, about: str) -> bytes:
        """`about` (the id of the thing) is bound in: a sealed secret moved to another row does not open."""
        nonce = os.urandom(12)
        return b"\x01" + nonce + self._cipher.encrypt(nonce, text.encode(), about.encode())

    def open(self, sealed: bytes | None, about: str) -> str:
        """The text, empty for None; UnavailableError `secret_unreadable` with another key."""
        if not sealed:
            return ""
        try:
            return self._cipher.decrypt(sealed[1:13], sealed[13:], about.encode()).decode()
        except InvalidTag as error:
            raise UnavailableError("sealed with another key", code="secret_unreadable") from error


def key_file(path: Path, size: int = 32) -> bytes:
    """The key in the file, made at the first start."""
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        key = path.read_bytes()
        if len(key) != size:
            raise UnavailableError(f"{path.name}: not a key of {size} bytes", code="key_file_damaged") from None
        return key
    with os.fdopen(fd, "wb") as file:
        key = os.urandom(size)
        file.write(key)
        file.flush()
        os.fsync(file.fileno())
    return key
