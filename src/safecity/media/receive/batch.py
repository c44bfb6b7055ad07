"""Many datagrams per system call: recvmmsg(2) into one reused buffer.

The standard library has no recvmmsg; the C library does, and ctypes reaches it. Where it is not there, a loop over
recvfrom_into gives the same picture more slowly. Either way nothing is allocated per datagram here.
"""

from __future__ import annotations

import ctypes
import errno
import os
import socket
import struct
import sys
from collections.abc import Iterator
from typing import Final, Protocol

_NATIVE_HEAD = struct.Struct("=HHI")


class _IoVec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_void_p), ("length", ctypes.c_size_t)]


class _MsgHdr(ctypes.Structure):
    _fields_ = [
        ("name", ctypes.c_void_p),
        ("name_length", ctypes.c_uint32),
        ("iov", ctypes.c_void_p),
        ("iov_length", ctypes.c_size_t),
        ("control", ctypes.c_void_p),
        ("control_length", ctypes.c_size_t),
        ("flags", ctypes.c_int),
    ]


class _MMsgHdr(ctypes.Structure):
    _fields_ = [("header", _MsgHdr), ("length", ctypes.c_uint32)]


_NAME: Final = 16  # sizeof(struct sockaddr_in)
_DONTWAIT: Final = socket.MSG_DONTWAIT


def peer_key(host: str, port: int) -> int:
    """An IPv4 source as the one number by which datagrams are compared; ValueError for anything else."""
    try:
        address = int.from_bytes(socket.inet_aton(host), sys.byteorder)
    except OSError as error:
        raise ValueError(f"not an IPv4 address: {host[:64]!r}") from error
    return int.from_bytes(_NATIVE_HEAD.pack(socket.AF_INET, socket.htons(port), address), sys.byteorder)


def peer_address(key: int) -> tuple[str, int]:
    """Host and port behind `peer_key`."""
    raw = key.to_bytes(8, sys.byteorder)
    return socket.inet_ntoa(raw[4:8]), raw[2] << 8 | raw[3]


def peer_host(key: int) -> int:
    """The host alone, comparable between ports of one machine."""
    return int.from_bytes(key.to_bytes(8, sys.byteorder)[4:8], "big")


class Batch(Protocol):
    """A reused buffer of slots. After `receive` -> n the first n slots hold datagrams."""

    slot: int
    count: int
    buffer: bytearray
    sizes: list[int]
    peers: list[int]

    def receive(self, sock: socket.socket) -> int:
        """Take what is there without waiting; 0 when there is nothing. OSError for a broken socket."""
        ...

    def heads(self, count: int) -> Iterator[tuple[int, int, int, int]]:
        """(first 16 bits, sequence, time stamp, SSRC) of each datagram, as if each were RTP."""
        ...


class _Buffers:
    def __init__(self, count: int, slot: int) -> None:
        self.count = count
        self.slot = slot
        self.buffer = bytearray(count * slot)
        self.sizes: list[int] = []
        self.peers: list[int] = []
        self._view = memoryview(self.buffer)
        self._heads = struct.Struct(f"!HHII{slot - 12}x")

    def heads(self, count: int) -> Iterator[tuple[int, int, int, int]]:
        return self._heads.iter_unpack(self._view[: count * self.slot])


class MmsgBatch(_Buffers):
    """recvmmsg(2)."""

    def __init__(self, count: int = 64, slot: int = 2048) -> None:
        super().__init__(count, slot)
        # PyDLL keeps the interpreter lock: the call never waits, and giving the lock away to the writer thread
        # between two batches costs a switch interval each time.
        library = ctypes.PyDLL(None, use_errno=True)
        self._call = library.recvmmsg
        self._call.argtypes = [ctypes.c_int, ctypes.c_void_p, ctypes.c_uint, ctypes.c_int, ctypes.c_void_p]
        self._call.restype = ctypes.c_int
        data = (ctypes.c_char * len(self.buffer)).from_buffer(self.buffer)
        base = ctypes.addressof(data)
        names = bytearray(count * _NAME)
        name_base = ctypes.addressof((ctypes.c_char * len(names)).from_buffer(names))
        vectors = (_IoVec * count)()
        headers = (_MMsgHdr * count)()
        for index in range(count):
            vectors[index].base = base + index * slot
            vectors[index].length = slot
            header = headers[index].header
            header.name = name_base + index * _NAME
            header.name_length = _NAME
            header.iov = ctypes.addressof(vectors) + index * ctypes.sizeof(_IoVec)
            header.iov_length = 1
        self._headers = headers
        self._address = ctypes.addressof(headers)
        self._kept = (data, names, vectors)  # the kernel writes into them
        words = memoryview(headers).cast("B").cast("I")
        self._lengths = words[_MMsgHdr.length.offset // 4 :: ctypes.sizeof(_MMsgHdr) // 4]
        self._names = memoryview(names).cast("Q")[::2]

    def receive(self, sock: socket.socket) -> int:
        count = self._call(sock.fileno(), self._address, self.count, _DONTWAIT, None)
        if count > 0:
            self.sizes = self._lengths[:count].tolist()
            self.peers = self._names[:count].tolist()
            return count
        if count < 0:
            number = ctypes.get_errno()
            # ECONNREFUSED: an ICMP answer to one of our receiver reports; it says nothing about what we receive.
            if number not in (errno.EAGAIN, errno.EINTR, errno.ECONNREFUSED):
                raise OSError(number, os.strerror(number))
        return 0


class PlainBatch(_Buffers):
    """recvfrom_into in a loop, for systems without recvmmsg."""

    def __init__(self, count: int = 64, slot: int = 2048) -> None:
        super().__init__(count, slot)
        self._slots = [self._view[index * slot : (index + 1) * slot] for index in range(count)]
        self._known: dict[tuple[str, int], int] = {}

    def receive(self, sock: socket.socket) -> int:
        sizes: list[int] = []
        peers: list[int] = []
        known = self._known
        for slot in self._slots:
            try:
                size, address = sock.recvfrom_into(slot, 0, _DONTWAIT)
            except (BlockingIOError, InterruptedError):
                break
            except ConnectionRefusedError:
                continue
            key = known.get(address)
            if key is None:
                if len(known) > 4096:
                    known.clear()
                key = known[address] = peer_key(address[0], address[1])
            sizes.append(size)
            peers.append(key)
        self.sizes, self.peers = sizes, peers
        return len(sizes)


def best_batch(count: int = 64, slot: int = 2048) -> Batch:
    """recvmmsg where the C library has it."""
    try:
        return MmsgBatch(count, slot)
    except (AttributeError, OSError):
        return PlainBatch(count, slot)
