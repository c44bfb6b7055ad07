"""How long a viewer waits for the first picture: `python -m benchmarks.first_frame --joins 100`.

A real slot process, a camera that pushes 2 Mbit/s over UDP with a key frame every 4 s. Warm: the stream runs, viewers
come at random moments; from connecting to the last byte of the first picture, at the socket. `edge` is when all that
was cached is there, that is when the viewer is at the live edge. Cold: nothing is received; the viewer makes the
stream wanted, the device begins in the middle of a group of pictures and sends a key frame 100 ms after it is asked.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import random
import socket
import tempfile
import time
from pathlib import Path

from benchmarks.one_slot import SlotProcess
from safecity.backends.calls import UnixCallServer
from safecity.kit.errors import SafecityError
from safecity.kit.ids import fresh
from safecity.model.facts import media_calls as calls
from safecity.model.facts.signal_calls import AskKeyFrame
from safecity.model.values.media import Codec, Quality
from safecity.protocols.mpegps.mux import PsMuxer
from safecity.protocols.rtp.packets import packetise

FPS = 25
SPS = bytes.fromhex("67640028acd940780227e5c044000003000400000300ca3c60c658")
PPS = bytes.fromhex("68ebecb22c")
KEY = b"a key that control has pushed...."[:32]


class Device:
    """A camera whose pictures are noise of the right sizes."""

    def __init__(self, port: int, ssrc: int, gop_seconds: float, bits: int, start: int = 0) -> None:
        gop = round(gop_seconds * FPS)
        small = round(bits / 8 * gop_seconds / (gop + 9))
        noise = bytes(byte | 1 for byte in os.urandom(small * 10))  # no zeros, so no start codes
        self._key = b"\0\0\0\1" + SPS + b"\0\0\0\1" + PPS + b"\0\0\0\1\x65" + noise
        self._other = b"\0\0\0\1\x41" + noise[:small]
        self._gop = gop
        self._target = ("127.0.0.1", port)
        self._ssrc = ssrc
        self._place = start
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._task = asyncio.get_running_loop().create_task(self._run())

    def key_frame(self) -> None:
        """The next picture is one."""
        self._place = 0

    async def _run(self) -> None:
        muxer, sequence, number, begin = PsMuxer(Codec.H264), 0, 0, time.monotonic()
        while True:
            key = self._place % self._gop == 0
            self._place += 1
            pack = muxer.video(self._key if key else self._other, number * 3600, key=key)
            for packet in packetise(pack, sequence=sequence, timestamp=number * 3600, ssrc=self._ssrc):
                sequence += 1
                with contextlib.suppress(OSError):
                    self._socket.sendto(packet, self._target)
            number += 1
            await asyncio.sleep(max(0.0, begin + number / FPS - time.monotonic()))

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._socket.close()


async def join(url: str) -> tuple[float, float, int]:
    """Seconds to the first whole picture, seconds to the end of what was cached, and its pictures."""
    host, _, rest = url.removeprefix("ws://").partition("/")
    name, _, port = host.partition(":")
    begin = time.perf_counter()
    reader, writer = await asyncio.open_connection(name, int(port), limit=1 << 22)
    writer.write(
        f"GET /{rest} HTTP/1.1\r\nHost: {host}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
    )
    await reader.readuntil(b"\r\n\r\n")
    first = last = 0.0
    count = 0
    try:
        while True:
            head = await asyncio.wait_for(reader.readexactly(2), 0.03 if first else 20)
            size = head[1] & 127
            if size == 126:
                size = int.from_bytes(await reader.readexactly(2), "big")
            elif size == 127:
                size = int.from_bytes(await reader.readexactly(8), "big")
            content = await reader.readexactly(size)
            if head[0] & 15 == 2 and content[0] in (2, 3):
                count += 1
                last = time.perf_counter() - begin
                first = first or last
    except TimeoutError:
        pass  # nothing more at once: what follows is live
    writer.close()
    return first, last, count


async def warm(slot: SlotProcess, options: argparse.Namespace) -> tuple[list[float], list[float]]:
    """Viewers come to a running stream at random moments."""
    channel = fresh("ch")
    await assign(slot, [channel], "continuous")
    prepared = await slot.ask(calls.PrepareStream(channel, Quality.MAIN, 77))
    device = Device(prepared.port, 77, options.gop, options.bits)
    await slot.ask(calls.ConfirmStream(channel, Quality.MAIN, 77))
    await asyncio.sleep(options.gop + 0.5)
    firsts, edges = [], []
    for _ in range(options.joins):
        first, edge, _ = await join(slot.url("live", channel))
        firsts.append(first * 1000)
        edges.append(edge * 1000)
        await asyncio.sleep(random.random() * 0.15)
    await device.stop()
    return firsts, edges


async def cold(slot: SlotProcess, options: argparse.Namespace) -> list[float]:
    """A viewer opens what nobody watches; what the duty `signal` and the device do is done here."""
    channels = [fresh("ch") for _ in range(options.cold)]
    await assign(slot, channels, "off")
    devices: dict[str, Device] = {}
    signal = UnixCallServer(slot.run / "calls")

    async def ask_key(message: AskKeyFrame) -> calls.Message:
        await asyncio.sleep(0.1)
        if message.channel in devices:
            devices[message.channel].key_frame()
        return calls.Done()

    await signal.serve("signal", {AskKeyFrame: ask_key}, {})

    async def open_wanted() -> None:
        ssrc = 1000
        async for state in slot.calls.stream("media-0", calls.WatchStreams()):
            if not isinstance(state, calls.StreamState) or not state.wanted or state.channel in devices:
                continue
            ssrc += 1
            prepared = await slot.ask(calls.PrepareStream(state.channel, Quality.MAIN, ssrc))
            middle = random.randrange(1, round(options.gop * FPS / 2))
            devices[state.channel] = Device(prepared.port, ssrc, options.gop, options.bits, middle)
            await slot.ask(calls.ConfirmStream(state.channel, Quality.MAIN, ssrc))

    opening = asyncio.create_task(open_wanted())
    await asyncio.sleep(0.2)
    took: list[float] = []
    for channel in channels:
        took.append((await join(slot.url("live", channel)))[0] * 1000)
        await devices[channel].stop()
    opening.cancel()
    with contextlib.suppress(asyncio.CancelledError, SafecityError):
        await opening
    await signal.close()
    return took


async def assign(slot: SlotProcess, channels: list[str], mode: str) -> None:
    """Tell the slot its channels."""
    volume = calls.VolumeSpec("main", str(slot.data / "volumes" / "main"), extent_bytes=8 << 20)
    await slot.ask(calls.SlotSettings("platform", (KEY,), (volume,)))
    policy = calls.RecordPolicy(mode=mode)
    entries = tuple(calls.Assignment(one, 1, {"main": calls.PushedSource()}, policy) for one in channels)
    await slot.ask(calls.ApplyAssignments(1, entries))


def part(values: list[float], share: float) -> float:
    """A percentile, in ms."""
    ordered = sorted(values)
    return round(ordered[min(len(ordered) - 1, int(len(ordered) * share))], 1)


async def measure(options: argparse.Namespace) -> dict[str, float]:
    """Warm, then cold, each on a slot of its own."""
    with tempfile.TemporaryDirectory() as folder:
        slot = SlotProcess(Path(folder))
        slot.start()
        try:
            firsts, edges = await warm(slot, options)
            colds = await cold(slot, options)
        finally:
            await slot.close()
    return {
        "joins": options.joins,
        "gop_seconds": options.gop,
        "p50_ms": part(firsts, 0.5),
        "p95_ms": part(firsts, 0.95),
        "edge_p95_ms": part(edges, 0.95),
        "cold_joins": options.cold,
        "cold_p50_ms": part(colds, 0.5),
        "cold_p95_ms": part(colds, 0.95),
    }


def main() -> None:
    """One JSON object last."""
    parser = argparse.ArgumentParser(prog="benchmarks.first_frame")
    parser.add_argument("--joins", type=int, default=100)
    parser.add_argument("--cold", type=int, default=20)
    parser.add_argument("--gop", type=float, default=4.0, help="seconds between key frames")
    parser.add_argument("--bits", type=int, default=2_000_000)
    print(json.dumps(asyncio.run(measure(parser.parse_args()))))


if __name__ == "__main__":
    main()
