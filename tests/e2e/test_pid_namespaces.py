"""An agent whose PID namespace is not the host's: on a node that is itself a container."""
import os
import subprocess

import pytest

from support import tls
from support.agent import binary
from support.load import curl
from support.pid_namespace import PidNamespace, numbers_of, stop_inside
from support.process import child_of
from support.report import CLIENT, SERVER
from support.servers import Nginx


@pytest.fixture
def node():
    with PidNamespace() as namespace:
        yield namespace


@pytest.fixture
def pod(node):
    """A container on the node."""
    with PidNamespace(node.prefix) as namespace:
        yield namespace


def test_processes_of_the_node_and_its_pods_are_observed(start_agent, node, pod, tmp_path):
    inside = Nginx(tmp_path / "node", prefix=node.prefix)
    below = Nginx(tmp_path / "pod", prefix=pod.prefix)
    with Nginx(tmp_path / "outside") as outside:
        agent = start_agent(ports=[inside.port, below.port, outside.port], wrapper=node.prefix)
        curl(*[f"{inside.url}/ok"] * 5, *[f"{below.url}/ok"] * 6, *[f"{outside.url}/ok"] * 7)
        curl(*[f"{outside.url}/ok"] * 3, prefix=pod.prefix)
        agent.wait_for_count(SERVER, 11, "nginx")
        agent.wait_for_count(CLIENT, 3, "curl", **{"server.port": outside.port})
        report = agent.wait_for_windows(1)
        assert report.count(SERVER) == 11 and report.count(CLIENT) == 3
        assert agent.scrape().sum("exemplar_agent_kernel_filtered_total", reason="process") >= 30
        counts = {series["resource"]["process.pid"]: series["count"]
                  for series in report.series(SERVER, "nginx")}
        in_node, in_pod = (numbers_of(child_of(child_of(server.pid))) for server in (inside, below))
        assert (len(in_node), len(in_pod)) == (2, 3), "one and two namespaces below this one"
        assert counts == {in_node[1]: 5, in_pod[1]: 6}, "by their numbers on the node"
        stop_inside(agent)


def test_an_agent_in_a_container_sees_that_container_alone(start_agent, node, pod, tmp_path):
    around = Nginx(tmp_path / "node", prefix=node.prefix)
    inside = Nginx(tmp_path / "pod", prefix=pod.prefix)
    agent = start_agent(ports=[around.port, inside.port], wrapper=pod.prefix)
    curl(*[f"{around.url}/ok"] * 5, *[f"{inside.url}/ok"] * 6, prefix=node.prefix)
    agent.wait_for_count(SERVER, 6, "nginx")
    report = agent.wait_for_windows(1)
    assert report.count(SERVER) == 6 and report.count(CLIENT) == 0
    stop_inside(agent)


def test_encrypted_connections_of_pods_are_read(start_agent, node, pod, tmp_path):
    with tls.nginx(tmp_path, tls.Certificate(tmp_path)) as outside:
        agent = start_agent(ports=[outside.port], wrapper=node.prefix)
        tls.wait_for_probes(agent)
        curl("--insecure", *[f"{outside.url}/ok"] * 4)
        curl("--insecure", *[f"{outside.url}/ok"] * 6, prefix=pod.prefix)
        agent.wait_for_count(CLIENT, 6, "curl", **{"url.scheme": "https"})
        report = agent.wait_for_windows(1)
        assert report.count(SERVER) == 0 and report.count(CLIENT) == 6
        stop_inside(agent)


def test_check_tells_whose_processes_are_seen(node):
    def check(*prefix):
        return subprocess.run([*prefix, binary(), "check"], capture_output=True, text=True,
                              check=True, timeout=20).stdout
    assert "--pid=host" in check(*node.prefix)
    assert "--pid=host" not in check()
