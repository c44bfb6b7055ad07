"""Seals: signed statements of the head of the audit chain, kept outside the database.

Whoever rewrites or cuts off the table cannot rewrite what was sealed before without the key, and cannot hide that the
log once was longer. A cut is a seal that says: what lies up to here has been forgotten on purpose.
"""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey


@dataclass(frozen=True, slots=True)
class Seal:
    """The record `seq` had this hash at this time (microseconds UTC)."""

    seq: int
    hash: bytes
    at: int
    cut: bool = False


@dataclass(frozen=True, slots=True)
class Sealed:
    """What a file of seals says: those that are ours, the first that is forged, and lines that a crash left torn (a
    later seal covers whatever they sealed)."""

    seals: tuple[Seal, ...] = ()
    forged: int | None = None
    torn: int = 0


def write_seal(seal: Seal, key: Ed25519PrivateKey) -> str:
    """One line of JSON."""
    return json.dumps({**_said(seal), "sig": base64.b64encode(key.sign(_text(seal))).decode()}, sort_keys=True)


def read_seals(lines: Iterable[str], key: Ed25519PublicKey) -> Sealed:
    """All of a file, each checked."""
    seals: list[Seal] = []
    forged: int | None = None
    torn = 0
    for line in lines:
        try:
            said = json.loads(line)
            seal = Seal(int(said["seq"]), bytes.fromhex(said["hash"]), int(said["at"]), said.get("cut") is True)
            signature = base64.b64decode(said["sig"])
        except (ValueError, TypeError, KeyError):
            torn += 1
            continue
        try:
            key.verify(signature, _text(seal))
        except InvalidSignature:
            forged = seal.seq if forged is None else forged
            continue
        seals.append(seal)
    return Sealed(tuple(seals), forged, torn)


def append_line(path: Path, line: str) -> None:
    """Durable on return. What a crash left of a line before is ended first."""
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "r+b") as file:
        size = file.seek(0, os.SEEK_END)
        torn = size > 0 and os.pread(fd, 1, size - 1) != b"\n"
        file.write((b"\n" if torn else b"") + line.encode() + b"\n")
        file.flush()
        os.fsync(fd)


def _said(seal: Seal) -> dict[str, Any]:
    said: dict[str, Any] = {"seq": seal.seq, "hash": seal.hash.hex(), "at": seal.at}
    return {**said, "cut": True} if seal.cut else said


def _text(seal: Seal) -> bytes:
    return json.dumps(_said(seal), sort_keys=True, separators=(",", ":")).encode()
