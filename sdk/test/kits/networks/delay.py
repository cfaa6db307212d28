"""A cable between two network namespaces that delays each packet: NAMESPACE DEVICE NAMESPACE DEVICE MILLISECONDS.

Stands in for the kernel's netem. Ends with its input.
"""

import collections
import ctypes
import fcntl
import os
import select
import struct
import sys
import time

CLONE_NEWNET = 0x40000000
TUNSETIFF = 0x400454CA
IFF_TAP_NO_PI = 0x0002 | 0x1000
MOST_WAITING = 2000

libc = ctypes.CDLL(None, use_errno=True)


def tap(namespace, name):
    own = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    if libc.setns(own, CLONE_NEWNET) != 0:
        raise OSError(ctypes.get_errno(), "setns")
    os.close(own)
    device = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(device, TUNSETIFF, struct.pack("16sH", name.encode(), IFF_TAP_NO_PI))
    return device


ends = [tap(sys.argv[1], sys.argv[2]), tap(sys.argv[3], sys.argv[4])]
delay = float(sys.argv[5]) / 1000
waiting = {ends[0]: collections.deque(), ends[1]: collections.deque()}
print("ready", flush=True)

while True:
    dues = [queue[0][0] for queue in waiting.values() if queue]
    rest = max(0, min(dues) - time.monotonic()) if dues else None
    readable, _, _ = select.select([0, *ends], [], [], rest)
    if 0 in readable and not os.read(0, 1):
        break
    for end, other in zip(ends, reversed(ends)):
        if end not in readable:
            continue
        try:
            for _ in range(64):
                packet = os.read(end, 65535)
                # Like any router: what does not fit into the queue is lost.
                if len(waiting[other]) < MOST_WAITING:
                    waiting[other].append((time.monotonic() + delay, packet))
        except OSError:
            pass
    now = time.monotonic()
    for end, queue in waiting.items():
        while queue and queue[0][0] <= now:
            try:
                os.write(end, queue.popleft()[1])
            except OSError:
                pass
