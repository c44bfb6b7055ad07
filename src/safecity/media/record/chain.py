"""The hash chain's anchors: a digest per minute that outlives the footage, and signed checkpoints.

The chain itself is in the chunks (each header holds the hash of the chunk before it). A checkpoint says "at this time
the chain of this channel stood here" and is signed with a key that does not lie on the volume, so that whoever can
rewrite the volume cannot rewrite history.
"""

from __future__ import annotations

import os
import struct
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, Protocol

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

EMPTY: Final = bytes(32)
"""The digest before the first chunk, and the chain before a channel's first run."""
CHECKPOINT_US: Final = 3_600_000_000
_BODY = struct.Struct("<8s16s16sBQIq32s")


class Signer(Protocol):
    """Signs checkpoints; the key is given from outside."""

    @property
    def key_id(self) -> bytes:
        """8 bytes that name the key."""
        ...

    def sign(self, data: bytes) -> bytes: ...


class Ed25519Signer:
    """A 32-byte seed in memory."""

    def __init__(self, seed: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(seed)
        self.public = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        self._id = sha256(self.public).digest()[:8]

    @property
    def key_id(self) -> bytes:
        return self._id

    def sign(self, data: bytes) -> bytes:
        return self._key.sign(data)


def load_signer(path: Path) -> Ed25519Signer:
    """The signer whose 32-byte seed lies in this file; made on first use, for the owner's eyes alone.

    The file belongs where the volumes are not: whoever can rewrite a volume must not be able to sign.
    """
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    except FileExistsError:
        return Ed25519Signer(path.read_bytes())
    with os.fdopen(descriptor, "wb") as file:
        seed = os.urandom(32)
        file.write(seed)
        file.flush()
        os.fsync(file.fileno())
    return Ed25519Signer(seed)


class Checkpoint(NamedTuple):
    """Where the chain of a channel's stream stood at `at` (microseconds UTC)."""

    volume: bytes
    channel: bytes
    quality: int
    run: int
    sequence: int
    at: int
    head: bytes

    def body(self) -> bytes:
        """What is signed."""
        return _BODY.pack(b"SCCHKPT1", *self)


def verified(checkpoint: Checkpoint, signature: bytes, public: bytes) -> bool:
    """Whether the holder of the key said this."""
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, checkpoint.body())
    except (InvalidSignature, ValueError):
        return False
    return True


def minute_digest(before: bytes, link: bytes) -> bytes:
    """The digest of a minute grows by the hash of each of its chunks."""
    return sha256(before + link).digest()
