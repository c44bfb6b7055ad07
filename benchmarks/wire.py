"""A long wire between devices and the platform: datagrams are late, unevenly late, and now and then lost.

    python -m benchmarks.wire --near 127.0.0.9 --ports 5060,10000 --delay-ms 400 --jitter-ms 50 --loss 0.001

A relay in userspace: it listens on the near address at the same port numbers that the platform has on the far one,
and carries both directions, signalling and media alike. Each peer gets an upstream socket of its own, as behind NAT.
A datagram takes the delay plus an even draw from [0, jitter]. In order (the default), a datagram never overtakes the
one before it, as in the queue of a router; with `--reorder` each goes its own way. Prints one line when it is ready,
and one JSON object with what it carried when its standard input ends.
"""

from __future__ import annotations

import argparse
import heapq
import itertools
import json
import random
import select
import socket
import sys
import time
from dataclasses import dataclass


@dataclass(slots=True)
class Way:
    """One direction of one peer: where its datagrams leave, and when the last one does."""

    out: socket.socket
    to: tuple[str, int] | None
    last: float = 0.0


class Wire:
    """See the module."""

    def __init__(self, near: str, far: str, ports: list[int], options: argparse.Namespace) -> None:
        self.far, self.options = far, options
        self.dice = random.Random(options.seed)
        self.epoll = select.epoll()
        self.listening: dict[int, socket.socket] = {}
        self.back: dict[int, tuple[socket.socket, Way]] = {}
        self.ways: dict[tuple[int, tuple[str, int]], Way] = {}
        self.waiting: list[tuple[float, int, Way, bytes]] = []
        self.number = itertools.count()
        self.carried = self.lost = 0
        for port in ports:
            one = _socket((near, port))
            self.listening[one.fileno()] = one
            self.epoll.register(one, select.EPOLLIN)

    def take(self, way: Way, data: bytes) -> None:
        """Onto the wire with it, or away."""
        options, now = self.options, time.monotonic()
        if self.dice.random() < options.loss:
            self.lost += 1
            return
        due = now + (options.delay_ms + self.dice.random() * options.jitter_ms) / 1000
        if not options.reorder:
            due = way.last = max(due, way.last)
        heapq.heappush(self.waiting, (due, next(self.number), way, data))

    def way(self, fd: int, peer: tuple[str, int]) -> Way:
        """From this peer to the platform; made at its first datagram."""
        way = self.ways.get((fd, peer))
        if way is None:
            near = self.listening[fd]
            upstream = _socket((self.far, 0))
            way = self.ways[fd, peer] = Way(upstream, (self.far, near.getsockname()[1]))
            self.back[upstream.fileno()] = (upstream, Way(near, peer))
            self.epoll.register(upstream, select.EPOLLIN)
        return way

    def run(self) -> None:
        """Until standard input ends."""
        self.epoll.register(sys.stdin.fileno(), select.EPOLLIN | select.EPOLLHUP)
        while True:
            pause = self.waiting[0][0] - time.monotonic() if self.waiting else 1.0
            for fd, _ in self.epoll.poll(max(0.0, pause)):
                if fd == sys.stdin.fileno():
                    return
                self.read(fd)
            now = time.monotonic()
            while self.waiting and self.waiting[0][0] <= now:
                _, _, way, data = heapq.heappop(self.waiting)
                self.carried += 1
                try:
                    way.out.sendto(data, way.to)  # type: ignore[arg-type]
                except OSError:
                    self.lost += 1

    def read(self, fd: int) -> None:
        """All that is there."""
        while True:
            try:
                if fd in self.listening:
                    data, peer = self.listening[fd].recvfrom(65_536)
                    self.take(self.way(fd, peer), data)
                else:
                    upstream, way = self.back[fd]
                    self.take(way, upstream.recv(65_536))
            except BlockingIOError:
                return
            except OSError:
                continue  # an ICMP answer to something sent earlier


def _socket(address: tuple[str, int]) -> socket.socket:
    one = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
    one.setblocking(False)
    one.bind(address)
    return one


def main() -> None:
    """Carry until standard input ends."""
    parser = argparse.ArgumentParser(prog="benchmarks.wire")
    parser.add_argument("--near", default="127.0.0.9")
    parser.add_argument("--far", default="127.0.0.1")
    parser.add_argument("--ports", required=True)
    parser.add_argument("--delay-ms", type=float, default=400)
    parser.add_argument("--jitter-ms", type=float, default=50)
    parser.add_argument("--loss", type=float, default=0.001)
    parser.add_argument("--reorder", action="store_true")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    wire = Wire(options.near, options.far, [int(port) for port in options.ports.split(",")], options)
    print("ready", flush=True)
    wire.run()
    print(json.dumps({"carried": wire.carried, "lost": wire.lost}), flush=True)


if __name__ == "__main__":
    main()
