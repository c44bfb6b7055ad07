"""What a UDP socket does not want to hear, dropped by the kernel: it takes no room in the buffer and wakes nobody.

Classic BPF on the socket (SO_ATTACH_FILTER). A UDP socket's filter sees the datagram from its UDP header on.
"""

from __future__ import annotations

import contextlib
import ctypes
import socket
import struct
import sys
from collections.abc import Iterable
from typing import Final

_SO_ATTACH_FILTER: Final = 26
_SO_DETACH_FILTER: Final = 27
_LD_W, _LD_H, _ST, _LDM, _JEQ, _RET = 0x20, 0x28, 0x02, 0x60, 0x15, 0x06
_NET_SOURCE: Final = 0xFFF00000 + 12  # SKF_NET_OFF: the IPv4 source address
_PASS: Final = 0x7FFFFFFF


def _op(code: int, true: int, false: int, value: int) -> bytes:
    return struct.pack("=HBBI", code, true, false, value)


def program(blocked: Iterable[tuple[int, int]], allowed: Iterable[int] | None) -> bytes:
    """Drop these (host, port; port 0: all of the host); where `allowed` is given, pass only those SSRCs."""
    code = [_op(_LD_W, 0, 0, _NET_SOURCE), _op(_ST, 0, 0, 0), _op(_LD_H, 0, 0, 0), _op(_ST, 0, 0, 1)]
    for host, port in blocked:
        if port:
            code += [_op(_LDM, 0, 0, 0), _op(_JEQ, 0, 3, host), _op(_LDM, 0, 0, 1), _op(_JEQ, 0, 1, port)]
        else:
            code += [_op(_LDM, 0, 0, 0), _op(_JEQ, 0, 1, host)]
        code.append(_op(_RET, 0, 0, 0))
    if allowed is not None:
        code.append(_op(_LD_W, 0, 0, 8 + 8))  # behind the UDP header: the SSRC; a shorter datagram is dropped
        for ssrc in allowed:
            code += [_op(_JEQ, 0, 1, ssrc), _op(_RET, 0, 0, _PASS)]
        code.append(_op(_RET, 0, 0, 0))
    else:
        code.append(_op(_RET, 0, 0, _PASS))
    return b"".join(code)


def attach(sock: socket.socket, blocked: Iterable[tuple[int, int]], allowed: Iterable[int] | None = None) -> None:
    """Put `program` in the place of what was there; nothing where the system has no such filters."""
    if sys.platform != "linux":
        return
    code = program(blocked, allowed)
    held = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("@HP", len(code) // 8, ctypes.addressof(held))
    sock.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, head)


def detach(sock: socket.socket) -> None:
    """Hear everything again. A socket keeps its filter over the death of the process that set it."""
    if sys.platform == "linux":
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
