"""`safecity`: start the platform, look after its recordings, play a city."""

from __future__ import annotations

import typer

import safecity
from safecity.cli import backup, objects, packages, plates, records, roads, run, sim

app = typer.Typer(no_args_is_help=True, add_completion=False, help="An open safe-city platform.")
app.command("run")(run.run)
app.command("check")(records.check)
app.command("recover")(records.recover)
app.command("check-package")(packages.check_package)
app.command("backup")(backup.backup)
app.command("restore")(backup.restore)
app.command("support")(backup.support)
app.add_typer(objects.app, name="objects")
app.add_typer(plates.app, name="plates")
app.add_typer(roads.app, name="roads")
app.add_typer(sim.app, name="sim")


@app.command()
def version() -> None:
    """Print the version."""
    typer.echo(safecity.__version__)
