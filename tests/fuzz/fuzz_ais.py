"""Bytes of a receiver of ships: any split gives the same, every message is read or refused, and written as it was."""

from __future__ import annotations

from safecity.protocols.ais.bits import unarmour
from safecity.protocols.ais.checks import course, judge, speed_ms
from safecity.protocols.ais.messages import Position, read_message, write_message
from safecity.protocols.ais.sentences import LineReader, Malformed, Sentence, checksum, write_sentence
from safecity.protocols.ais.stream import Feed, Heard, Teller

SEEDS = [
    b"!AIVDM,1,1,,B,177KQJ5000G?tO`K>RA1wUbN0TKH,0*5C\r\n",
    b"!AIVDM,2,1,1,A,55?MbV02;H;s<HtKR20EHE:0@T4@Dn2222222216L961O5Gf0NSQEp6ClRp8,0*1C\r\n!AIVDM,2,2,1,A,88888888880,2*25\r\n",
    b"\\s:r1*00\\!AIVDM,1,1,,A,403OviQuMGCqWrRO9>E6fE700@GO,0*4D\n$GPZDA,1*00\n",
    b"!AIVDM,1,1,,B,C5N3SRgPEnJGEBT>NhWAwwo862PaLELTBJ:V00000000S0D:R220,0*0B\r\n",
    b"!AIVDM,1,1,,B,E>jCfrv2`0c2h0W:0a2ah@@@@@@004WD>;2<H50hppN000,4*0A\r\n",
    b"!AIVDM,1,1,,A,H42O55i18tMET00000000000000,2*6D\r\n!AIVDM,1,1,,A,H42O55lti4hhhilD3nink000?050,0*40\r\n",
    b"!AIVDM,1,1,,B,KC5E2b@U19PFdLbMuc5=ROv62<7m,0*16\r\n",
]


def one_input(data: bytes) -> None:
    whole, split = Feed(), Feed()
    found = whole.feed(data, 0.0)
    step = 1 + len(data) % 61
    assert [one for at in range(0, len(data), step) for one in split.feed(data[at : at + step], 0.0)] == found
    found += whole.expire(1e6)
    # What a changed check sum would hide.
    body = data.split(b"*")[0].lstrip(b"!")
    found += Feed().feed(b"!%b*%02X\n" % (body, checksum(body)), 0.0)
    for one in found:
        if isinstance(one, Malformed):
            assert one.reason
        else:
            _again(one)
    payload = "".join(
        "0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVW`abcdefghijklmnopqrstuvw"[byte & 63] for byte in data[:180]
    )
    read = read_message(unarmour(payload))
    if not isinstance(read, Malformed):
        _again(Heard(read))
    for line in LineReader().feed(data):
        if isinstance(line, Sentence):
            assert LineReader().feed(write_sentence(line)) == [line]


def _again(heard: Heard) -> None:
    message = heard.message
    if isinstance(message, Position):
        judged = judge(message, 1_000_000)
        assert judged.moves or judged.reasons
        course(message)
        speed_ms(message)
    if not message.doubts:
        assert read_message(write_message(message)) == message
        Teller().write(message)
