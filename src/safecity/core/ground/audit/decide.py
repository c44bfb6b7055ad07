"""The chain of the audit log: each record carries the hash of the one before it."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field
from typing import Any

GENESIS = b"\0" * 32
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True, kw_only=True, slots=True)
class Record:
    """Who did or watched what. Words are codes and ids; names are as they were then.

    outcome  `done`, `refused` or `failed`
    reason   what the person gave as the reason, or the code of the refusal
    """

    at: int
    actor: str
    actor_name: str
    action: str
    kind: str = ""
    thing: str = ""
    thing_name: str = ""
    area: str = "/"
    organisation: str = "/"
    session: str = ""
    address: str = ""
    outcome: str = "done"
    reason: str = ""
    request: str = ""
    details: dict[str, Any] = field(default_factory=dict[str, Any])


def clean(record: Record) -> Record:
    """Without control and direction characters, and short: names in it come from devices and strangers."""
    values: dict[str, Any] = {
        key: tidy(value) if isinstance(value, str) else value for key, value in asdict(record).items()
    }
    values["details"] = {tidy(k): tidy(v) if isinstance(v, str) else v for k, v in record.details.items()}
    return Record(**values)


def tidy(text: str, limit: int = 500) -> str:
    """One printable line of at most `limit` characters, without lone surrogates."""
    return _CONTROL.sub(" ", text[:limit]).encode("utf-8", "replace").decode()


def chain_hash(seq: int, record: Record, previous: bytes) -> bytes:
    """SHA-256 over the previous hash and the record as canonical JSON."""
    values = asdict(record)
    if record.organisation == "/":  # as it was before records had one: what was written then stays sound
        del values["organisation"]
    canonical = json.dumps({"seq": seq, **values}, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    return hashlib.sha256(previous + canonical).digest()


@dataclass(frozen=True, slots=True)
class Entry:
    """A record in its place in the chain."""

    seq: int
    record: Record
    previous: bytes
    hash: bytes
