"""`safecity run`: the supervisor in the foreground."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from safecity.kit.errors import SafecityError
from safecity.kit.logs import configure_logging
from safecity.server.settings import load_settings


def run(
    data: Annotated[Path, typer.Option(help="Folder of all data.")] = Path("data"),
    settings: Annotated[Path | None, typer.Option(help="TOML file; default DATA/safecity.toml.")] = None,
    demo: Annotated[bool, typer.Option(help="Start the simulated city too.")] = False,
    http_port: Annotated[int | None, typer.Option(help="Port of the browser application, 0 takes a free one.")] = None,
    media_port: Annotated[int | None, typer.Option(help="Port of the viewers' media, 0 takes a free one.")] = None,
    sip_port: Annotated[int | None, typer.Option(help="Port of SIP, 0 takes a free one.")] = None,
    rtp_first_port: Annotated[int | None, typer.Option(help="First RTP port, 0 takes free ones.")] = None,
    log: Annotated[
        Path | None, typer.Option(help="Write the duties' logs to this file; default: standard error.")
    ] = None,
    slots: Annotated[int | None, typer.Option(help="Media processes, 0 decides by the cores.")] = None,
) -> None:
    """Start the platform and keep it running until Ctrl-C or SIGTERM."""
    overrides: dict[str, object] = {
        "data": str(data),
        "http.port": http_port,
        "media.port": media_port,
        "sip.port": sip_port,
        "media.rtp_first_port": rtp_first_port,
        "media.slots": slots,
        "demo.enabled": True if demo else None,
    }
    try:
        loaded = load_settings(settings or data / "safecity.toml", environ=os.environ, overrides=overrides)
        configure_logging(loaded.log_level, "supervisor")
        # Imported late: a wrong setting is told before anything is opened.
        from safecity.server.supervisor import Supervisor

        if log is not None:
            typer.echo(f"Starting ... (log: {log})")
        status = Supervisor(loaded, log).run()
    except SafecityError as error:
        typer.echo(f"safecity: {error}", err=True)
        raise typer.Exit(2) from error
    raise typer.Exit(status)
