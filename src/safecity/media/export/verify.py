"""Verify exported evidence: `python3 verify.py [FOLDER]`. Needs nothing but Python 3.8 or newer.

A copy of this program lies beside each evidence export. It reads the manifest in the folder and checks of every file
the SHA-256, of every chunk the SHA-256 over its stored header and its bytes, and that each chunk names the one before
it. Says what is wrong, one line each; exit status 0 when nothing is.
"""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

_PREVIOUS = slice(-40, -8)
"""Where a chunk's header keeps the hash of the chunk before it: before 4 reserved bytes and the CRC."""


def verify(folder: Path) -> list[str]:
    """What is wrong, in words; an empty list when everything fits."""
    manifests = sorted(folder.glob("*-manifest.json"))
    if not manifests:
        return ["no manifest in " + str(folder)]
    wrong: list[str] = []
    for manifest in manifests:
        described: dict[str, Any] = json.loads(manifest.read_text("utf-8"))
        if described.get("format") != "safecity-evidence":
            wrong.append(f"{manifest.name}: not a manifest of evidence")
            continue
        for file in described["files"]:
            wrong += _file(folder, file)
    return wrong


def _file(folder: Path, file: dict[str, Any]) -> list[str]:
    name: str = file["name"]
    if Path(name).name != name or not (folder / name).is_file():
        return [f"{name}: missing"]
    raw = (folder / name).read_bytes()
    wrong: list[str] = []
    if hashlib.sha256(raw).hexdigest() != file["sha256"]:
        wrong.append(f"{name}: the file was changed")
    if hashlib.sha256(raw[: file["init_bytes"]]).hexdigest() != file["init_sha256"]:
        wrong.append(f"{name}: its beginning was changed")
    before: dict[str, Any] | None = None
    at = file["init_bytes"]
    for chunk in file["chunks"]:
        where = f"{name}: chunk {chunk['sequence']}"
        header = base64.b64decode(chunk["header"])
        body = raw[chunk["offset"] : chunk["offset"] + chunk["bytes"]]
        if chunk["offset"] != at:
            wrong.append(f"{where} does not follow the one before")
        if hashlib.sha256(header + body).hexdigest() != chunk["sha256"]:
            wrong.append(f"{where} was changed")
        if (
            before is not None
            and chunk["sequence"] == before["sequence"] + 1
            and header[_PREVIOUS].hex() != before["sha256"]
        ):
            wrong.append(f"{where} names another chunk before it")
        before = chunk
        at = chunk["offset"] + chunk["bytes"]
    if at != len(raw):
        wrong.append(f"{name}: bytes that no chunk explains")
    return wrong


def main() -> int:
    """See the module."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    wrong = verify(folder)
    for line in wrong:
        sys.stdout.write(line + "\n")
    sys.stdout.write("NOT INTACT\n" if wrong else "intact\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
