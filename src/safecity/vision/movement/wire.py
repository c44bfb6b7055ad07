"""What goes through the pipes between a vision slot and the child that makes key frames small.

to the child     codec u8 | length of the parameter sets u32 | length of the picture u32 | sets | picture
                 each NAL unit behind a 4-byte length, as `model.values.media.Unit.data`
from the child   mark 4s | read u8 [| HEIGHT x WIDTH grey bytes where it could be read]
                 one answer for each picture, in order

With RUN added to the codec a picture goes on from the one before it (a run begins with parameter sets), and one without
bytes ends the run. Its answers:

from the child   mark 4s | pictures u8 | for each: number of its question within the run u32, HEIGHT x WIDTH grey bytes
                 none or several at once: a decoder shows pictures later than it gets them
"""

from __future__ import annotations

import struct
from typing import Final

from safecity.vision.gate import HEIGHT, WIDTH

TO_CHILD: Final = struct.Struct("<BII")
FROM_CHILD: Final = struct.Struct("<4sB")
RUN: Final = 0x40
SHOWN: Final = struct.Struct("<I")
MOST_SHOWN: Final = 64
"""Pictures that a decoder holds back at most."""
MARK: Final = b"MOV1"
SMALL_BYTES: Final = WIDTH * HEIGHT
