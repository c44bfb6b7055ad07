"""`safecity check-package`: whether what left a platform is what left it, and who signed it. Needs no platform."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from safecity.core.ground.packages.api import check_package as checked


def check_package(
    path: Annotated[Path, typer.Argument(help="A ZIP (violations, a case), or a folder with exported evidence.")],
    key: Annotated[
        str, typer.Option(help="Fingerprint of the key that must have signed, as the platform shows it.")
    ] = "",
) -> None:
    """Check every file against the signed manifest and say what is wrong, one line each. Exit 1 when anything is."""
    if not path.exists():
        typer.echo(f"{path}: there is no such file", err=True)
        raise typer.Exit(2)
    found = checked(path, key)
    for line in found.wrong:
        typer.echo(line)
    for signer in found.signers:
        typer.echo(f"signed with the key {signer}" + ("" if key else " (compare it with the one the platform shows)"))
    typer.echo("NOT INTACT" if found.wrong else "intact")
    raise typer.Exit(1 if found.wrong else 0)
