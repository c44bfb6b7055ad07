"""What the sound of one vehicle costs, by how its terminal codes it.

    python -m benchmarks.vehicle_sound [--seconds 120] [--plain]

Packets of 40 ms through `Voice`, decoded to G.711: `cpu_ms_per_stream_second` of each coding. G.726 compiled, with
`compile_cpu_s` that the first stream of a process starts beside everything else, and `compiler_mb` that the compiler
takes in memory; `--plain`: as it runs where there is no compiler.
"""

from __future__ import annotations

import argparse
import json
import time

from benchmarks.road_file import peak_bytes
from safecity.media.receive.compiling import compiled_decode
from safecity.protocols.jt1078.voice import Voice
from safecity.protocols.sound.room import SoundRoom
from safecity.sim.jt808.load import SOUNDS
from safecity.sim.jt808.sounds import FRAME_US, vehicle_sound


def cost(name: str, room: SoundRoom, seconds: int) -> float:
    """CPU ms for each second of sound."""
    sound, _ = vehicle_sound(name)
    assert sound is not None
    loop = [sound.frame(number * FRAME_US) for number in range(25)]
    voice, heard = Voice(room), 0
    begun = time.process_time()
    for number in range(seconds * 25):
        stamp = number * FRAME_US
        told = voice.take(sound.payload_type, loop[number % 25], stamp // 1000, False, stamp)
        heard += sum(len(one.data) for one in told)
    passed = time.process_time() - begun
    assert heard == seconds * 8000, voice.left_out
    return round(passed * 1000 / seconds, 2)


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=int, default=120)
    parser.add_argument("--plain", action="store_true")
    options = parser.parse_args()
    names = [one for one in SOUNDS if vehicle_sound(one)[0] is not None]
    for name in names:
        cost(name, SoundRoom(), 1)  # its loop is coded
    room, figures = SoundRoom(), dict[str, object]()
    if not options.plain:
        before, begun = peak_bytes(), time.process_time()
        room.use(compiled_decode())
        figures["compile_cpu_s"] = round(time.process_time() - begun, 2)
        figures["compiler_mb"] = round((peak_bytes() - before) / 1e6)
    figures["cpu_ms_per_stream_second"] = {name: cost(name, room, options.seconds) for name in names}
    print(json.dumps({"benchmark": "vehicle_sound", "plain": options.plain, **figures}))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
