"""Verify exported evidence: `python3 verify.py [FOLDER]`. Needs nothing but Python 3.8 or newer.

A copy of this program lies beside each evidence export. It reads the manifest in the folder and checks of every file
the SHA-256, of every chunk the SHA-256 over its stored header and its bytes, and that each chunk names the one before
it. Where a signature (Ed25519, RFC 8032) lies beside the manifest, it is checked too, and the fingerprint of the key is
told: compare it with the one that the platform shows. Says what is wrong, one line each; exit status 0 when nothing is.
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
        beside = manifest.with_suffix(".sig")
        if beside.is_file() and not signer(manifest.read_bytes(), beside.read_bytes()):
            wrong.append(f"{manifest.name}: the manifest was changed after it was signed")
    return wrong


def signer(manifest: bytes, signature: bytes) -> str:
    """The fingerprint of the key that signed exactly these bytes; empty where none did."""
    try:
        said: dict[str, Any] = json.loads(signature)
        public, signed = base64.b64decode(said["public_key"]), base64.b64decode(said["signature"])
    except (ValueError, KeyError, TypeError):
        return ""
    return hashlib.sha256(public).hexdigest() if _fits(public, signed, manifest) else ""


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


# --- Ed25519, only to check (RFC 8032, 5.1.7): plain numbers, a fraction of a second, no secret that time could tell

_P = 2**255 - 19
_L = 2**252 + 27742317777372353535851937790883648493
_D = -121665 * pow(121666, _P - 2, _P) % _P
_BASE = bytes.fromhex("58" + "66" * 31)


def _point(raw: bytes) -> tuple[int, int, int, int] | None:
    y, sign = int.from_bytes(raw, "little") & ((1 << 255) - 1), raw[31] >> 7
    square = (y * y - 1) * pow(_D * y * y + 1, _P - 2, _P) % _P
    x = pow(square, (_P + 3) // 8, _P)
    if (x * x - square) % _P:
        x = x * pow(2, (_P - 1) // 4, _P) % _P
    if y >= _P or (x * x - square) % _P or (x == 0 and sign):
        return None
    return (_P - x if x & 1 != sign else x), y, 1, (_P - x if x & 1 != sign else x) * y % _P


def _sum(p: tuple[int, int, int, int], q: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % _P, (p[1] + p[0]) * (q[1] + q[0]) % _P
    c, d = 2 * p[3] * q[3] * _D % _P, 2 * p[2] * q[2] % _P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % _P, g * h % _P, f * g % _P, e * h % _P


def _times(number: int, point: tuple[int, int, int, int]) -> tuple[int, int, int, int]:
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _sum(found, point)
        point, number = _sum(point, point), number >> 1
    return found


def _fits(public: bytes, signature: bytes, text: bytes) -> bool:
    if len(public) != 32 or len(signature) != 64:
        return False
    key, first, base = _point(public), _point(signature[:32]), _point(_BASE)
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or first is None or base is None or scalar >= _L:
        return False
    challenge = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % _L
    left, right = _times(scalar, base), _sum(first, _times(challenge, key))
    return not ((left[0] * right[2] - right[0] * left[2]) % _P or (left[1] * right[2] - right[1] * left[2]) % _P)


def main() -> int:
    """See the module."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).resolve().parent
    wrong = verify(folder)
    for line in wrong:
        sys.stdout.write(line + "\n")
    for manifest in sorted(folder.glob("*-manifest.json")):
        beside = manifest.with_suffix(".sig")
        by = signer(manifest.read_bytes(), beside.read_bytes()) if beside.is_file() else ""
        sys.stdout.write(f"{manifest.name}: signed with the key {by}\n" if by else f"{manifest.name}: not signed\n")
    sys.stdout.write("NOT INTACT\n" if wrong else "intact\n")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
