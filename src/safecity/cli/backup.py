"""`safecity backup`, `safecity restore` and `safecity support`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from safecity.backends.sqlitecopy import copy_sqlite, look_into
from safecity.kit.errors import SafecityError
from safecity.server.backup import back_up, put_back
from safecity.server.settings import load_settings
from safecity.server.support import collect, write_bundle

Data = Annotated[Path, typer.Option(help="Folder of all data.")]


def backup(
    target: Annotated[Path, typer.Argument(help="The archive to write, for example safecity.tar.gz.")],
    data: Data = Path("data"),
) -> None:
    """Copy everything but the footage into one archive, also while the platform runs. It holds keys: keep it safe."""
    try:
        manifest = back_up(data, target, copy_sqlite)
    except (SafecityError, OSError) as error:
        typer.echo(f"safecity: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{target}: {len(manifest['files'])} files. It holds the keys of this platform: keep it safe.")


def restore(
    archive: Annotated[Path, typer.Argument(help="An archive that `safecity backup` wrote.")],
    data: Data = Path("data"),
) -> None:
    """Unpack a backup into an empty folder; where the index of a volume is gone, run `safecity recover` then."""
    try:
        manifest = put_back(archive, data)
    except (SafecityError, OSError) as error:
        typer.echo(f"safecity: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{data}: {len(manifest['files'])} files of version {manifest['safecity']}.")


def support(
    target: Annotated[Path, typer.Argument(help="The archive to write, for example support.tar.gz.")],
    data: Data = Path("data"),
) -> None:
    """Gather what somebody who is asked for help needs: versions, settings, states, the end of the logs; no secrets."""
    try:
        settings = load_settings(data / "safecity.toml", environ=os.environ, overrides={"data": str(data)})
        files = collect(data, settings, look_into)
        write_bundle(target, files)
    except (SafecityError, OSError) as error:
        typer.echo(f"safecity: {error}", err=True)
        raise typer.Exit(1) from error
    typer.echo(f"{target}: {', '.join(sorted(files))}. Look into it before you hand it on.")
