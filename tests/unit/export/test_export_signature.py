"""Evidence is signed by the platform that made it: whoever gets it finds one changed byte, and who signed."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from tests.unit.export.test_export_products import Shelf, encoded
from typer.testing import CliRunner

from safecity.backends.files import open_blobs
from safecity.cli.main import app
from safecity.core.ground.exports.api import ExportRunner
from safecity.core.ground.packages.api import Signer, fingerprint
from safecity.media.export.verify import signer


async def evidence(folder: Path, signer: Signer) -> Path:
    """A folder with all files of an export, as somebody gets them."""
    shelf = Shelf(folder)
    shelf.record(encoded(160, 120), 3)
    shelf.recorder.turn()
    job: dict[str, Any] = {
        "id": "ex_1", "product": "evidence", "channel": shelf.channel, "channel_name": "gate", "code": "3402",
        "start_us": shelf.begin, "end_us": shelf.clock.now_us(),
        "volumes": [{"name": "main", "path": str(shelf.volume)}],
    }  # fmt: skip
    blobs = open_blobs(folder / "blobs")
    runner = ExportRunner(
        command=(sys.executable, "-m", "safecity.media.export"), folder=folder / "jobs", blobs=blobs, signer=signer
    )  # fmt: skip

    async def progress(_: float) -> None:
        return None

    outcome = await runner.run(job, progress)
    assert outcome.code == ""
    given = folder / "given"
    given.mkdir()
    for file in outcome.files:
        data = b"".join([piece async for piece in blobs.read(f"exports/ex_1/{file['name']}")])
        assert len(data) == file["bytes"]
        (given / file["name"]).write_bytes(data)
    await blobs.close()
    return given


def check(folder: Path, *more: str) -> tuple[int, list[str]]:
    said = CliRunner().invoke(app, ["check-package", str(folder), *more])
    return said.exit_code, said.output.splitlines()


def by_itself(folder: Path) -> tuple[int, list[str]]:
    """With nothing but Python and the program that lies beside the evidence."""
    done = subprocess.run(
        [sys.executable, "-I", str(folder / "verify.py")], capture_output=True, text=True, check=False
    )
    return done.returncode, done.stdout.splitlines()


@pytest.mark.parametrize("text", [b"", b"manifest", b"x" * 5000])
def test_the_program_beside_the_evidence_knows_signatures_without_a_library(text: bytes) -> None:
    for seed in range(4):
        key = Signer(lambda seed=seed: bytes([seed]) * 32)
        signature = key.sign(text)
        assert signer(text, signature) == fingerprint(key.public_key)
        assert signer(text + b"!", signature) == ""
        said = json.loads(signature)
        raw = base64.b64decode(said["signature"])
        for place in (0, 31, 32, 63):
            other = base64.b64encode(raw[:place] + bytes([raw[place] ^ 4]) + raw[place + 1 :]).decode()
            assert signer(text, json.dumps({**said, "signature": other}).encode()) == ""


async def test_one_changed_byte_of_evidence_is_found_and_a_foreign_key_too(tmp_path: Path) -> None:
    ours, foreign = Signer(lambda: b"a" * 32), Signer(lambda: b"b" * 32)
    key = fingerprint(ours.public_key)
    folder = await evidence(tmp_path, ours)
    assert check(folder, "--key", key) == (0, [f"signed with the key {key}", "intact"])
    assert check(folder)[0] == 0
    assert by_itself(folder) == (
        0,
        [f"{next(folder.glob('*-manifest.json')).name}: signed with the key {key}", "intact"],
    )
    status, said = check(folder, "--key", fingerprint(foreign.public_key))
    assert (status, said[-1]) == (1, "NOT INTACT")
    assert f"signed with a foreign key ({key})" in said[0]

    (film,) = folder.glob("*.mp4")
    whole = film.read_bytes()
    film.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    status, said = check(folder)
    assert status == 1
    assert said[0] == f"{film.name}: the file was changed"
    assert any("chunk" in line for line in said), "and which chunk of it"
    film.unlink()
    assert f"{film.name}: missing" in check(folder)[1]
    film.write_bytes(whole)

    # Whoever rewrites the manifest with the file cannot sign it, and whoever leaves the signature away is seen too.
    (manifest,) = folder.glob("*-manifest.json")
    text = manifest.read_text("utf-8")
    manifest.write_text(json.dumps({**json.loads(text), "reason": "another"}), "utf-8")
    assert check(folder)[1] == [f"{manifest.name}: the manifest was changed after it was signed", "NOT INTACT"]
    assert by_itself(folder)[0] == 1
    manifest.write_text(text, "utf-8")
    (signature,) = folder.glob("*.sig")
    signature.unlink()
    assert check(folder)[1] == [f"{manifest.name}: it is not signed ({signature.name} is missing)", "NOT INTACT"]
    assert check(folder / "nowhere")[0] == 2
