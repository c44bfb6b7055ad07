"""`safecity check` and `safecity recover`: what the index says against what the media say."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import SafecityError
from safecity.media.record.chain import load_signer
from safecity.media.record.check import check_shelf
from safecity.media.record.recover import recover_shelf
from safecity.server.settings import load_settings

Data = Annotated[Path, typer.Option(help="Folder of all data.")]
Volume = Annotated[Path | None, typer.Option(help="One volume's folder; default: all of the settings.")]


def _shelves(data: Path, volume: Path | None) -> Iterator[Path]:
    if volume is not None:
        paths = [volume]
    else:
        settings = load_settings(data / "safecity.toml", environ=os.environ, overrides={"data": str(data)})
        paths = [settings.volume_path(entry) for entry in settings.record.volumes]
    for path in paths:
        yield from sorted(shelf for shelf in path.glob("shelf-*") if shelf.is_dir())


def _progress(done: int, total: int) -> None:
    typer.echo(f"\r{done} of {total} extents", nl=done == total, err=True)


def check(
    data: Data = Path("data"),
    volume: Volume = None,
    quick: Annotated[bool, typer.Option(help="Compare headers only, do not read every byte.")] = False,
) -> None:
    """Compare every index with its media and follow the hash chains; nothing is changed. Exit 1 on a mismatch."""
    good = True
    signers = [load_signer(path) for path in sorted((data / "media").glob("checkpoints-*.key"))]
    keys = {signer.key_id: signer.public for signer in signers}
    for shelf in _shelves(data, volume):
        try:
            report = check_shelf(shelf, open_reader, deep=not quick, keys=keys, progress=_progress)
        except SafecityError as error:
            typer.echo(f"{shelf}: {error} (run: safecity recover)", err=True)
            good = False
            continue
        typer.echo(json.dumps(asdict(report), default=str))
        good = good and report.good
    raise typer.Exit(0 if good else 1)


def recover(data: Data = Path("data"), volume: Volume = None) -> None:
    """Build every index anew from the media alone. Stop the platform first; the old index is kept beside."""
    for shelf in _shelves(data, volume):
        try:
            report = recover_shelf(shelf, open_file, now_us=time.time_ns() // 1000, progress=_progress)
        except SafecityError as error:
            typer.echo(f"{shelf}: {error}", err=True)
            raise typer.Exit(1) from error
        typer.echo(json.dumps(asdict(report), default=str))
