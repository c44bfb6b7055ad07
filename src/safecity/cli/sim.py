"""`safecity sim`: simulated cameras that load a platform, and a storm of registrations."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(no_args_is_help=True, help="Simulated devices, for demos, tests and load.")

Count = Annotated[int, typer.Option(help="How many devices.", min=1, max=20_000)]
Address = Annotated[str, typer.Option("--platform", help="HOST:PORT of the platform's SIP.")]
Seconds = Annotated[float, typer.Option(help="How long; 0: until Ctrl-C.", min=0)]
Password = Annotated[str, typer.Option(help="Password all devices share.")]


def _host_port(platform: str) -> tuple[str, int]:
    host, _, port = platform.rpartition(":")
    if not host or not port.isdigit():
        raise typer.BadParameter("HOST:PORT is expected", param_hint="--platform")
    return host, int(port)


@app.command()
def cameras(
    platform: Address,
    count: Count = 500,
    seconds: Seconds = 0,
    password: Password = "load-test",  # noqa: S107 - of devices that do not exist
    kbps: Annotated[int, typer.Option(help="Bit rate of each.", min=50, max=20_000)] = 2000,
    data: Annotated[
        Path | None, typer.Option(help="Data folder of a platform started with --demo: it admits them.")
    ] = None,
) -> None:
    """Play COUNT cameras that register, answer the catalogue and send a prepared loop on INVITE."""
    from safecity.sim.load import LoadOptions, load_manifest
    from safecity.sim.load import cameras as play
    from safecity.sim.manifest import write_manifest

    host, port = _host_port(platform)
    options = LoadOptions(host=host, port=port, count=count, password=password, kbps=kbps)
    if data is not None:
        write_manifest(data / "demo" / "load.json", load_manifest(options))
    try:
        figures = asyncio.run(play(options, seconds or None))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    typer.echo(json.dumps(figures))


@app.command()
def storm(
    platform: Address,
    count: Count = 10_000,
    seconds: Seconds = 10,
    password: Password = "load-test",  # noqa: S107
) -> None:
    """Register COUNT devices as fast as the platform answers, then send keepalives; prints the rates."""
    from safecity.sim.load import LoadOptions
    from safecity.sim.load import storm as blow

    host, port = _host_port(platform)
    figures = asyncio.run(blow(LoadOptions(host=host, port=port, count=count, password=password), seconds=seconds))
    typer.echo(json.dumps(figures))


@app.command()
def render(
    out: Annotated[Path, typer.Argument(help="The clip to write, e.g. street.mp4; its truth goes to street.jsonl.")],
    seconds: Annotated[float, typer.Option(help="Length.", min=0.1, max=86_400)] = 20,
    width: Annotated[int, typer.Option(min=160, max=3840)] = 1280,
    height: Annotated[int, typer.Option(min=90, max=2160)] = 720,
    fps: Annotated[int, typer.Option(min=1, max=60)] = 15,
    seed: Annotated[int, typer.Option(help="Another street.")] = 1,
    night: Annotated[bool, typer.Option(help="By night.")] = False,
) -> None:
    """Render a street with its ground truth (boxes, plates, clock) as JSON lines beside it."""
    from safecity.sim.render import RenderOptions
    from safecity.sim.render import render as paint

    options = RenderOptions(
        width=width & ~1, height=height & ~1, fps=fps, seconds=seconds, seed=seed, light=0.0 if night else 1.0
    )
    typer.echo(f"{paint(options, out)} pictures: {out} {out.with_suffix('.jsonl')}")
