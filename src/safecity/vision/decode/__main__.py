"""The child: python -m safecity.vision.decode FILM FRAMES_PER_SECOND; frames go to standard output."""

from __future__ import annotations

import sys
from typing import Any

from safecity.vision.decode import HEADER, MARK


def main() -> int:
    """0 at the end of the film, 1 when it cannot be decoded, 3 without a decoder."""
    try:
        import av
    except ImportError:
        return 3
    film, step = sys.argv[1], 1 / float(sys.argv[2])
    library: Any = av
    shown = 0
    try:
        with library.open(film, options={"protocol_whitelist": "file"}) as opened:
            stream = opened.streams.video[0]
            stream.thread_count = 1
            due = -1.0
            for frame in opened.decode(stream):
                at = float(frame.time or 0.0)
                if at < due:
                    continue
                due = at + step * 0.999
                picture = frame.to_ndarray(format="bgr24")
                sys.stdout.buffer.write(HEADER.pack(MARK, at, picture.shape[1], picture.shape[0]))
                sys.stdout.buffer.write(picture.tobytes())
                shown += 1
        sys.stdout.buffer.flush()
    except BrokenPipeError:
        return 0  # who asked has seen enough
    except Exception as error:  # whatever the library finds wrong with the file
        sys.stdout.buffer.flush()
        print(f"after {shown} frames: {error}", file=sys.stderr)  # noqa: T201
        return 1
    return 0 if shown else 1


if __name__ == "__main__":
    sys.exit(main())
