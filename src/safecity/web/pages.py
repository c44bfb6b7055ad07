"""The browser application: hashed assets for a year, the page with a fresh nonce, a plain page where there is none."""

from __future__ import annotations

import mimetypes
import re
import secrets
from importlib import resources
from pathlib import Path
from typing import Annotated

from fastapi import Header, Request, Response
from fastapi.responses import FileResponse, HTMLResponse

from safecity.kit.errors import NotFoundError
from safecity.web.guard import PUBLIC, Here, Routes
from safecity.web.services import WebSettings

routes = Routes("pages")
mimetypes.add_type("application/manifest+json", ".webmanifest")
mimetypes.add_type("font/woff2", ".woff2")
mimetypes.add_type("text/javascript", ".js")
_NEVER = re.compile(r"q=0(\.0*)?")
_HOST = re.compile(r"[0-9A-Za-z.\-:\[\]]{1,260}")
_POLICY = (
    "default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; font-src 'self'; "
    "img-src 'self' blob: data:; media-src 'self' blob:; connect-src 'self' {media}; worker-src 'self'; "
    "manifest-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
)
WORKER = "phone-worker.js"
"""Keeps the page of phones for when there is no network."""
_WORKER_POLICY = "default-src 'none'; connect-src 'self'"
_ABSENT = """<!doctype html><html lang="zh-CN"><head><meta charset="utf-8"><title>Safecity</title></head><body>
<h1>Safecity</h1>
<p>平台已启动,接口在 <code>/api/v1</code>。浏览器界面尚未构建。</p>
<p>请在有 Node.js 20.19 以上或能访问软件包源的机器上运行 <code>make setup</code>,
再将生成的 <code>ui/dist</code> 文件夹复制过来,并将其路径写入环境变量 <code>SAFECITY_UI_DIST</code>,然后重新启动。
发布的安装包自带界面。</p>
<p>The platform runs and its interface answers at <code>/api/v1</code>. The browser application has not been built.</p>
<p>Run <code>make setup</code> on a machine with Node.js 20.19 or newer, or with a package index at hand. Elsewhere
copy the folder <code>ui/dist</code> that it makes, name it in the environment variable <code>SAFECITY_UI_DIST</code>,
and start again. Released packages bring the application along.</p>
</body></html>"""


def ui_folder(web: WebSettings) -> Path | None:
    """Where the built application lies: as set, else in the package."""
    if web.ui_dist is not None:
        return web.ui_dist if (web.ui_dist / "index.html").is_file() else None
    packaged = Path(str(resources.files("safecity.web"))) / "static"
    return packaged if (packaged / "index.html").is_file() else None


@routes.get("/{path:path}", PUBLIC, include_in_schema=False)
async def see_page(
    path: str, here: Here, request: Request, accept_encoding: Annotated[str, Header(max_length=500)] = ""
) -> Response:
    """A file of the application, else its page: it has addresses of its own."""
    if path == "api" or path.startswith("api/"):
        raise NotFoundError("no such route", code="not_found", params={"kind": "route"})
    folder = ui_folder(here.web)
    if folder is None:
        return HTMLResponse(
            _ABSENT, headers={"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}
        )
    file = _file(folder, path)
    if file is not None and file.name != "index.html":
        return _served(file, path, accept_encoding)
    if path.startswith("assets/"):
        raise NotFoundError("no such file", code="not_found", params={"kind": "file"})
    nonce = secrets.token_urlsafe(16)
    page = (folder / "index.html").read_text("utf-8").replace("__CSP_NONCE__", nonce)
    policy = _POLICY.format(nonce=nonce, media=_media_sources(here.web, request))
    return HTMLResponse(page, headers={"Content-Security-Policy": policy, "Cache-Control": "no-store"})


def _file(folder: Path, path: str) -> Path | None:
    if not path or "\x00" in path or len(path) > 500:
        return None
    root = folder.resolve()
    file = (root / path).resolve()
    return file if file.is_relative_to(root) and file.is_file() else None


def _served(file: Path, path: str, accept: str) -> Response:
    hashed = path.startswith("assets/")
    headers = ({"Content-Security-Policy": _WORKER_POLICY} if path == WORKER else {}) | {
        "Cache-Control": "public, max-age=31536000, immutable" if hashed else "no-cache",
        "Vary": "Accept-Encoding",
    }
    kind = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    offered = {
        name.strip()
        for name, _, weight in (part.partition(";") for part in accept.split(","))
        if not _NEVER.fullmatch(weight.strip())
    }
    for encoding, suffix in (("br", ".br"), ("gzip", ".gz")):
        packed = file.with_name(file.name + suffix)
        if encoding in offered and packed.is_file():
            return FileResponse(packed, media_type=kind, headers={**headers, "Content-Encoding": encoding})
    return FileResponse(file, media_type=kind, headers=headers)


def _media_sources(web: WebSettings, request: Request) -> str:
    """`'self'` covers our own socket; pictures come from the media port."""
    if web.media_url:
        scheme, _, rest = web.media_url.partition("://")
        return f"{scheme}://{rest.split('/')[0]}"
    host = request.url.hostname or "127.0.0.1"
    host = f"[{host}]" if ":" in host else host
    own = request.url.netloc
    if not _HOST.fullmatch(own):  # it becomes part of the policy
        return f"{'wss' if web.tls else 'ws'}:"
    kind = "wss" if web.tls else "ws"
    return f"{kind}://{own} {kind}://{host}:{web.media_port}"
