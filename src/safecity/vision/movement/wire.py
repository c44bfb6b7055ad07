"""What goes through the pipes between a vision slot and the child that makes key frames small.

to the child     codec u8 | length of the parameter sets u32 | length of the picture u32 | sets | picture
                 each NAL unit behind a 4-byte length, as `model.values.media.Unit.data`
from the child   mark 4s | read u8 [| HEIGHT x WIDTH grey bytes where it could be read]
                 one answer for each picture, in order
"""

from __future__ import annotations

import struct
from typing import Final

from safecity.vision.gate import HEIGHT, WIDTH

TO_CHILD: Final = struct.Struct("<BII")
FROM_CHILD: Final = struct.Struct("<4sB")
MARK: Final = b"MOV1"
SMALL_BYTES: Final = WIDTH * HEIGHT
