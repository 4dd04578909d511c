"""Uninstalling the chart and ending the node leave nothing behind."""
import os
import pathlib

import pytest

from support import bpf_objects
from support.waiting import eventually

KEPT = os.environ.get("EXA_KEEP_CLUSTER")


def test_uninstall_leaves_nothing(cluster, agent):
    # given what the agent holds in the kernel
    held = bpf_objects.held_by(pid for pid in cluster.pids_in(agent.pod()))
    assert held["prog"] and held["map"] and held["link"]

    # when the chart is uninstalled
    cluster.helm("uninstall", agent.name, "-n", agent.namespace, "--wait", "--timeout", "60s")

    # then no program, map or link of it is left, and no object of the cluster
    for kind, ids in held.items():
        eventually(lambda kind=kind, ids=ids: not ids & bpf_objects.existing(kind), within=10,
                   what=f"the end of every {kind}")
    kinds = cluster.kubectl("api-resources", "--verbs=list", "-o", "name").split()

    def nothing_left():
        left = cluster.kubectl("get", ",".join(kinds), "--all-namespaces", "-o", "name",
                               "-l", f"app.kubernetes.io/instance={agent.name}")
        assert left == ""
        return True

    eventually(nothing_left, within=30)  # the pod ends in its own time


@pytest.mark.skipif(bool(KEPT), reason="EXA_KEEP_CLUSTER is set")
def test_down_leaves_nothing(cluster):
    # given the node, its namespaces and all its processes
    from cluster.node import Node
    node = Node(cluster.script.parent.parent)
    members = node.members() | set(node.running().values())
    made_folders = (node.folder / "made").read_text().split()
    assert len(members) > 20

    # when it is taken down
    cluster.call("down", within=120)

    # then no process, namespace, mount, link, cgroup or file of it is left
    assert not [pid for pid in members if is_alive(pid)]
    eventually(no_process_of_its_cgroups, within=10)  # what was ended waits for init to reap it
    assert str(node.folder) not in pathlib.Path("/proc/self/mounts").read_text()
    assert "node0" not in os.listdir("/sys/class/net")
    assert not [folder for folder in [node.folder, *made_folders] if os.path.exists(folder)]
    assert not [folder for folder in node.cgroups() if folder.exists()]


def no_process_of_its_cgroups():
    for entry in pathlib.Path("/proc").glob("[0-9]*/cgroup"):
        try:
            assert "exemplar-cluster" not in entry.read_text(), entry
        except OSError:
            pass  # ended meanwhile
    return True


def is_alive(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False
