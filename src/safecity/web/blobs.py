"""A blob as the answer to a download: whole or one range of it (RFC 9110, 14), never in memory at once."""

from __future__ import annotations

import re
from urllib.parse import quote

from fastapi import Request
from fastapi.responses import Response, StreamingResponse

from safecity.ports.blobs import BlobInfo, Blobs

_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


def wanted(header: str, size: int) -> tuple[int, int] | None:
    """[start, end) of a `Range` header; None when it asks for bytes that are not there. What is not understood, several
    ranges too, means the whole, as the standard allows."""
    match = _RANGE.fullmatch(header.strip())
    if match is None or match.groups() == ("", ""):
        return (0, size)
    first, last = match.groups()
    if not first:
        start, end = max(0, size - int(last)), size
    else:
        start, end = int(first), min(size, int(last) + 1) if last else size
        if last and int(last) < int(first):
            return (0, size)
    return (start, end) if start < end else None


def download(blobs: Blobs, blob: BlobInfo, name: str, request: Request) -> Response:
    """`name` is what the browser saves it as; it was made by us."""
    headers = {
        "Accept-Ranges": "bytes",
        "Cache-Control": "private, no-store",
        "Content-Disposition": f"attachment; filename*=utf-8''{quote(name)}",
    }
    asked = request.headers.get("range", "")[:100]
    span = wanted(asked, blob.size) if asked else (0, blob.size)
    if span is None:
        return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{blob.size}"})
    start, end = span
    headers["Content-Length"] = str(end - start)
    partial = end - start < blob.size
    if partial:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{blob.size}"
    kind = {"mp4": "video/mp4", "json": "application/json", "zip": "application/zip"}.get(name.rpartition(".")[2])
    return StreamingResponse(
        blobs.read(blob.key, start, end),
        status_code=206 if partial else 200,
        headers=headers,
        media_type=kind or "application/octet-stream",
    )
