"""Writes a short fragmented MP4 (one fragment per frame) for the mock: python ui/dev/film.py OUT.mp4."""

import sys

import av
import numpy as np

with av.open(sys.argv[1], "w", format="mp4", options={"movflags": "empty_moov+default_base_moof+frag_every_frame"}) as out:
    stream = out.add_stream("libx264", rate=25, options={"tune": "zerolatency", "preset": "veryfast", "g": "50"})
    stream.width, stream.height, stream.pix_fmt = 960, 540, "yuv420p"
    yy, xx = np.mgrid[0:540, 0:960]
    for n in range(250):
        base = (40 + 30 * (yy / 540) + 12 * np.sin(xx / 40 + n / 12)).astype(np.uint8)
        picture = np.stack([base, base + 4, base + 8], axis=-1)
        x = (n * 6) % 900
        picture[300:350, x : x + 60] = (150, 150, 160)
        picture[400:440, 840 - x : 900 - x] = (90, 110, 140)
        for packet in stream.encode(av.VideoFrame.from_ndarray(picture, format="rgb24")):
            out.mux(packet)
    for packet in stream.encode():
        out.mux(packet)
