"""A process is in the container that its cgroup in the kernel says, whatever it mounts or names itself
elsewhere."""
import contextlib
import pathlib
import subprocess
import sys

import pytest

from support.cgroups import cgroup2_root
from support.report import CLIENT
from support.waiting import eventually

IDENTITY = "c0ffee" + 58 * "0"


def controller_root():
    """The folder of a hierarchy of version 1 with a controller; without one the test skips."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, options = line.split()[:4]
        if kind == "cgroup" and "pids" in options.split(","):
            return pathlib.Path(folder)
    pytest.skip("no hierarchy of version 1 is mounted")


@contextlib.contextmanager
def cgroup(path):
    made = [folder for folder in reversed([path, *path.parents]) if not folder.exists()]
    path.mkdir(parents=True, exist_ok=True)
    try:
        yield path
    finally:
        eventually(lambda: not (path / "cgroup.procs").read_text(), what="the end of its processes")
        for folder in reversed(made):
            folder.rmdir()


ASK = "import sys, urllib.request; urllib.request.urlopen(sys.argv[1]).read(); sys.stdin.read()"


@contextlib.contextmanager
def asker(url, *prefix):
    """A client that asks once and stays, so that it can be looked at."""
    process = subprocess.Popen([*prefix, sys.executable, "-c", ASK, url], stdin=subprocess.PIPE)
    try:
        yield
    finally:
        process.stdin.close()
        process.wait(timeout=20)


def test_no_other_hierarchy_names_a_container(start_agent, nginx):
    with (cgroup(controller_root() / "docker" / IDENTITY) as forged,
          cgroup(cgroup2_root() / "system.slice" / "exa-own.service") as own):
        agent = start_agent(ports=[nginx.port])
        enter = f'echo $$ > {forged}/cgroup.procs && echo $$ > {own}/cgroup.procs && exec "$@"'
        with asker(f"{nginx.url}/ok", "sh", "-c", enter, "sh"):
            series, = agent.wait_for_count(CLIENT, 1).series(CLIENT)
    assert series["service"] == "exa-own"
    assert "container.id" not in series["resource"]


def test_what_a_process_mounts_over_its_cgroup_is_not_believed(start_agent, nginx, tmp_path):
    forged = tmp_path / "cgroup"
    forged.write_text(f"0::/system.slice/docker-{IDENTITY}.scope\n")
    agent = start_agent(ports=[nginx.port])
    mount = f'mount --bind {forged} /proc/$$/cgroup && exec "$@"'
    trick = ("unshare", "--mount", "sh", "-c", mount, "sh")
    shown = subprocess.run([*trick, "cat", "/proc/self/cgroup"], check=True, capture_output=True,
                           text=True, timeout=20).stdout
    assert shown == forged.read_text(), "for the process itself the trick works"
    with asker(f"{nginx.url}/ok", *trick):
        series, = agent.wait_for_count(CLIENT, 1).series(CLIENT)
    assert "container.id" not in series["resource"]
