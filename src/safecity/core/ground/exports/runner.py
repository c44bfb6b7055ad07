"""Starts the export child and reads what it tells. Names and options come from us alone; there is no shell."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import json
import re
import shutil
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safecity.core.ground.packages.api import Signer, name_of_signature
from safecity.kit.errors import NotFoundError
from safecity.ports.blobs import BlobInfo, Blobs

_MODEST = ("nice", "-n", "15") if shutil.which("nice") else ()
"""Whoever watches and records comes before who exports."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")


@dataclass
class Outcome:
    """How a job ended."""

    files: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    gaps: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    code: str = ""
    params: dict[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True, kw_only=True)
class ExportRunner:
    """`command` is what runs a job file (`[python, -m, safecity.media.export]`), `folder` is where it works. What it
    made goes to `blobs`, where whoever answers a download finds it; `signer` signs the manifest of evidence."""

    command: tuple[str, ...]
    folder: Path
    blobs: Blobs
    signer: Signer

    def place(self, export: str) -> Path:
        """The folder of one job."""
        return self.folder / export

    async def kept(self, export: str, name: str) -> BlobInfo:
        """A finished file; InvalidError or NotFoundError unless it is one that a job has made."""
        key, before = _key(export, name), self.place(export) / "out" / name
        try:
            return await self.blobs.info(key)
        except NotFoundError:
            if not before.is_file():  # of a platform that had no blobs yet
                raise
            return await self.blobs.adopt(key, before)

    async def clear(self, export: str) -> None:
        """Remove all of a job."""
        await asyncio.to_thread(shutil.rmtree, self.place(export), ignore_errors=True)
        for key in [key async for key in self.blobs.keys(_key(export, ""))]:
            await self.blobs.delete(key)

    async def run(self, job: dict[str, Any], progress: Callable[[float], Awaitable[None]]) -> Outcome:
        """Run to the end; cancelling ends the child."""
        if not self.command:
            return Outcome(code="export_unavailable")
        await self.clear(job["id"])  # of a run that was broken off
        place = self.place(job["id"])
        out = place / "out"
        await asyncio.to_thread(_fresh, out)
        job_file = place / "job.json"
        job_file.write_text(json.dumps({**job, "out": str(out.absolute())}), "utf-8")
        child = await asyncio.create_subprocess_exec(
            *_MODEST,
            *self.command,
            str(job_file),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.DEVNULL,
            limit=1 << 20,
        )
        outcome = Outcome(code="export_broke")
        try:
            assert child.stdout is not None
            async for line in child.stdout:
                with contextlib.suppress(ValueError, TypeError):
                    told: dict[str, Any] = json.loads(line)
                    if "progress" in told:
                        await progress(min(1.0, max(0.0, float(told["progress"]))))
                    elif told.get("done"):
                        files = [f for f in told.get("files", []) if _NAME.fullmatch(str(f.get("name", "")))]
                        outcome = Outcome(files=files, gaps=list(told.get("gaps", []))[:10_000])
                    elif "failed" in told:
                        failed = told["failed"]
                        outcome = Outcome(code=str(failed.get("code", "export_broke")), params=failed.get("params", {}))
            await child.wait()
        finally:
            if child.returncode is None:
                child.terminate()
                try:
                    async with asyncio.timeout(5):
                        await child.wait()
                except TimeoutError:
                    child.kill()
                    await child.wait()
        if child.returncode and not outcome.code:
            outcome = Outcome(code="export_broke", params={"status": child.returncode})
        if not outcome.code:
            try:
                await asyncio.to_thread(self._sign, outcome.files, out)
                for file in outcome.files:
                    await self.blobs.adopt(_key(job["id"], str(file["name"])), out / str(file["name"]))
            except BaseException:
                await self.clear(job["id"])
                raise
        await asyncio.to_thread(shutil.rmtree, place, ignore_errors=True)
        return outcome

    def _sign(self, files: list[dict[str, Any]], out: Path) -> None:
        """The manifest of evidence. The child that reads footage has no key."""
        for name in [str(file["name"]) for file in files if str(file["name"]).endswith("-manifest.json")]:
            signature = self.signer.sign((out / name).read_bytes())
            beside = name_of_signature(name)
            (out / beside).write_bytes(signature)
            digest = hashlib.sha256(signature).hexdigest()
            files.append({"name": beside, "bytes": len(signature), "sha256": digest})


def _key(export: str, name: str) -> str:
    return f"exports/{export}/{name}"


def _fresh(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True, mode=0o700)
