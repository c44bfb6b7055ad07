"""The job file of an export, and what is told about it (docs/design/contracts.md, "Export jobs")."""

from __future__ import annotations

import json
import re
import sys
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from safecity.kit.clock import SECOND_US
from safecity.kit.errors import InvalidError

MAX_SPAN_US = 31 * 86_400 * SECOND_US


class JobVolume(Struct, frozen=True):
    """A volume to read."""

    name: str
    path: str


class Job(Struct, frozen=True, kw_only=True):
    """See the contract. Times are microseconds UTC, half-open."""

    id: str
    product: str
    channel: str
    start_us: int
    end_us: int
    volumes: tuple[JobVolume, ...]
    out: str
    channel_name: str = ""
    code: str = ""
    slots: tuple[str, ...] = ()
    platform: dict[str, Any] = {}
    clock: dict[str, Any] = {}
    operator: str = ""
    reason: str = ""
    case: str = ""
    zone: str = "UTC"
    language: str = "zh"


class Made(NamedTuple):
    """A finished file."""

    name: str
    bytes: int
    sha256: str


def read_job(path: Path) -> Job:
    """InvalidError (`export_bad_job`) when it cannot be carried out."""
    try:
        job = msgspec.json.decode(path.read_bytes(), type=Job)
    except (OSError, msgspec.MsgspecError) as error:
        raise InvalidError(f"{path.name}: {error}", code="export_bad_job") from error
    if job.product not in ("evidence", "viewing") or not 0 < job.end_us - job.start_us <= MAX_SPAN_US:
        raise InvalidError("product or range", code="export_bad_job")
    return job


def base_name(job: Job) -> str:
    """What the files of a job begin with: the channel's code or id and the time, letters that are safe anywhere."""
    label = re.sub(r"[^A-Za-z0-9-]", "", job.code) or re.sub(r"[^A-Za-z0-9_]", "", job.channel)
    return f"{label[:40]}-{stamp(job.start_us)}"


def stamp(us: int) -> str:
    """`20260102T030405Z`."""
    return datetime.fromtimestamp(us // SECOND_US, UTC).strftime("%Y%m%dT%H%M%SZ")


def say(**fields: Any) -> None:
    """One line to whoever started the job."""
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


def hashed(path: Path) -> Made:
    """Read a finished file once more, as whoever gets it will."""
    digest = sha256()
    with path.open("rb") as file:
        while block := file.read(1 << 20):
            digest.update(block)
    return Made(path.name, path.stat().st_size, digest.hexdigest())
