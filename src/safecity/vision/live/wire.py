"""What goes through the pipes between a slot and the child that decodes one stream.

to the child     kind u8 | codec u8 | at i64 | length u32 | bytes
                 kind 1 parameters   each NAL unit behind a 4-byte length
                 kind 2 unit         as `model.values.media.Unit.data`; at: its wall time, microseconds UTC
                 kind 3 key unit     the same, a decoder can start here
                 kind 4 rate         at: pictures wanted in 1,000 seconds
from the child   mark 4s | kind u8 | at i64 | width u32 | height u32 | cpu f64 | decoded u32 | still u32 [| BGR bytes]
                 kind 1 picture      something moved in it
                 kind 2 note         no picture; about one a second
                 cpu: seconds since its start; decoded, still: pictures since its start
"""

from __future__ import annotations

import struct
from typing import Final

from safecity.model.values.media import Codec, VideoParameters
from safecity.protocols.nalbits import annex_b, with_lengths

TO_CHILD: Final = struct.Struct("<BBqI")
FROM_CHILD: Final = struct.Struct("<4sBqIIdII")
MARK: Final = b"LIV1"
PARAMETERS, UNIT, KEY_UNIT, RATE = range(1, 5)
PICTURE, NOTE = 1, 2
CODECS: Final = {Codec.H264: 1, Codec.H265: 2, Codec.MPEG4: 3}
NAMES: Final = {1: "h264", 2: "hevc", 3: "mpeg4"}
MAX_UNIT: Final = 16 << 20
MAX_PIXELS: Final = 8192 * 4608
MAX_CHILD_BYTES: Final = 2 << 30
"""Of memory: a stream that claims a huge picture ends the child, not the machine."""


def packed_sets(parameters: VideoParameters) -> bytes:
    """Parameter sets as they go to a child."""
    sets = list(parameters.parameter_sets)
    return b"".join(sets) if parameters.codec is Codec.MPEG4 else with_lengths(sets)


def as_decoded(codec: int, data: bytes) -> bytes:
    """What went to a child (parameter sets, a picture), as the decoder wants it. ValueError where it is cut off."""
    return data if codec == CODECS[Codec.MPEG4] else annex_b(data)
