"""The XML reader: what devices write is read, what attackers write is refused, and both in bounded time."""

from __future__ import annotations

import contextlib

import pytest

from safecity.kit.errors import InvalidError
from safecity.protocols.xmlsafe import Element, add, decode_text, find, read_xml, text_of, value, write_xml

GOOD = "<Notify><CmdType>Keepalive</CmdType><SN>1</SN><Name>人民路</Name></Notify>"


@pytest.mark.parametrize(
    "data",
    [
        GOOD.encode("gb18030"),
        GOOD.encode(),
        b"\xef\xbb\xbf" + GOOD.encode(),
        b'<?xml version="1.0" encoding="GB2312"?>\r\n' + GOOD.encode("gb2312"),
        b'<?xml version="1.0" encoding="GB2312"?>\r\n' + GOOD.encode(),  # declared one, written the other
        b'\r\n  <?xml version="1.0" encoding="nonsense"?>' + GOOD.encode("gbk"),
        GOOD.encode("gb18030") + b"\x00\x00\r\n",
        GOOD.upper().encode("gb18030"),
        GOOD.replace("<SN>1</SN>", "<SN>1</SN><Note>A & B < C</Note>").encode(),
        GOOD.replace("</SN>", "").encode(),
        GOOD.replace("</Notify>", "").encode(),
        GOOD.replace("<SN>", "< SN >").encode(),
    ],
)
def test_what_devices_write_is_read(data: bytes) -> None:
    root = read_xml(data)
    assert value(root, "cmdtype").lower() == "keepalive"
    assert value(root, "name").endswith("路") or "路" in "".join(root.itertext())


@pytest.mark.parametrize("bad", [b"\xff", b"\x81", b"\xb0", b"\x00", b"\x1b", b"\xc8\xcb\xc3"])
@pytest.mark.parametrize("place", ["name", "end"])
def test_one_bad_byte_does_not_drop_the_packet(bad: bytes, place: str) -> None:
    name = "人民路".encode("gb2312")
    name = bad + name if place == "name" else name + bad
    data = (
        b'<?xml version="1.0" encoding="GB2312"?><Response><CmdType>Catalog</CmdType><SN>9</SN><DeviceList>'
        b"<Item><DeviceID>1</DeviceID><Name>" + name + b"</Name><Status>ON</Status></Item>"
        b"<Item><DeviceID>2</DeviceID></Item></DeviceList></Response>"
    )
    items = find(read_xml(data), "DeviceList")
    assert items is not None
    assert [value(item, "DeviceID") for item in items] == ["1", "2"]
    assert value(items[0], "Status") == "ON"


def test_a_damaged_utf8_document_stays_utf8() -> None:
    data = b'<?xml version="1.0" encoding="UTF-8"?><a>' + "人民路".encode() + b"\xff</a>"
    assert text_of(read_xml(data)).startswith("人民路")
    assert decode_text("路口".encode("gb18030")) == "路口"


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "xml_not_xml"),
        (b"no xml", "xml_not_xml"),
        (b"<>", "xml_not_xml"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "xml_dtd"),
        (b'<?xml version="1.0"?><!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "xml_dtd"),
        (b"<a><!ENTITY x SYSTEM 'http://127.0.0.1/'></a>", "xml_dtd"),
        (b"<a>" * 100 + b"</a>" * 100, "xml_too_deep"),
        (b"<a>" * 100, "xml_too_deep"),
        (b"<a></a>" * 700_000, "xml_too_many_elements"),
        (b"x" * (9 * 1024 * 1024), "xml_too_long"),
    ],
    ids=["empty", "text", "nothing", "entity", "external", "late", "deep", "open", "many", "long"],
)
def test_what_is_hostile_is_refused(data: bytes, code: str) -> None:
    with pytest.raises(InvalidError) as caught:
        read_xml(data)
    assert caught.value.code == code


@pytest.mark.parametrize("piece", [b"<", b"<!--", b"<a ", b"&", b"<![CDATA[", b"</a>", b"<a", b'<a b="'])
def test_broken_tags_cost_linear_time(piece: bytes) -> None:
    # A quadratic reader would need minutes for these; the runner's limit would notice.
    with contextlib.suppress(InvalidError):
        read_xml(b"<r>" + piece * (400_000 // len(piece)))


def test_unknown_entities_stay_text_and_known_ones_are_read() -> None:
    root = read_xml(b"<a><b>x &amp; y &nbsp; &#65; &lt;</b></a>")
    assert value(root, "b") == "x & y &nbsp; A <"


def test_comments_cdata_attributes_and_prefixes() -> None:
    root = read_xml(b'<x:a xmlns:x="http://u" xmlns="http://v"><!-- no --><B Num="2"><![CDATA[1 < 2]]></B></x:a>')
    found = find(root, "b")
    assert found is not None
    assert (text_of(found), found.attrib["Num"]) == ("1 < 2", "2")


@pytest.mark.parametrize("charset", ["GB2312", "GB18030", "UTF-8"])
def test_what_is_written_is_read_back(charset: str) -> None:
    root = Element("Query")
    add(root, "Name", '<&>"路口\x00𠀀', {"n": 'a"b'})
    wire = write_xml(root, charset)
    assert wire.startswith(f'<?xml version="1.0" encoding="{charset}"?>'.encode())
    child = find(read_xml(wire), "name")
    assert child is not None
    assert text_of(child) == '<&>"路口𠀀'
    assert child.attrib["n"] == 'a"b'
