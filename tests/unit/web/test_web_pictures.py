"""Foreign video may take over the child that decodes a picture: whatever it does, the question is answered."""

from __future__ import annotations

import sys

import pytest

from safecity.kit.errors import UnavailableError
from safecity.web.pictures import Pictures

GOOD = "import sys; sys.stdout.buffer.write(b'\\xff\\xd8' + sys.stdin.buffer.read() + sys.argv[2].encode())"
DYING = "import sys; sys.stdout.buffer.write(b'\\xff\\xd8'); sys.exit(3)"
NO_PICTURE = "import sys; sys.stdin.buffer.read(); print('no')"
HANGING = "import sys; sys.stdin.buffer.read(); sys.stdin.close(); import time; time.sleep(1000)"
DEAF = "import time; time.sleep(1000)"
FLOODING = "import sys\nwhile True: sys.stdout.buffer.write(b'\\xff\\xd8' * 50_000)"


def decoder(body: str, patience_seconds: float = 60.0) -> Pictures:
    return Pictures((sys.executable, "-c", body), patience_seconds)


async def test_what_it_gives_is_the_picture() -> None:
    coded = b"x" * 1_000_000
    assert await decoder(GOOD).as_jpeg(coded, 320) == b"\xff\xd8" + coded + b"320"


@pytest.mark.parametrize("body", [DYING, NO_PICTURE], ids=["dies", "gives no picture"])
async def test_a_child_that_fails_is_told(body: str) -> None:
    with pytest.raises(UnavailableError) as failed:
        await decoder(body).as_jpeg(b"x" * 1_000_000, 0)
    assert failed.value.code == "picture_unreadable"


@pytest.mark.parametrize("body", [HANGING, DEAF], ids=["hangs", "takes nothing"])
async def test_a_child_that_hangs_is_given_up_and_the_next_picture_is_decoded(body: str) -> None:
    pictures = decoder(body, 0.2)
    for _ in range(3):  # one more than may run at once
        with pytest.raises(UnavailableError):
            await pictures.as_jpeg(b"x" * 1_000_000, 0)


@pytest.mark.parametrize("coded", [b"x", b"x" * 1_000_000], ids=["that it could have read", "that it never read"])
async def test_a_child_that_talks_without_end_is_ended_once_it_said_more_than_a_picture_has(coded: bytes) -> None:
    """Not by the clock: until then it would have filled the memory, or have kept others from their pictures."""
    pictures = decoder(FLOODING, 20.0)
    for _ in range(3):
        with pytest.raises(UnavailableError, match="the decoder failed"):
            await pictures.as_jpeg(coded, 0)
