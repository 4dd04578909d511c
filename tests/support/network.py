"""A network of its own for a test, in which packets can be lost."""
import contextlib
import ctypes
import os
import re
import shutil
import subprocess

import pytest

CLONE_NEWNET = 0x40000000
THIS = "/proc/thread-self/ns/net"
libc = ctypes.CDLL(None, use_errno=True)


def _check(result):
    if result != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


class Network:
    """A loopback. Within inside(), it is that of this thread and of what it starts."""

    def __init__(self):
        for program in ("ip", "iptables"):
            if shutil.which(program) is None:
                pytest.skip(f"{program} is not installed: scripts/setup")
        outside = os.open(THIS, os.O_RDONLY)
        try:
            _check(libc.unshare(CLONE_NEWNET))
            self._own = os.open(THIS, os.O_RDONLY)
            subprocess.run(["ip", "link", "set", "lo", "up"], check=True)
        finally:
            _check(libc.setns(outside, CLONE_NEWNET))
            os.close(outside)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.close(self._own)

    @contextlib.contextmanager
    def inside(self):
        outside = os.open(THIS, os.O_RDONLY)
        _check(libc.setns(self._own, CLONE_NEWNET))
        try:
            yield
        finally:
            _check(libc.setns(outside, CLONE_NEWNET))
            os.close(outside)

    def tells(self, which, pattern):
        """The sum of what the kernel tells, as `ss --info` prints it, of the sockets that its filter
        matches."""
        with self.inside():
            told = subprocess.run(["ss", "-tinH", which], check=True, capture_output=True, text=True)
        return sum(map(int, re.findall(pattern, told.stdout)))

    def sent_again(self, which):
        return self.tells(which, r"retrans:\d+/(\d+)")

    def receiver_limited_ms(self, which):
        return self.tells(which, r"rwnd_limited:(\d+)ms")

    @contextlib.contextmanager
    def lost_packets(self, *which):
        """Those that iptables matches so do not arrive while the block runs."""
        rule = ["INPUT", "--protocol", "tcp", *map(str, which), "--jump", "DROP"]
        with self.inside():
            subprocess.run(["iptables", "--append", *rule], check=True)
        try:
            yield
        finally:
            with self.inside():
                subprocess.run(["iptables", "--delete", *rule], check=True)
