"""Seals: signed statements of the head of the audit chain, kept outside the database.

Whoever rewrites or cuts off the table cannot rewrite what was sealed before without the key, and cannot hide that the
log once was longer.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from sqlalchemy import select

from safecity.core.ground.audit.store import audit
from safecity.ports.database import Tx


def make_seal(seq: int, digest: bytes, at: int, key: Ed25519PrivateKey) -> str:
    """One line of JSON."""
    head = {"seq": seq, "hash": digest.hex(), "at": at}
    return json.dumps({**head, "sig": base64.b64encode(key.sign(_text(head))).decode()}, sort_keys=True)


def broken_seal(lines: Iterable[str], hashes: dict[int, bytes], key: Ed25519PublicKey) -> int | None:
    """The sequence number of the first seal that is forged or that the log contradicts; None when all hold."""
    for line in lines:
        seal = json.loads(line)
        signature = base64.b64decode(seal.pop("sig"))
        try:
            key.verify(signature, _text(seal))
        except InvalidSignature:
            return int(seal["seq"])
        if hashes.get(seal["seq"], b"").hex() != seal["hash"]:
            return int(seal["seq"])
    return None


def append_seal(path: Path, line: str) -> None:
    """Durable on return."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "w") as file:
        file.write(line + "\n")
        file.flush()
        os.fsync(file.fileno())


def head(tx: Tx) -> tuple[int, bytes] | None:
    """The newest record."""
    row = tx.row(select(audit.c.seq, audit.c.hash).order_by(audit.c.seq.desc()).limit(1))
    return None if row is None else (row["seq"], bytes(row["hash"]))


def _text(seal: Mapping[str, object]) -> bytes:
    return json.dumps(seal, sort_keys=True, separators=(",", ":")).encode()
