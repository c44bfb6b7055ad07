"""Try an RTSP URL before it is saved: it counts as good once a picture has come out of it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from safecity.drivers.rtsp.driver import Attempt, Patience, may_be_the_transport
from safecity.kit.clock import Clock, SystemClock
from safecity.kit.errors import Param
from safecity.links.rtsp_client import HostPolicy
from safecity.model.facts.media_calls import RtspSource
from safecity.model.values.media import CodecParameters, Unit, VideoParameters
from safecity.protocols.rtsp.client import Failed
from safecity.protocols.rtsp.transport import parse_rtsp_url


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """`step` and `params` of what failed, or the tracks (plain data, fit for JSON) and the transport that works."""

    ok: bool
    step: str = ""
    params: dict[str, Param] = field(default_factory=dict[str, Param])
    tracks: list[dict[str, Param]] = field(default_factory=list[dict[str, Param]])
    transport: str = ""


async def probe(
    url: str,
    username: str,
    password: str,
    *,
    policy: HostPolicy | None = None,
    transport: str = "auto",
    seconds: float = 10.0,
    clock: Clock | None = None,
) -> ProbeResult:
    """Open it, wait for the first picture, close it. Only rtsp and rtsps; `policy` judges every address first."""
    try:
        parsed = parse_rtsp_url(url)
    except ValueError:
        return ProbeResult(False, "rtsp_url")
    clock = clock or SystemClock()
    patience = Patience(packet=seconds / 2, picture=seconds)
    source = RtspSource(str(parsed), username, password, transport)
    failed = Failed("rtsp_timeout", {})
    for way in [transport] if transport in ("tcp", "udp") else ["tcp", "udp"]:
        first = asyncio.get_running_loop().create_future()

        def deliver(unit: Unit, first: asyncio.Future[Unit] = first) -> None:
            if isinstance(unit.parameters, VideoParameters) and not first.done():
                first.set_result(unit)

        attempt = Attempt(parsed, source, way, deliver, clock, patience, policy=policy)
        task = asyncio.create_task(attempt.run())
        try:
            await asyncio.wait({task, first}, return_when=asyncio.FIRST_COMPLETED, timeout=seconds * 2)
            if first.done():
                found = [feed.parameters for feed in attempt.feeds]
                return ProbeResult(True, tracks=[_shown(one) for one in found if one is not None], transport=way)
            if task.done():
                failed = task.result()
        finally:
            first.cancel()
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
        if not may_be_the_transport(failed):
            break
    return ProbeResult(False, failed.step or "rtsp_closed", dict(failed.params))


def _shown(parameters: CodecParameters) -> dict[str, Param]:
    if isinstance(parameters, VideoParameters):
        return {
            "kind": "video",
            "codec": parameters.codec.value,
            "width": parameters.width,
            "height": parameters.height,
            "fps": parameters.fps,
        }
    return {
        "kind": "audio",
        "codec": parameters.codec.value,
        "sample_rate": parameters.sample_rate,
        "channels": parameters.channels,
    }
