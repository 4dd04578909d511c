"""A PID namespace as a container has one, or a node that is itself a container (kind, minikube)."""
import os
import pathlib
import signal
import subprocess

from support.accounting import assert_identities
from support.process import child_of
from support.waiting import eventually


def numbers_of(pid):
    """The numbers of a process in each PID namespace it is in, this one first."""
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("NSpid:"):
            return [int(number) for number in line.split()[1:]]
    raise AssertionError(f"no NSpid of {pid}")


class PidNamespace:
    """Lasts for a block, and all its processes with it. prefix starts a program in it, with a /proc
    of its own, as the child of a process that waits; with that of another namespace this one is
    inside that."""

    def __init__(self, prefix=()):
        self._holder = subprocess.Popen(
            [*prefix, "unshare", "--pid", "--fork", "--mount-proc", "sleep", "infinity"],
            stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self._first = eventually(self._sleeper, what="the namespace")
        self.prefix = ("nsenter", f"--target={self._first}", "--pid", "--mount", "--root")

    def _sleeper(self):
        pid = self._holder.pid
        while pathlib.Path(f"/proc/{pid}/comm").read_text() != "sleep\n":
            pid = child_of(pid)
        return pid

    def __enter__(self):
        return self

    def __exit__(self, *_):
        os.kill(self._first, signal.SIGKILL)
        self._holder.wait(timeout=10)


def stop_inside(agent):
    """Ends an agent that was started with a prefix: the signal must reach it, and not what brought
    it into its namespace."""
    assert_identities(agent)
    os.kill(child_of(agent.pid), signal.SIGTERM)
    assert agent.process.wait() == 0, agent.log()
