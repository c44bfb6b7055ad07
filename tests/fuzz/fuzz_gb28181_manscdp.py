"""Bodies from devices: anything is a body, or refused with an InvalidError."""

from __future__ import annotations

from safecity.kit.errors import InvalidError
from safecity.protocols.gb28181.body import Body
from safecity.protocols.gb28181.manscdp import read_body, write_body

SEEDS = [
    b'<?xml version="1.0" encoding="GB2312"?><Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>1</DeviceID>'
    b"<Status>OK</Status><Info><DeviceID>2</DeviceID></Info></Notify>",
    "<Response><CmdType>Catalog</CmdType><SN>1</SN><DeviceID>1</DeviceID><SumNum>1</SumNum><DeviceList Num='1'><Item>"
    "<DeviceID>2</DeviceID><Name>路口</Name><Longitude>1.5</Longitude></Item></DeviceList></Response>".encode(
        "gb18030"
    ),
    b"<Control><CmdType>DeviceControl</CmdType><SN>1</SN><DeviceID>1</DeviceID><PTZCmd>A50F0100000000B5</PTZCmd></Control>",
    b"<Query><CmdType>X</CmdType><![CDATA[a]]><!-- b --><C>&#65;&amp;&x;</C></Query>",
]


def one_input(data: bytes) -> None:
    try:
        body = read_body(data)
    except InvalidError:
        return
    assert isinstance(body, Body)
    assert isinstance(read_body(write_body(body)), Body)
