"""The platform's own signature (Ed25519, RFC 8032) over the manifest of what leaves it.

A manifest holds the SHA-256 of every file, so one signature covers all of a package. It lies beside the manifest as
`manifest.sig`, JSON with the public key: who knows the key's fingerprint from the platform itself knows who signed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from safecity.kit.errors import InvalidError

FORMAT: Final = "safecity-signature"
SIGNATURE: Final = "manifest.sig"


class Signer:
    """`key` gives the 32 bytes of the private key; it is asked for when it is needed first."""

    def __init__(self, key: Callable[[], bytes]) -> None:
        self._key = key

    @cached_property
    def _private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self._key())

    @property
    def public_key(self) -> bytes:
        """32 bytes."""
        return self._private.public_key().public_bytes_raw()

    def sign(self, manifest: bytes) -> bytes:
        """The file that lies beside the manifest."""
        said = {
            "format": FORMAT, "version": 1, "algorithm": "Ed25519", "of": "the bytes of the manifest beside this file",
            "public_key": base64.b64encode(self.public_key).decode(), "fingerprint": fingerprint(self.public_key),
            "signature": base64.b64encode(self._private.sign(manifest)).decode(),
        }  # fmt: skip
        return json.dumps(said, indent=1).encode()


@dataclass(frozen=True, slots=True)
class Signature:
    """As a file of signature says it."""

    public_key: bytes
    signature: bytes

    def fits(self, manifest: bytes) -> bool:
        """Whether the owner of that key signed exactly these bytes."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public_key).verify(self.signature, manifest)
        except (InvalidSignature, ValueError):
            return False
        return True


def read_signature(text: bytes) -> Signature:
    """InvalidError `signature_unreadable`."""
    try:
        said: dict[str, Any] = json.loads(text)
        if said["format"] != FORMAT or said["algorithm"] != "Ed25519":
            raise ValueError("another format")
        return Signature(base64.b64decode(said["public_key"], validate=True), base64.b64decode(said["signature"]))
    except (ValueError, TypeError, KeyError) as error:
        raise InvalidError("not a signature", code="signature_unreadable") from error


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of the key's 32 bytes, as 64 digits: short enough to be read out by telephone."""
    return hashlib.sha256(public_key).hexdigest()


def name_of_signature(manifest: str) -> str:
    """`x-manifest.json` -> `x-manifest.sig`."""
    return manifest.removesuffix(".json") + ".sig"
