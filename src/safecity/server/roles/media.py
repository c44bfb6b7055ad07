"""The duty `media`: one slot of the media plane, assembled from its parts.

Loads no web framework, no SQLAlchemy and no picture library (a test looks at `sys.modules`): it must start in a
fraction of a second after it was killed, and nothing but media may surprise it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import importlib
import logging
import resource
import ssl
import sys
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.errors import Param, SafecityError
from safecity.kit.outgoing import may_reach
from safecity.media.door.used import UsedTickets
from safecity.media.link.server import LinkServer
from safecity.media.receive.options import ReceiveOptions
from safecity.media.receive.receiver import Receiver
from safecity.media.record.chain import load_signer
from safecity.media.record.facts import Fact
from safecity.media.record.reading import Archive, ReaderThread
from safecity.media.record.recorder import Recorder
from safecity.media.slot.answers import Answers
from safecity.media.slot.pulls import Pull
from safecity.media.slot.relay import Relay
from safecity.media.slot.slot import Parts, Slot
from safecity.media.slot.state import SlotFile
from safecity.media.streams import Stream, Streams
from safecity.model.facts.media_calls import RtspSource, VolumeSpec
from safecity.server.context import RoleContext

logger = logging.getLogger(__name__)

PULLER = "safecity.drivers.rtsp.driver:RtspPull"
"""Assembled by name: the media plane knows no driver."""
TICK_SECONDS = 1.0
CERTIFICATE_SECONDS = 30.0
GIB, MIB = 1 << 30, 1 << 20


async def main(context: RoleContext) -> None:
    """Run the slot until SIGTERM."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:  # the usual 1,024 would end the thousandth viewer
        resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536) if hard > 0 else 65_536, hard))
    folder = context.data_dir / "media"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    state = SlotFile(open_file(folder / f"media-{context.slot}.db"))
    (folder / f"media-{context.slot}.db").chmod(0o600)  # it holds credentials of cameras
    streams = Streams()
    loop = asyncio.get_running_loop()
    said: list[Slot] = []

    def tell(facts: Sequence[Fact]) -> None:
        """In the writer thread."""
        with contextlib.suppress(RuntimeError):  # the loop is closed already: the last facts of a slot that stops
            loop.call_soon_threadsafe(lambda: said and said[0].recorder_says(facts))

    volumes = _volumes(context)
    for volume in volumes:
        _make_volume(context, volume)
    recorder = Recorder(
        context.slot,
        volumes,
        clock=context.clock,
        open_sql=open_file,
        memory=folder / f"volumes-{context.slot}.json",
        signer=load_signer(folder / f"checkpoints-{context.slot}.key"),
        facts=tell,
        window_bytes=context.settings.record.ram_mib * MIB,
    )
    changed = list[Callable[[], None]]()
    receiver = Receiver(
        streams,
        context_ports(context, "rtp-udp-"),
        context_ports(context, "rtp-tcp-"),
        clock=context.clock,
        options=_receive_options(context),
        on_sessions=lambda: changed[0]() if changed else None,
    )
    relay = Relay(state.outbox, context.calls)
    reader = ReaderThread(lambda: Archive(lambda: recorder.shelves, open_reader))
    slot = Slot(
        Parts(
            address=context.address,
            state=state,
            streams=streams,
            receiver=receiver,
            recorder=recorder,
            reader=reader,
            relay=relay,
            calls=context.calls,
            clock=context.clock,
            links=context.run_dir / "link",
            make_volume=lambda volume: _make_volume(context, volume),
            pull=_puller(context),
            idle_close_seconds=context.settings.media.idle_close_seconds,
            used=UsedTickets(context.run_dir / "tickets"),
        )
    )
    said.append(slot)
    changed.append(slot.sessions_changed)
    slot.access.origins = _origins(context)
    receiver.start()
    slot.resume()
    recorder.start()
    links = LinkServer(context.run_dir / "link", context.address, slot.lend)
    await links.start()
    door = loop.create_task(_open_door(context, slot))
    answers = Answers(slot, lambda: context.lag_ms)
    await context.server.serve(context.address, answers.handlers(), answers.stream_handlers())
    draining = loop.create_task(relay.run())
    _settle_memory()
    logger.info("media slot runs channels=%s sockets=%s", len(slot.assignments), len(receiver.ports))
    try:
        while not context.stopping.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(TICK_SECONDS):
                    await context.stopping.wait()
            try:
                slot.tick()
            except SafecityError as error:  # a disk that takes nothing must not end what is received and watched
                logger.error("turn of the slot failed code=%s why=%s", error.code, error)
    finally:
        door.cancel()
        draining.cancel()
        await links.close()
        await slot.close()
        receiver.stop()
        recorder.close()
        reader.close()
        state.close()


