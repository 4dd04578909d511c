"""Who is observed, and under which name: by flags, by file, by environment."""
import json
import os

import pytest

from support import tls
from support.cgroups import cgroup2_root
from support.load import curl
from support.otlp_backend import OtlpBackend
from support.report import CLIENT, SERVER
from support.servers import Nginx
from support.waiting import eventually


def test_only_included_programs_are_counted(start_agent, nginx):
    agent = start_agent("--include-exe", "*/nginx", ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 5)
    agent.wait_for_count(SERVER, 5, "nginx")
    report = agent.wait_for_windows(1)
    assert report.count(CLIENT) == 0


def test_excluded_programs_are_not_counted(start_agent, nginx):
    agent = start_agent("--exclude-exe", "*/curl", ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 5)
    agent.wait_for_count(SERVER, 5, "nginx")
    report = agent.wait_for_windows(1)
    assert report.count(CLIENT) == 0


def test_an_excluded_port_is_not_counted(start_agent, nginx, tmp_path):
    with Nginx(tmp_path / "other") as other:
        agent = start_agent("--exclude-port", nginx.port)
        curl(*[f"{nginx.url}/ok"] * 5, *[f"{other.url}/ok"] * 4)
        report = agent.wait_for_count(CLIENT, 4, "curl", **{"server.port": other.port})
    assert report.count(CLIENT, **{"server.port": nginx.port}) == 0


def test_names_by_configuration(start_agent, nginx):
    config = f"""\
targets:
  include:
    port: [{nginx.port}]
  service_names:
    "*/nginx": shop-front
  resource:
    team: payments
exemplars:
  budget: 50
"""
    agent = start_agent(config=config)
    curl(*[f"{nginx.url}/ok"] * 5)
    series, = agent.wait_for_count(SERVER, 5, "nginx").series(SERVER, "nginx")
    assert series["service"] == "shop-front"
    assert series["resource"]["team"] == "payments"


def test_the_endpoint_of_the_environment(start_agent, nginx):
    with OtlpBackend() as backend:
        agent = start_agent(ports=[nginx.port], env=dict(
            os.environ, OTEL_EXPORTER_OTLP_ENDPOINT=backend.url,
            OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test"))
        curl(*[f"{nginx.url}/ok"] * 5)
        eventually(lambda: backend.count(SERVER) == 5 and backend.spans(), what="OTLP")
        assert agent.stop() == 0


def test_the_agent_does_not_observe_itself(start_agent, nginx):
    """Its exports are HTTP, too."""
    with OtlpBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url,
                            ports=[nginx.port, backend.server.server_port])
        curl(*[f"{nginx.url}/ok"] * 5)
        eventually(lambda: backend.count(SERVER) >= 5 and backend.spans(), what="OTLP")
        report = agent.wait_for_windows(2)
        assert report.count(CLIENT, "exemplar-agent") == 0
        assert agent.stop() == 0


def test_only_included_ports_are_counted_of_encrypted_connections_too(start_agent, tmp_path):
    certificate = tls.Certificate(tmp_path)
    (tmp_path / "other").mkdir()
    with tls.nginx(tmp_path, certificate) as wanted, \
            tls.nginx(tmp_path / "other", certificate) as other:
        agent = start_agent(ports=[wanted.port])
        tls.wait_for_probes(agent)
        curl("--insecure", *[f"{other.url}/ok"] * 5)
        curl("--insecure", *[f"{wanted.url}/ok"] * 7)
        for metric, program in ((SERVER, "nginx"), (CLIENT, "curl")):
            agent.wait_for_count(metric, 7, program)
        report = agent.wait_for_windows(1)
        assert report.count(SERVER) == report.count(CLIENT) == 7
        assert agent.scrape().sum("exemplar_agent_kernel_tls_filtered_total", reason="port") >= 20


@pytest.fixture
def docker_container(tmp_path):
    """What Docker leaves of a container on a host: a cgroup of the container's id, and a file of
    root's that names it. Gives the folder of the engine and a prefix that starts a program there."""
    identity = f"{os.getpid():064x}"
    engine = tmp_path / "docker"
    config = engine / "containers" / identity / "config.v2.json"
    config.parent.mkdir(parents=True)
    config.write_text(json.dumps({"Name": "/shop-edge-1", "Config": {
        "Image": "nginx:1.27", "Labels": {"com.docker.compose.service": "edge",
                                          "com.docker.compose.project": "shop"}}}))
    config.chmod(0o600)
    cgroup = cgroup2_root() / f"docker-{identity}.scope"
    cgroup.mkdir()
    enter = f'echo $$ > {cgroup}/cgroup.procs && exec "$@"'
    yield engine, ("sh", "-c", enter, "sh")
    eventually(lambda: not (cgroup / "cgroup.procs").read_text(), what="the end of the container")
    cgroup.rmdir()


@pytest.mark.parametrize("agent_first", [True, False])
def test_a_container_has_the_names_of_its_engine(start_agent, tmp_path, docker_container,
                                                 agent_first):
    engine, inside = docker_container
    config = f"containers: {{docker: {engine}}}"
    agent = start_agent(config=config) if agent_first else None
    with Nginx(tmp_path / "edge", prefix=inside) as nginx:
        agent = agent or start_agent(config=config)
        curl(*[f"{nginx.url}/ok"] * 5)
        series, = agent.wait_for_count(SERVER, 5, "nginx").series(SERVER, "nginx")
    resource = series["resource"]
    assert series["service"] == "edge"
    assert resource["container.name"] == "shop-edge-1"
    assert resource["container.image.name"] == "nginx"
    assert resource["service.namespace"] == "shop"
