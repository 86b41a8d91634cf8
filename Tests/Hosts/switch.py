#!/usr/bin/env python3
"""A network switch in a program: hosts in network namespaces, with the delay and the rate of real links.

    switch.py --delay 0.5 --rate 100 NAMESPACE=ADDRESS/BITS …

Makes an interface `nic` in each namespace (as root), prints "ready" and forwards frames until it is
killed; the interfaces vanish with it. A frame needs the delay, in milliseconds, from one host to another.
What a host sends, and what it receives, is no faster than the rate, in Mbit/s; 0 is no limit. The kernel's
own means, netem, is missing in many kernels, and limits only what is sent.
"""
import argparse
import fcntl
import heapq
import os
import select
import struct
import subprocess
import time
from ctypes import CDLL, get_errno

TUNSETIFF, TUNSETOFFLOAD, TUNSETVNETHDRSZ = 0x400454CA, 0x400454D0, 0x400454D8
TAP, NO_PACKET_INFO, HEADER = 0x0002, 0x1000, 0x4000
CHECKSUM, SEGMENTS = 0x01, 0x02
CLONE_NEWNET = 0x40000000
# What comes before the Ethernet frame: how the kernel may cut a large frame into packets.
HEADER_SIZE = 10
# The bytes of a packet on the wire, and how much of them is not of the IP packet.
PACKET, OVERHEAD = 1500, 38
# How far ahead frames are taken from a host, in seconds; the others wait in the host.
AHEAD = 0.005


def enter(namespace):
    if CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(get_errno(), "cannot enter a network namespace")


def interface(name, address):
    """A new interface of a namespace, as a file of frames."""
    with open("/proc/self/ns/net") as own, open(f"/run/netns/{name}") as namespace:
        enter(namespace.fileno())
        try:
            file = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
            flags = TAP | NO_PACKET_INFO | HEADER
            fcntl.ioctl(file, TUNSETIFF, struct.pack("16sH22x", b"nic", flags))
            fcntl.ioctl(file, TUNSETVNETHDRSZ, struct.pack("i", HEADER_SIZE))
            fcntl.ioctl(file, TUNSETOFFLOAD, CHECKSUM | SEGMENTS)
        finally:
            enter(own.fileno())
    for command in (["addr", "add", address, "dev", "nic"], ["link", "set", "nic", "up"],
                    ["link", "set", "lo", "up"]):
        subprocess.run(["ip", "-n", name] + command, check=True)
    return file


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--delay", type=float, default=0.5)
    parser.add_argument("--rate", type=float, default=100)
    parser.add_argument("hosts", nargs="+")
    args = parser.parse_args()
    ports = [interface(*host.split("=")) for host in args.hosts]
    delay, rate = args.delay / 1e3, args.rate * 1e6 / 8
    # Until when each link is taken, in both directions.
    sending, receiving = [0.0] * len(ports), [0.0] * len(ports)
    # Which port an Ethernet address is behind.
    known = {}
    waiting, number = [], 0
    # The links keep their rate while the hosts compute.
    os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(10))
    print("ready", flush=True)

    while True:
        now = time.monotonic()
        while waiting and waiting[0][0] <= now:
            _, _, port, frame = heapq.heappop(waiting)
            try:
                os.write(ports[port], frame)
            except OSError:
                pass  # The host does not take it, because its link is down.
        free = [port for port in range(len(ports)) if sending[port] - now < AHEAD]
        times = [sending[port] - AHEAD - now for port in range(len(ports)) if port not in free]
        times += [waiting[0][0] - now] if waiting else []
        # A millisecond is the poll's unit; select has microseconds.
        ready, _, _ = select.select(
            [ports[port] for port in free], [], [], max(0, min(times)) if times else None)
        now = time.monotonic()
        for file in ready:
            port = ports.index(file)
            try:
                frame = os.read(file, 1 << 17)
            except OSError:
                continue
            size = len(frame) - HEADER_SIZE
            size += OVERHEAD * (1 + size // PACKET)
            seconds = size / rate if rate else 0
            sending[port] = max(now, sending[port]) + seconds
            to, source = frame[HEADER_SIZE:HEADER_SIZE + 6], frame[HEADER_SIZE + 6:HEADER_SIZE + 12]
            known[source] = port
            others = [other for other in range(len(ports)) if other != port]
            for other in [known[to]] if to in known else others:
                # The last bit arrives no sooner than it was sent, and than the link had time for all.
                receiving[other] = max(sending[port] + delay, receiving[other] + seconds)
                number += 1
                heapq.heappush(waiting, (receiving[other], number, other, frame))


if __name__ == "__main__":
    main()
