"""The other end of `benchmarks.ingest`: cameras that send pre-packetised program streams over UDP.

Reads one JSON line (targets, seconds, start), encodes a clip once (kept in the temporary directory), and then does
nothing per packet: headers, payloads and vectors lie ready, one sendmmsg(2) per picture. Prints one JSON object.
"""

from __future__ import annotations

import ctypes
import fractions
import hashlib
import json
import os
import pickle
import socket
import struct
import sys
import tempfile
import time
from pathlib import Path

from safecity.model.values.media import Codec
from safecity.protocols.mpegps.mux import PsMuxer

FPS = 25
GOP = 50
PAYLOAD = 1400
BITS = 2_000_000


class IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class MsgHdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class MMsgHdr(ctypes.Structure):
    _fields_ = [("header", MsgHdr), ("length", ctypes.c_uint32)]


def clip() -> list[tuple[bytes, bool]]:
    """Ten seconds of 1080p25 H.264 at 2 Mbit/s, group of 2 s."""
    kept = Path(tempfile.gettempdir()) / f"safecity-bench-clip-{hashlib.sha256(b'1080p25-2M-50-3').hexdigest()[:12]}"
    if kept.exists():
        return pickle.loads(kept.read_bytes())
    import av
    import numpy as np

    width, height = 1920, 1080
    codec = av.CodecContext.create("libx264", "w")
    codec.width, codec.height, codec.pix_fmt = width, height, "yuv420p"
    codec.framerate, codec.time_base = FPS, fractions.Fraction(1, FPS)
    codec.bit_rate, codec.gop_size, codec.max_b_frames = BITS, GOP, 0
    codec.options = {
        "preset": "ultrafast",
        "tune": "zerolatency",
        "x264-params": f"keyint={GOP}:min-keyint={GOP}:scenecut=0:"
        "vbv-maxrate=2100:vbv-bufsize=1000:threads=1:ratetol=0.1",
    }
    noise = np.random.default_rng(7).integers(60, 190, (height // 8, width // 8), dtype=np.uint8)
    wide = np.kron(noise, np.ones((8, 8), np.uint8))
    wide = (wide // 4 + 96).astype(np.int16)
    random = np.random.default_rng(8)
    grain = [random.normal(0, 3.0, wide.shape).astype(np.int16) for _ in range(5)]
    frames: list[tuple[bytes, bool]] = []
    for number in range(FPS * 10):
        picture = np.full((height * 3 // 2, width), 128, np.uint8)
        # A still street with sensor noise and something that moves: key frames near 80 KB, the others near 8 KB.
        picture[:height] = np.clip(wide + grain[number % len(grain)], 0, 255)
        picture[300:700, (number * 9) % 1500 : (number * 9) % 1500 + 300] = wide[300:700, 200:500]
        frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
        frame.pts = number
        frames += [(bytes(packet), bool(packet.is_keyframe)) for packet in codec.encode(frame)]
    frames += [(bytes(packet), bool(packet.is_keyframe)) for packet in codec.encode(None)]
    spare = kept.with_suffix(f".{os.getpid()}")
    spare.write_bytes(pickle.dumps(frames))
    spare.replace(kept)
    return frames


def main() -> None:
    """Send until the time is over."""
    order = json.loads(sys.stdin.readline())
    targets: list[tuple[int, int]] = [(port, ssrc) for port, ssrc in order["targets"]]
    total = int(order["seconds"] * FPS)
    frames = clip()
    muxer = PsMuxer(Codec.H264)
    heads = bytearray()
    bodies = bytearray()
    sizes: list[int] = []
    firsts: list[int] = []
    for number in range(total):
        data, key = frames[number % len(frames)]
        pack = muxer.video(data, 90_000 + number * 3600, key=key)
        firsts.append(len(sizes))
        for at in range(0, len(pack), PAYLOAD):
            marker = 0x80 if at + PAYLOAD >= len(pack) else 0
            heads += struct.pack("!BBHI", 0x80, 96 | marker, len(sizes) & 0xFFFF, number * 3600 & 0xFFFFFFFF)
            sizes.append(min(PAYLOAD, len(pack) - at))
        bodies += pack
    firsts.append(len(sizes))
    ssrc = ctypes.create_string_buffer(4)
    head_base = ctypes.addressof((ctypes.c_char * len(heads)).from_buffer(heads))
    body_base = ctypes.addressof((ctypes.c_char * len(bodies)).from_buffer(bodies))
    vectors = (IoVec * (3 * len(sizes)))()
    messages = (MMsgHdr * len(sizes))()
    at = 0
    for number, size in enumerate(sizes):
        for index, (base, length) in enumerate(
            ((head_base + 8 * number, 8), (ctypes.addressof(ssrc), 4), (body_base + at, size))
        ):
            vectors[3 * number + index].base = base
            vectors[3 * number + index].length = length
        messages[number].header.iov = ctypes.addressof(vectors) + 3 * number * ctypes.sizeof(IoVec)
        messages[number].header.iov_length = 3
        at += size
    message_base = ctypes.addressof(messages)
    step = ctypes.sizeof(MMsgHdr)
    send = ctypes.CDLL(None, use_errno=True).sendmmsg
    send.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int]
    cameras: list[tuple[socket.socket, int, bytes]] = []
    for port, number in targets:
        sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        sock.connect(("127.0.0.1", port))
        cameras.append((sock, sock.fileno(), number.to_bytes(4, "big")))
    late: list[float] = []
    sent = 0
    print(json.dumps({"ready": True, "bytes_per_second": len(bodies) * FPS / total}), flush=True)
    sys.stdin.readline()
    cpu = time.process_time()
    begin = time.monotonic()
    count = len(cameras)
    for number in range(total):
        first, size = firsts[number], firsts[number + 1] - firsts[number]
        for index, (_, descriptor, own) in enumerate(cameras):
            due = begin + (number + index / count) / FPS
            now = time.monotonic()
            if due > now + 0.0005:
                time.sleep(due - now)
                now = time.monotonic()
            late.append(now - due)
            ssrc[0:4] = own
            done = 0
            while done < size:
                got = send(descriptor, message_base + step * (first + done), size - done, 0)
                done += got if got > 0 else 1
            sent += size
    elapsed = time.monotonic() - begin
    late.sort()
    print(
        json.dumps(
            {
                "sender_cpu": round((time.process_time() - cpu) / elapsed, 3),
                "sender_late_ms_p99": round(late[int(len(late) * 0.99)] * 1000, 2),
                "sent": sent,
                "units": total,
                "body_bytes": len(bodies),
            }
        ),
        flush=True,
    )


if __name__ == "__main__":
    main()
