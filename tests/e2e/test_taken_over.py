"""A pipeline that was taken over says to the prober what it likes: that ends the agent, aloud and at
once. The test speaks with a copy of the pipeline's own end of the channel."""
import array
import ctypes
import os
import pathlib
import socket
import struct

import pytest

PIDFD_GETFD = 438
READY = struct.pack("<IIQ", 5, 0, 9464) + bytes(4096)


def end_of_channel(pid):
    """A copy of the only socket by which the process talks to another of the agent."""
    process = os.pidfd_open(pid)
    libc = ctypes.CDLL(None, use_errno=True)
    found = []
    for link in pathlib.Path(f"/proc/{pid}/fd").iterdir():
        if os.readlink(link).startswith("socket:"):
            copy = libc.syscall(PIDFD_GETFD, process, int(link.name), 0)
            assert copy >= 0, os.strerror(ctypes.get_errno())
            end = socket.socket(fileno=copy)
            if end.type == socket.SOCK_SEQPACKET:
                found.append(end)
    os.close(process)
    assert len(found) == 1
    return found[0]


def with_descriptor(end):
    ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [end.fileno()]))]
    end.sendmsg([READY], ancillary)


@pytest.mark.parametrize("say, told", [
    pytest.param(lambda end: end.send(READY), "ready twice", id="ready again"),
    pytest.param(lambda end: end.send(b""), "a malformed message", id="empty"),
    pytest.param(lambda end: end.send(READY[:-1]), "a malformed message", id="cut"),
    pytest.param(with_descriptor, "a malformed message", id="a descriptor"),
    pytest.param(lambda end: end.send(struct.pack("<IIQ", 4, 0, 1) + bytes(4096)),
                 "a message only the prober may send", id="shutdown"),
    pytest.param(lambda end: end.shutdown(socket.SHUT_WR), "stopped listening",
                 id="says no more"),
])
def test_whatever_else_it_says_ends_the_agent(start_agent, nginx, say, told):
    agent = start_agent(ports=[nginx.port])
    with end_of_channel(agent.pipeline_pid()) as end:
        say(end)
        assert agent.process.wait(within=5) == 1
    assert told in agent.log()
