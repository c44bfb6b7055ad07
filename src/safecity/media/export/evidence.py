"""Evidence: the original bytes, one fragmented MP4 per run, and a manifest that proves them.

A file is the run's init segment and the bodies of its chunks, unmodified. The manifest carries for each chunk the
header it has in the store: the SHA-256 over header and body is the `previous` of the next chunk's header, so a
missing or changed chunk shows. Where the sequence skips one, the store wrote the init segment once more.
"""

from __future__ import annotations

import base64
import json
import os
import platform as machine
import time
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

from safecity import __version__
from safecity.kit.clock import rfc3339
from safecity.kit.errors import SafecityError
from safecity.media.export import verify
from safecity.media.export.job import Job, Made, base_name, hashed, stamp
from safecity.media.export.runs import Footing
from safecity.media.formats.fmp4_read import read_init
from safecity.media.formats.sample_entries import codec_string
from safecity.media.playback.footage import Clip
from safecity.media.record.chunk import Flag, chunk_hash, pack_header

_STATEMENT = (
    # `clock_measured` beside it says how far that clock was off, by which servers, around the time of the recording.
    "Times are UTC by the clock of the recording node at the arrival of each picture; within a run they follow the "
    "camera's media clock, drawn towards the arrivals by at most 500 ppm. A device time is given where it was known."
)


class _File:
    """One run on its way out."""

    def __init__(self, folder: Path, name: str, init: bytes) -> None:
        self.path = folder / name
        self._file = (folder / f".{name}.part").open("wb")
        self._file.write(init)
        self.position = len(init)
        self.init = init
        self.chunks: list[dict[str, Any]] = []
        self.start = self.end = 0
        self.link = b""
        self.linked = self.interrupted = 0

    def add(self, header: bytes, body: bytes, fields: dict[str, Any], previous: bytes, sequence: int) -> None:
        if self.chunks and sequence == self.chunks[-1]["sequence"] + 1:
            if previous == self.link:
                self.linked += 1
            else:
                self.interrupted += 1
        self.link = chunk_hash(header, body)
        self.chunks.append(
            {
                "sequence": sequence,
                **fields,
                "offset": self.position,
                "bytes": len(body),
                "header": base64.b64encode(header).decode(),
                "sha256": self.link.hex(),
            }
        )
        self._file.write(body)
        self.position += len(body)

    def finish(self) -> Made:
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        Path(self._file.name).replace(self.path)
        return hashed(self.path)


def export_evidence(footing: Footing, folder: Path, progress: Callable[[float], None]) -> list[Made]:
    """The files, the manifest last."""
    job = footing.job
    base = base_name(job)
    made: list[Made] = []
    described: list[dict[str, Any]] = []
    current: _File | None = None
    run: object = None

    def close() -> None:
        if current is not None:
            made.append(current.finish())
            described.append(_describe(current, made[-1]))

    for clip in footing.clips():
        read = _read(footing, clip)
        if read is None:
            continue
        header, body, fields, previous, sequence = read
        if current is None or clip.init != run:
            close()
            run = clip.init
            name = f"{base}-{len(made) + 1:03d}-{stamp(clip.start)}.mp4"
            current = _File(folder, name, footing.footage.init(clip))
            current.start = clip.start
        current.add(header, body, fields, previous, sequence)
        current.end = clip.end
        progress((clip.end - job.start_us) / (job.end_us - job.start_us))
    close()
    manifest = folder / f"{base}-manifest.json"
    part = folder / f".{manifest.name}.part"
    part.write_text(json.dumps(_manifest(footing, described), ensure_ascii=False, indent=1), "utf-8")
    part.replace(manifest)
    checker = folder / "verify.py"
    checker.write_bytes(Path(verify.__file__).read_bytes())
    return [*made, hashed(checker), hashed(manifest)]


def _read(footing: Footing, clip: Clip) -> tuple[bytes, bytes, dict[str, Any], bytes, int] | None:
    try:
        chunk = footing.archive.read_chunk(clip.where)
    except SafecityError:
        footing.unreadable.append((clip.start, clip.end))
        return None
    header = chunk.header
    fields = {
        "start_us": header.wall,
        "end_us": header.wall + header.duration,
        "device_us": header.device,
        "damaged": bool(header.flags & Flag.DAMAGED),
        "origin": "backfill" if header.flags & Flag.BACKFILLED else "live",
        "epoch": header.epoch,
    }
    return pack_header(header), chunk.body, fields, header.previous, header.sequence


def _describe(file: _File, made: Made) -> dict[str, Any]:
    return {
        **made._asdict(),
        "start_us": file.start,
        "end_us": file.end,
        "codecs": [codec_string(one) for one in read_init(file.init)],
        "init_bytes": len(file.init),
        "init_sha256": sha256(file.init).hexdigest(),
        "chain": {"linked": file.linked, "interrupted": file.interrupted},
        "chunks": file.chunks,
    }


def _manifest(footing: Footing, files: list[dict[str, Any]]) -> dict[str, Any]:
    job: Job = footing.job
    return {
        "format": "safecity-evidence",
        "version": 1,
        "export": job.id,
        "software": f"safecity {__version__}",
        "python": machine.python_version(),
        "platform": job.platform,
        "channel": {"id": job.channel, "name": job.channel_name, "code": job.code, "quality": str(footing.quality)},
        "operator": job.operator,
        "reason": job.reason,
        "case": job.case,
        "zone": job.zone,
        "requested": {"start": rfc3339(job.start_us), "end": rfc3339(job.end_us)},
        "start_us": job.start_us,
        "end_us": job.end_us,
        "created": rfc3339(time.time_ns() // 1000),
        "clock": _STATEMENT,
        "clock_measured": job.clock,
        "hash": "SHA-256 over the stored header and the body of each chunk; see `chunks[].header`, bytes in base64",
        "gaps": [
            {"start_us": one.start, "end_us": one.end, "cause": one.cause, "detail": one.detail}
            for one in footing.gaps()
        ],
        "files": files,
    }