def context_ports(context: RoleContext, prefix: str) -> dict[int, Any]:
    """Inherited sockets of this slot by port number."""
    return {sock.getsockname()[1]: sock for sock in context.sockets(prefix)}


def _volumes(context: RoleContext) -> tuple[VolumeSpec, ...]:
    """What the settings say, until control says something else."""
    settings = context.settings
    return tuple(
        VolumeSpec(
            name=one.name,
            path=str(settings.volume_path(one)),
            max_bytes=round(one.max_gib * GIB),
            layout=one.layout,
            extent_bytes=one.extent_mib * MIB,
        )
        for one in settings.record.volumes
    )


def _make_volume(context: RoleContext, volume: VolumeSpec) -> None:
    """Within our own data a missing folder is new; anywhere else it is a disk that is not mounted."""
    path = Path(volume.path)
    if path.absolute().is_relative_to(context.data_dir.absolute()):
        path.mkdir(parents=True, exist_ok=True, mode=0o700)


def _receive_options(context: RoleContext) -> ReceiveOptions:
    media = context.settings.media
    return ReceiveOptions(
        buffer_bytes=max(media.rcvbuf_bytes, 256 * 1024),
        exclusive_ports=media.port_per_camera,
        loss_seconds=max(5.0, float(media.stream_loss_seconds)),
    )


def _puller(context: RoleContext) -> Pull | None:
    """Pulls RTSP cameras into streams; None where this build has no driver for it."""
    module, _, name = PULLER.partition(":")
    try:
        kind: Any = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        logger.warning("this build pulls no cameras, only devices that push are received")
        return None

    policy = partial(may_reach, allow_loopback=context.settings.loopback_cameras())

    async def pull(source: RtspSource, stream: Stream) -> None:
        def report(state: str, step: str, params: Mapping[str, Param]) -> None:
            stream.transport = f"rtsp/{puller.figures.transport}"
            stream.tell(state, context.clock.now_us(), step, dict(params))

        puller: Any = kind(
            source, stream.key, stream.deliver, report, context.clock,
            policy=policy, resume_at=stream.resume_at,
        )  # fmt: skip
        counting = asyncio.get_running_loop().create_task(_count(stream, puller))
        try:
            await puller.run()
        finally:
            counting.cancel()

    return pull


async def _count(stream: Stream, puller: Any) -> None:
    """Carry the driver's counters over, once a second."""
    while True:
        await asyncio.sleep(TICK_SECONDS)
        figures = puller.figures
        stream.packets, stream.packets_lost = figures.packets, figures.packets_lost


def _origins(context: RoleContext) -> frozenset[str]:
    """Pages that may connect besides those of the same host: where the administrator gave the platform a name."""
    http = context.settings.http
    if not http.public_host:
        return frozenset()
    scheme = "http" if http.tls == "off" else "https"
    return frozenset({f"{scheme}://{http.public_host}", f"{scheme}://{http.public_host}:{http.port}"})


async def _open_door(context: RoleContext, slot: Slot) -> None:
    """Listen for viewers; with TLS as soon as there is a certificate (control makes it at the first start)."""
    tls: ssl.SSLContext | None = None
    if context.settings.http.tls != "off":
        certificate, key = _certificate(context)
        waited = 0.0
        while not (certificate.is_file() and key.is_file()):
            if waited >= CERTIFICATE_SECONDS:
                logger.error("no certificate, viewers cannot connect path=%s", certificate)
                waited = float("-inf")
            await asyncio.sleep(0.2)
            waited += 0.2
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.minimum_version = ssl.TLSVersion.TLSv1_2
        tls.load_cert_chain(certificate, key)
    await slot.door.listen(context.socket("media"), tls)


def _certificate(context: RoleContext) -> tuple[Path, Path]:
    """The API's own certificate (`server/tls.py`, which is not loaded here: it needs a library this duty does not)."""
    http = context.settings.http
    if http.tls == "files":
        return Path(http.certificate), Path(http.key)
    folder = context.data_dir / "secrets" / "tls"
    return folder / "server.pem", folder / "server.key"


def _settle_memory() -> None:
    """A full collection is a burst of datagrams lost: what is there now stays, the rest is looked at rarely."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    # The loop must not wait 5 ms for the interpreter lock each time the writer thread computes.
    sys.setswitchinterval(0.0005)
