"""Fixtures: one real node for all tests of this folder, which run in the order of their files. A node
that was up before is used and kept; otherwise the last test takes it down."""
import os
import re
import shutil
import subprocess

import pytest

from support.agent import ROOT
from support.cluster import NODE_IP, Cluster, InstalledAgent, Load
from support.sink_process import SinkProcess

APPLICATION = "localhost/exemplar-agent-cluster-app:1"
CURL = "curlimages/curl:8.10.1"  # as values.yaml has it
IMAGES = ROOT / "tests/cluster/images"


def pytest_collection_modifyitems(items):
    for item in items:
        item.add_marker(pytest.mark.timeout(600))


def why_not():
    if os.geteuid() != 0:
        return "needs root"
    if shutil.which("podman") is None:
        return "no podman"
    return "; ".join(Cluster().missing())


def build_image(tag, *arguments):
    subprocess.run(["podman", "build", "--quiet", "--isolation", "chroot", "--network", "host",
                    "--pull=never", "--tag", tag, *arguments, IMAGES],
                   check=True, stdout=subprocess.DEVNULL)


@pytest.fixture(scope="session")
def cluster():
    """The node, with the images of the tests on it, the applications and no agent."""
    reason = why_not()
    if reason:
        pytest.skip(reason)
    node = Cluster()
    subprocess.run([ROOT / "scripts/image", "--base-only"], check=True)
    build_image(APPLICATION)
    build_image(CURL, "--file", IMAGES / "curl.Dockerfile")
    node.call("up", within=300)
    node.call("load", APPLICATION, CURL, within=300)
    node.helm("uninstall", "exemplar-agent", "-n", "observability", "--wait", check=False)
    node.kubectl("delete", "namespace", "shop", "observability", "--ignore-not-found", within=180)
    node.kubectl("apply", "-f", ROOT / "tests/cluster/manifests.yaml")
    node.kubectl("wait", "pods", "--all", "-n", "shop", "--for=condition=Ready",
                 "--timeout=120s", within=150)
    return node


@pytest.fixture(scope="session")
def agent(cluster):
    """The release, installed by the first test; by this, when that test is left out."""
    if "exemplar-agent" not in cluster.helm("list", "-q", "-n", "observability"):
        chart = cluster.helm("show", "chart", "helm/exemplar-agent")
        version = re.search(r'^appVersion: "?([0-9.]+)', chart, re.M).group(1)
        cluster.call("load", f"exemplar-agent:{version}", within=300)
        cluster.helm("install", "exemplar-agent", "helm/exemplar-agent", "-n", "observability",
                     "--create-namespace")
    return InstalledAgent(cluster)


@pytest.fixture(scope="session")
def sink(cluster, tmp_path_factory):
    running = SinkProcess(cluster.inside, NODE_IP, tmp_path_factory.mktemp("sink"))
    yield running
    running.stop()


@pytest.fixture(scope="session")
def settings(sink):
    """Values with which every request to a pod shows at the sink soon, and nothing else of this
    machine."""
    return ["--set", f"otlp.endpoint={sink.url}", "--set", "config.window=1s",
            "--set", "config.exemplars.floor=1", "--set", "config.exemplars.budget=1000",
            "--set", "config.targets.include.cgroup={/exemplar-cluster}"]


@pytest.fixture
def load(cluster, tmp_path):
    """load(url, rate=20): requests until the end of its `with`."""
    return lambda url, **options: Load(cluster, tmp_path, url, **options)
