"""`safecity sim`: simulated cameras, vehicle terminals and ships that load a platform, and a storm of registrations."""

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
Data = Annotated[Path | None, typer.Option(help="Data folder of a platform started with --demo: it admits them.")]
ADMISSION_SECONDS = 300.0
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
    sub_kbps: Annotated[int, typer.Option(help="Bit rate of a sub stream; 0: none.", min=0, max=5_000)] = 0,
    data: Data = None,
) -> None:
    """Play COUNT cameras that register, answer the catalogue and send a prepared loop on INVITE."""
    from safecity.sim.load import LoadOptions, load_manifest
    from safecity.sim.load import cameras as play
    from safecity.sim.manifest import write_manifest

    host, port = _host_port(platform)
    options = LoadOptions(host=host, port=port, count=count, password=password, kbps=kbps, sub_kbps=sub_kbps)
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
    data: Data = None,
) -> None:
    """Register COUNT devices as fast as the platform answers, then send keepalives; prints the rates."""
    from safecity.sim.load import LoadOptions, load_manifest
    from safecity.sim.load import storm as blow
    from safecity.sim.manifest import write_manifest

    host, port = _host_port(platform)
    options = LoadOptions(host=host, port=port, count=count, password=password)
    if data is not None:
        write_manifest(data / "demo" / "load.json", load_manifest(options))
    patience = ADMISSION_SECONDS if data is not None else 0.0
    figures = asyncio.run(blow(options, seconds=seconds, admission_seconds=patience))
    if not figures["registered"]:
        typer.echo("The platform knows none of these devices: add them, or give --data.", err=True)
    typer.echo(json.dumps(figures))


@app.command()
def terminals(
    platform: Annotated[str, typer.Option("--platform", help="HOST:PORT of the platform's vehicle terminals.")],
    count: Count = 100,
    seconds: Seconds = 0,
    interval: Annotated[float, typer.Option(help="Seconds between two positions.", min=0.1, max=3600)] = 10,
    first: Annotated[int, typer.Option(help="Number of the first terminal.", min=0, max=90_000_000)] = 0,
    cameras: Annotated[int, typer.Option(help="Cameras of each (JT/T 1078), painted while watched.", min=0, max=8)] = 0,
    sound: Annotated[
        str, typer.Option(help="What its cameras hear, coded as g711a, g711u, aac, adpcm, g726-32 ...")
    ] = "",
    alarms: Annotated[
        float,
        typer.Option(help="Seconds between alarms of each driver, with pictures and a film (needs cameras).", min=0),
    ] = 0,
) -> None:
    """Drive COUNT vehicles (JT/T 808 of 2011, 2013 and 2019) through a town; prints what was acknowledged."""
    from safecity.sim.jt808.load import SOUNDS, TerminalLoad
    from safecity.sim.jt808.load import terminals as drive

    if sound and sound not in SOUNDS:
        raise typer.BadParameter(", ".join(SOUNDS), param_hint="--sound")
    host, port = _host_port(platform)
    options = TerminalLoad(
        host=host, port=port, count=count, first=first, report_seconds=interval, cameras=cameras, sound=sound,
        alarm_seconds=alarms,
    )  # fmt: skip
    try:
        figures = asyncio.run(drive(options, seconds or None))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    typer.echo(json.dumps(figures))


@app.command()
def sign(
    port: Annotated[int, typer.Option(help="Where it listens.", min=1, max=65_535)] = 8099,
    host: Annotated[str, typer.Option(help="Address of this machine that it listens on.")] = "127.0.0.1",
    key: Annotated[str, typer.Option(help="The key that the platform has of it.")] = "simulated-sign-key",
    fallback: Annotated[str, typer.Option(help="What stands on it at first; lines parted by /.")] = "",
) -> None:
    """Play one guidance sign beside a road; prints what stands on it whenever that changes."""
    from safecity.sim.signs import play

    lines = tuple(part.strip() for part in fallback.split("/")) if fallback else ()
    try:
        asyncio.run(play(host, port, key, lines, typer.echo))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None


