"""Where this machine has its cgroups."""
import contextlib
import pathlib

import pytest


def cgroup2_root():
    """The folder of the unified hierarchy; without one the test skips."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return pathlib.Path(fields[1])
    pytest.skip("no cgroup2 is mounted")


@contextlib.contextmanager
def cpu_quota(percent, name="exa-quota"):
    """A cgroup whose processes get so much of one CPU: adds a process to it by its number."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        _, folder, kind, options = line.split()[:4]
        folder = pathlib.Path(folder)
        if kind == "cgroup" and "cpu" in options.split(","):
            quota, text = "cpu.cfs_quota_us", f"{percent * 1000}"
            break
        if kind == "cgroup2" and "cpu" in (folder / "cgroup.controllers").read_text().split():
            (folder / "cgroup.subtree_control").write_text("+cpu")
            quota, text = "cpu.max", f"{percent * 1000} 100000"
            break
    else:
        pytest.skip("no hierarchy of cgroups has the controller cpu")
    group = folder / name
    group.mkdir()
    try:
        (group / quota).write_text(text)
        yield lambda pid: (group / "cgroup.procs").write_text(str(pid))
    finally:
        for pid in (group / "cgroup.procs").read_text().split():
            (folder / "cgroup.procs").write_text(pid)
        group.rmdir()
