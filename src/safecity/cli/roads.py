"""`safecity roads`: bring road networks in, and look at the one in force."""

from __future__ import annotations

import csv
import gzip
import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from safecity.kit.errors import InvalidError, SafecityError

if TYPE_CHECKING:
    from safecity.roads.network.draft import Draft
    from safecity.roads.network.versions import Version

app = typer.Typer(no_args_is_help=True, help="Road networks: import, look at.")
DataOption = Annotated[Path, typer.Option(help="Folder of all data.")]
OutOption = Annotated[Path | None, typer.Option(help="Folder of networks; default DATA/roads.")]


@app.callback()
def roads() -> None:
    """Road networks: import, look at."""


@app.command("import")
def import_(
    files: Annotated[
        list[Path],
        typer.Argument(help="An OpenStreetMap extract (.osm.pbf, .osm), GeoJSON, or two CSV files: nodes and edges."),
    ],
    data: DataOption = Path("data"),
    out: OutOption = None,
    label: Annotated[str, typer.Option(help="Name of this version of the map; default: that of the first file.")] = "",
    credit: Annotated[str, typer.Option(help="Whom the licence of the map wants named.")] = "",
) -> None:
    """Read a map, keep it as a network, and put it in force: a running platform takes it up by itself."""
    try:
        from safecity.roads.network.build import build_network
        from safecity.roads.network.versions import put_version

        draft, known_credit = _read(files)
        built = build_network(draft, label=label or files[0].name, credit=credit or known_credit)
        told = put_version(
            out or data / "roads", built.network, dropped=draft.dropped, sources=tuple(one.name for one in files),
            at_us=time.time_ns() // 1000,
        )  # fmt: skip
    except ImportError as error:
        typer.echo(f"{error} (road networks need the extra safecity[roads])", err=True)
        raise typer.Exit(2) from None
    except (SafecityError, OSError) as error:
        typer.echo(f"safecity: {error}", err=True)
        raise typer.Exit(1) from None
    _print(told)


@app.command()
def info(data: DataOption = Path("data"), out: OutOption = None) -> None:
    """Say what the network in force is made of."""
    folder = out or data / "roads"
    try:
        from safecity.roads.network.versions import current_version, described, read_version

        name = current_version(folder)
        if not name:
            typer.echo(f"safecity: no network in {folder}; bring one in with `safecity roads import`", err=True)
            raise typer.Exit(1)
        read_version(folder, name)  # whole and undamaged
        _print(described(folder, name))
    except ImportError as error:
        typer.echo(f"{error} (road networks need the extra safecity[roads])", err=True)
        raise typer.Exit(2) from None
    except SafecityError as error:
        typer.echo(f"safecity: {error}", err=True)
        raise typer.Exit(1) from None


def _read(files: list[Path]) -> tuple[Draft, str]:
    """What the files are is told by their names, and of two CSV files by their first lines."""
    from safecity.roads.network.csvs import draft_from_csv
    from safecity.roads.network.geojson import draft_from_geojson

    names = [one.name.lower() for one in files]
    if len(files) == 2 and all(name.endswith((".csv", ".csv.gz")) for name in names):
        first, second = sorted(files, key=lambda one: "u" in _columns(one))
        return draft_from_csv(first, second), ""
    if len(files) == 1 and names[0].endswith((".geojson", ".json")):
        return draft_from_geojson(files[0].read_bytes()), ""
    if len(files) == 1 and names[0].endswith((".pbf", ".osm", ".osm.gz", ".osm.bz2")):
        from safecity.roads.network.osm import CREDIT, draft_from_osm

        return draft_from_osm(files[0]), CREDIT
    raise InvalidError(
        "one .osm.pbf, .osm or .geojson file is needed, or two .csv files (nodes and edges)", code="roads_files"
    )


def _columns(path: Path) -> list[str]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return next(csv.reader(file), list[str]())


def _print(told: Version) -> None:
    west, south, east, north = told.bounds
    lines = [
        f"version   {told.version}",
        f"label     {told.label}",
        f"credit    {told.credit or '-'}",
        f"files     {', '.join(told.sources)}",
        f"size      {told.nodes:,} nodes, {told.edges:,} edges, {told.kilometres:,.1f} km",
        f"islands   {told.islands:,} edges that lead nowhere",
        f"bounds    {west:.5f},{south:.5f},{east:.5f},{north:.5f}",
        f"left out  {', '.join(f'{why} {count:,}' for why, count in sorted(told.dropped.items())) or '-'}",
    ]
    typer.echo("\n".join(lines))