@app.command()
def library(
    password: Annotated[str, typer.Option(help="Of the library, as the platform made it.")],
    platform: Annotated[str, typer.Option(help="HOST:PORT of the platform's view library.")] = "127.0.0.1:8080",
    code: Annotated[str, typer.Option(help="20 digits; type 503.")] = "34020300005030000001",
    port: Annotated[int, typer.Option(help="Where it listens itself.", min=1, max=65_535)] = 8100,
    seconds: Seconds = 0,
    interval: Annotated[float, typer.Option(help="Seconds between two vehicles.", min=0.1, max=3600)] = 5,
    username: Annotated[str, typer.Option(help="Name that it asks the platform for.")] = "",
    secret: Annotated[str, typer.Option(help="Password that it asks the platform for; empty: none.")] = "",
) -> None:
    """Play a lower view library (GA/T 1400): it takes subscriptions and watches, and tells what drives by."""
    from safecity.sim.gat1400.client import Login
    from safecity.sim.gat1400.library import LowerLibrary
    from safecity.sim.gat1400.library import play as run

    host, upper = _host_port(platform)
    login = Login(code=code, password=password, host=host, port=upper)

    async def drive() -> dict[str, int]:
        made = LowerLibrary(login, username=username, password=secret, port=port)
        return await run(made, interval, seconds or None)

    try:
        figures = asyncio.run(drive())
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    typer.echo(json.dumps(figures))


@app.command()
def ships(
    feed: Annotated[str, typer.Option("--feed", help="HOST:PORT where the platform hears receivers of ships.")],
    count: Annotated[int, typer.Option(help="How many ships.", min=1, max=10_000)] = 20,
    seconds: Seconds = 0,
    interval: Annotated[float, typer.Option(help="Seconds between two positions.", min=2, max=3600)] = 10,
    first: Annotated[int, typer.Option(help="Number of the first ship.", min=0, max=90_000)] = 0,
    udp: Annotated[bool, typer.Option(help="By datagrams.")] = False,
) -> None:
    """Sail COUNT ships (AIS, classes A and B) up and down a river; their MMSI are 412900000 and following."""
    from safecity.sim.ships import ShipLoad
    from safecity.sim.ships import ships as sail

    host, port = _host_port(feed)
    options = ShipLoad(host=host, port=port, udp=udp, count=count, first=first, report_seconds=interval)
    try:
        figures = asyncio.run(sail(options, seconds or None))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
    typer.echo(json.dumps(figures))


@app.command()
def phones(
    broker: Annotated[
        str, typer.Option(help="mqtt(s)://[USER:PASSWORD@]HOST[:PORT]; {code} in it: each its own name.")
    ],
    count: Annotated[int, typer.Option(help="How many phones.", min=1, max=10_000)] = 20,
    seconds: Seconds = 0,
    interval: Annotated[float, typer.Option(help="Seconds between two positions.", min=0.1, max=3600)] = 10,
    first: Annotated[int, typer.Option(help="Number of the first phone.", min=0, max=90_000_000)] = 0,
    topic: Annotated[str, typer.Option(help="As mqtt.topic of the platform.")] = "safecity/positions",
    tokens: Annotated[Path | None, typer.Option(help="File with a token of a device in each line.")] = None,
    ca: Annotated[str, typer.Option(help="PEM file with who signed the broker's certificate.")] = "",
    data: Data = None,
) -> None:
    """Walk COUNT people with phones (MQTT) through a town; their names are sim-phone-0000 and following, or those of
    TOKENS. Prints what the broker acknowledged."""
    from safecity.kit.brokerurl import read_broker_url
    from safecity.sim.manifest import write_manifest
    from safecity.sim.phones import PhoneLoad, phone_manifest
    from safecity.sim.phones import phones as walk

    known = tuple(tokens.read_text("ascii").split()) if tokens is not None else ()
    options = PhoneLoad(
        broker=read_broker_url(broker), count=min(count, len(known)) if known else count, first=first, topic=topic,
        report_seconds=interval, tokens=known, ca=ca,
    )  # fmt: skip
    if data is not None:
        write_manifest(data / "demo" / "phones.json", phone_manifest(options))
    try:
        figures = asyncio.run(walk(options, seconds or None))
    except KeyboardInterrupt:
        raise typer.Exit(0) from None
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
    rain: Annotated[bool, typer.Option(help="In the rain.")] = False,
) -> None:
    """Render a street with its ground truth (boxes, plates, colours, clock) as JSON lines beside it."""
    from safecity.sim.render import RenderOptions
    from safecity.sim.render import render as paint
    from safecity.sim.scene.street import DAY, NIGHT

    options = RenderOptions(
        width=width & ~1,
        height=height & ~1,
        fps=fps,
        seconds=seconds,
        seed=seed,
        rain=rain,
        light=NIGHT if night else DAY,
    )
    typer.echo(f"{paint(options, out)} pictures: {out} {out.with_suffix('.jsonl')}")
