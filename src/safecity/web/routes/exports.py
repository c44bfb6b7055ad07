"""Holds and exports."""

from __future__ import annotations

import base64
from typing import Annotated, Any, Literal, cast

from fastapi import Query, Request
from fastapi.responses import Response, StreamingResponse
from pydantic import Field, model_validator

from safecity.core.ground.access.api import Action, Actor
from safecity.core.ground.exports.api import Export, Hold, JobState
from safecity.core.ground.packages.api import fingerprint
from safecity.web.blobs import download
from safecity.web.guard import SIGNED_IN, Here, Routes, Who
from safecity.web.shapes import (
    Answer,
    Ask,
    Moment,
    OptionalMoment,
    Page,
    Params,
    ThingId,
    Words,
    binary,
    read_cursor,
    write_cursor,
)
from safecity.web.texts import sentence

routes = Routes("exports")
Cursor = Annotated[str, Query(max_length=200)]
Product = Literal["evidence", "viewing"]
Limit = Annotated[int, Query(ge=1, le=500)]


_FILE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The whole file.", "content": binary("application/octet-stream")},
    206: {"description": "A range of it.", "content": binary("application/octet-stream")},
}


class HoldAsk(Ask):
    """What to keep, and why."""

    channel: ThingId
    start: Moment
    end: Moment
    reason: Annotated[Words, Field(min_length=1)]


class HoldOut(Answer):
    """Footage that no deletion touches; `case`: that case needs it, and lets it go when it is closed."""

    id: str
    channel: str
    channel_name: str
    start: Moment
    end: Moment
    reason: str
    created_by: str
    created_at: Moment
    case: str | None


class PackageKeyOut(Answer):
    """The key that this platform signs its packages with (Ed25519): its 32 bytes in base64, and their SHA-256."""

    public_key: str
    fingerprint: str


class ExportAsk(Ask):
    """`evidence`: the original bytes with hashes; `viewing`: one plain MP4. Of one channel."""

    channel: ThingId = ""
    channels: Annotated[list[ThingId], Field(max_length=1, default_factory=list)]
    start: Moment
    end: Moment
    product: Product = "viewing"
    reason: Words = ""

    @model_validator(mode="after")
    def _one_channel(self) -> ExportAsk:
        if not self.channel and self.channels:
            self.channel = self.channels[0]
        if not self.channel:
            raise ValueError("a channel is needed")
        return self


class FileOut(Answer):
    """A finished file."""

    name: str
    bytes: int
    sha256: str = ""


class MissingOut(Answer):
    """A stretch that is not in the files, and why."""

    start_us: int
    end_us: int
    cause: str = "unknown"


class ExportOut(Answer):
    """A job; `gaps` are stretches that its files lack."""

    id: str
    product: Product
    channel: str
    channel_name: str
    start: Moment
    end: Moment
    state: JobState
    progress: float
    reason: str
    code: str
    params: Params
    sentence: str
    files: list[FileOut]
    gaps: list[MissingOut]
    created_by: str
    created_at: Moment
    finished_at: OptionalMoment


@routes.get("/package-key", SIGNED_IN)
async def see_package_key(here: Here) -> PackageKeyOut:
    """Tell the fingerprint to whoever gets a package, by another way than the package itself."""
    key = here.signer.public_key
    return PackageKeyOut(public_key=base64.b64encode(key).decode(), fingerprint=fingerprint(key))


@routes.get("/holds", Action.HOLD_SEE)
async def list_holds(
    who: Who, here: Here, channel: Annotated[str, Query(max_length=40)] = "", cursor: Cursor = "", limit: Limit = 100
) -> Page[HoldOut]:
    """Newest first."""
    place = read_cursor(cursor, str)
    found = await here.holds.page(who, before=place[0] if place else "", limit=limit + 1, channel=channel)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_hold(hold) for hold in found[:limit]], next=more)


@routes.post("/holds", Action.HOLD_PLACE, status_code=201)
async def place_hold(ask: HoldAsk, who: Who, here: Here) -> HoldOut:
    """Keep footage whatever retention says."""
    return _hold(await here.holds.place(who, ask.channel, ask.start, ask.end, ask.reason))


@routes.delete("/holds/{hold}", Action.HOLD_RELEASE, status_code=204)
async def release_hold(hold: str, who: Who, here: Here) -> None:
    """Let it go."""
    await here.holds.release(who, hold)


@routes.get("/exports", Action.EXPORT_SEE)
async def list_exports(who: Who, here: Here, cursor: Cursor = "", limit: Limit = 100) -> Page[ExportOut]:
    """Newest first."""
    place = read_cursor(cursor, str)
    found = await here.exports.page(who, before=place[0] if place else "", limit=limit + 1)
    more = write_cursor(found[limit - 1].id) if len(found) > limit else None
    return Page(items=[_export(job, who) for job in found[:limit]], next=more)


@routes.post("/exports", Action.EXPORT_MAKE, status_code=201)
async def add_export(ask: ExportAsk, who: Who, here: Here) -> ExportOut:
    """A new job."""
    job = await here.exports.add(who, ask.channel, ask.start, ask.end, ask.product, ask.reason)
    return _export(job, who)


@routes.get("/exports/{export}", Action.EXPORT_SEE)
async def see_export(export: str, who: Who, here: Here) -> ExportOut:
    """One job."""
    return _export(await here.exports.see(who, export), who)


@routes.delete("/exports/{export}", Action.EXPORT_DELETE, status_code=204)
async def delete_export(export: str, who: Who, here: Here) -> None:
    """Cancel it, or remove what it made."""
    await here.exports.remove(who, export)


@routes.get(
    "/exports/{export}/files/{name}", Action.EXPORT_SEE, response_class=StreamingResponse, responses=_FILE,
    fails=(416,),
)  # fmt: skip
async def fetch_file(export: str, name: str, who: Who, here: Here, request: Request) -> Response:
    """A finished file; ranges are served. It ends with the session that asked."""
    found = await here.exports.fetch(who, export, name)
    return here.downloads.of(who.session, download(here.blobs, found, name, request))


def _hold(hold: Hold) -> HoldOut:
    return HoldOut(
        id=hold.id, channel=hold.channel, channel_name=hold.channel_name, start=hold.start, end=hold.end,
        reason=hold.reason, created_by=hold.placed_by, created_at=hold.placed_at, case=hold.case,
    )  # fmt: skip


def _export(job: Export, who: Actor) -> ExportOut:
    return ExportOut(
        id=job.id, product=cast("Product", job.product), channel=job.channel, channel_name=job.channel_name,
        start=job.start, end=job.end, state=job.state, progress=job.progress, reason=job.reason,
        code=job.code, params=job.params,
        sentence=sentence(job.code, job.params, who.language) if job.code else "",
        files=[FileOut(**{k: v for k, v in f.items() if k in FileOut.model_fields}) for f in job.files],
        gaps=[MissingOut.model_validate(one) for one in job.gaps],
        created_by=job.owner_name, created_at=job.created_at, finished_at=job.finished_at,
    )  # fmt: skip
