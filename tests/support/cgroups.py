"""Where this machine has its cgroups."""
import pathlib

import pytest


def cgroup2_root():
    """The folder of the unified hierarchy; without one the test skips."""
    for line in pathlib.Path("/proc/self/mounts").read_text().splitlines():
        fields = line.split()
        if fields[2] == "cgroup2":
            return pathlib.Path(fields[1])
    pytest.skip("no cgroup2 is mounted")
