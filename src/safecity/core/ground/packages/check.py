"""Check what left a platform, without one: whether every file is what the manifest says, and who signed the manifest.

Reads a ZIP (violations, cases) or a folder (exported evidence, or a ZIP that somebody unpacked). Nothing is unpacked,
and nothing that a stranger put in is believed before it is checked.
"""

from __future__ import annotations

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

from safecity.core.ground.packages.signing import fingerprint, name_of_signature, read_signature
from safecity.kit.errors import InvalidError
from safecity.media.export.verify import verify

MOST_MANIFEST: Final = 256 << 20
"""Bytes; that of a day of evidence names every second of it."""
EVIDENCE: Final = "safecity-evidence"
_BLOCK: Final = 1 << 20
_BESIDE: Final = frozenset({"verify.py"})


@dataclass(frozen=True, slots=True)
class Checked:
    """`wrong`: what is, one sentence each; empty: everything fits. `signers`: fingerprints of the keys that signed."""

    files: int = 0
    wrong: list[str] = field(default_factory=list[str])
    signers: list[str] = field(default_factory=list[str])


@dataclass(frozen=True, slots=True)
class _Contents:
    """Names, and how each is opened."""

    names: list[str]
    open: Callable[[str], IO[bytes]]


def check_package(path: Path, expected: str = "") -> Checked:
    """`expected`: the fingerprint of the key that must have signed, as the platform shows it; empty: any key."""
    wanted = "".join(letter for letter in expected.lower() if letter in "0123456789abcdef")
    if path.is_dir():
        names = sorted(str(one.relative_to(path)) for one in path.rglob("*") if one.is_file())
        return _checked(_Contents(names, lambda name: (path / name).open("rb")), wanted, path)
    try:
        with zipfile.ZipFile(path) as archive:
            names = [one.filename for one in archive.infolist() if not one.is_dir()]
            return _checked(_Contents(names, archive.open), wanted, None)
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        return Checked(wrong=[f"{path.name} cannot be read: {error}"])


def _checked(contents: _Contents, wanted: str, folder: Path | None) -> Checked:
    manifests = [name for name in contents.names if name == "manifest.json" or name.endswith("-manifest.json")]
    if not manifests:
        return Checked(wrong=["there is no manifest in it"])
    wrong = [f"{name}: there is more than one of that name" for name in _twice(contents.names)]
    signers: list[str] = []
    explained: set[str] = set(_BESIDE)
    for manifest in manifests:
        explained |= {manifest, name_of_signature(manifest)}
        text = _read(contents, manifest)
        wrong += _signed(contents, manifest, text, wanted, signers)
        try:
            said: dict[str, Any] = json.loads(text)
            named = dict(_named(said))
        except (ValueError, TypeError, KeyError, AttributeError):
            wrong.append(f"{manifest}: not a manifest")
            continue
        explained |= set(named)
        for name, digest in named.items():
            if name not in contents.names:
                wrong.append(f"{name}: missing")
            elif _digest(contents, name) != digest:
                wrong.append(f"{name}: the file was changed")
        if folder is not None and said.get("format") == EVIDENCE:
            wrong += [line for line in verify(folder) if line not in wrong]
    wrong += [f"{name}: no manifest names it" for name in contents.names if name not in explained]
    return Checked(len(contents.names), wrong, signers)


def _signed(contents: _Contents, manifest: str, text: bytes, wanted: str, signers: list[str]) -> list[str]:
    beside = name_of_signature(manifest)
    if beside not in contents.names:
        return [f"{manifest}: it is not signed ({beside} is missing)"]
    try:
        signature = read_signature(_read(contents, beside))
    except InvalidError:
        return [f"{beside}: not a signature"]
    if not signature.fits(text):
        return [f"{manifest}: the manifest was changed after it was signed"]
    by = fingerprint(signature.public_key)
    signers.append(by)
    return [f"{manifest}: signed with a foreign key ({by})"] if wanted and by != wanted else []


def _named(said: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """(file, SHA-256) of each that a manifest names."""
    for one in said.get("files", []):
        yield str(one.get("file") or one["name"]), str(one["sha256"])
    for violation in said.get("violations", []):
        for picture in violation["pictures"]:
            yield str(picture["file"]), str(picture["sha256"])


def _read(contents: _Contents, name: str) -> bytes:
    with contents.open(name) as file:
        return file.read(MOST_MANIFEST)


def _digest(contents: _Contents, name: str) -> str:
    digest = hashlib.sha256()
    try:
        with contents.open(name) as file:
            while block := file.read(_BLOCK):
                digest.update(block)
    except zipfile.BadZipFile:  # its own checksum does not fit either
        return ""
    return digest.hexdigest()


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1}) if len(set(names)) < len(names) else []
