"""The recording side of `benchmarks.ingest`: the real recorder, hash chain and signatures on, and what it kept."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

from safecity.backends.sqlitefile import open_file, open_reader
from safecity.kit.clock import SystemClock
from safecity.media.record.chain import Ed25519Signer
from safecity.media.record.reading import Archive
from safecity.media.record.recorder import Recorder
from safecity.media.streams import Streams
from safecity.model.facts.media_calls import RecordPolicy, VolumeSpec
from safecity.model.values.media import VIDEO, StreamKey

WINDOW_BYTES = 256 * 1024 * 1024
"""The default of `record.ram_mib`: five seconds of 200 streams."""
SAMPLE = 5
"""Streams that are read back picture by picture; of the others the length is compared."""


class Recording:
    """All streams recorded on one volume in `folder`."""

    def __init__(self, folder: Path, streams: Streams, keys: Sequence[StreamKey], layout: str = "auto") -> None:
        self.folder = folder
        self._streams = streams
        self._keys = keys
        self._recorder = Recorder(
            0,
            (VolumeSpec("bench", str(folder), layout=layout),),
            clock=SystemClock(),
            open_sql=open_file,
            window_bytes=WINDOW_BYTES,
            signer=Ed25519Signer(bytes(range(32))),
        )

    async def start(self) -> None:
        """Attach a recorder to each stream."""
        self._recorder.start()
        for key in self._keys:
            stream = self._streams.ensure(key)
            stream.attach(self._recorder.open(key, RecordPolicy(), 1))
        await asyncio.sleep(1.0)

    async def finish(self) -> float:
        """Write what is there; pictures found again / pictures received, the worst of all streams."""
        for stream in self._streams:
            stream.end("closed")
        await asyncio.sleep(1.5)
        await asyncio.to_thread(self._recorder.close)
        archive = Archive(lambda: [self.folder], open_reader)
        worst = 1.0
        for number, key in enumerate(self._keys):
            stream = self._streams.ensure(key)
            chunks = archive.chunks(key.channel, 0, 1 << 60, key.quality)
            if number < SAMPLE:
                found = sum(1 for chunk in chunks for unit in archive.units(chunk) if unit.track == VIDEO)
                worst = min(worst, found / max(1, stream.pictures))
            else:
                seconds = sum(chunk.end - chunk.start for chunk in chunks) / 1e6
                # The length of the last picture is not known, and times are kept to the millisecond.
                worst = min(worst, (seconds + 0.05) / max(0.04, stream.pictures / 25))
        archive.close()
        return round(worst, 4)
