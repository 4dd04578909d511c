"""The package on a whole system that systemd runs: installed, started, used, upgraded, removed, with
the commands of the README and in the sandbox of its unit."""
import os
import re
import subprocess

import pytest

from support import bpf_objects
from support.agent import ROOT, binary
from support.machine import Machine
from support.metrics_page import OPENMETRICS, MetricsPage
from support.sink_process import SinkProcess
from support.tls import Certificate
from support.waiting import eventually

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="needs root")

UNIT = "exemplar-agent.service"
TRACE = "00-{}-00f067aa0ba902b7-01"
COUNT = "http_server_request_duration_seconds_count"


def readme_commands():
    """What a reader copies; run by root, without sudo."""
    section = (ROOT / "README.md").read_text().split("\n## On a host\n")[1].split("\n## ")[0]
    block, = re.findall(r"^```\n(.*?)^```$", section, re.S | re.M)
    return [line.replace("sudo ", "") for line in block.splitlines()]


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    folder = tmp_path_factory.mktemp("machine")
    with Machine(folder) as running:
        packages = running.path("/srv/build/package")
        packages.mkdir(parents=True)
        subprocess.run([ROOT / "scripts/package", binary(), packages], check=True,
                       stdout=subprocess.DEVNULL)
        running.path("/etc/apt/apt.conf.d/yes").write_text('APT::Get::Assume-Yes "true";\n')
        certificate = Certificate(running.path("/etc/nginx"))
        running.path("/etc/nginx/conf.d/tls.conf").write_text(
            "server { listen 443 ssl; location / { return 200 ok; }\n"
            f"ssl_certificate /etc/nginx/{certificate.certificate.name};\n"
            f"ssl_certificate_key /etc/nginx/{certificate.key.name}; }}\n")
        yield running


@pytest.fixture(scope="module")
def sink(machine, tmp_path_factory):
    running = SinkProcess(machine.beside, "127.0.0.1", tmp_path_factory.mktemp("sink"))
    yield running
    running.stop()


def show(machine, *properties):
    said = machine.must("systemctl", "show", UNIT, *(f"--property={one}" for one in properties))
    return dict(line.split("=", 1) for line in said.splitlines())


def page(machine):
    return MetricsPage(machine.must("curl", "-sf", "-H", f"Accept: {OPENMETRICS}",
                                    "http://127.0.0.1:9464/metrics"))


def wait_until_ready(machine):
    eventually(lambda: machine.run("curl", "-sf", "http://127.0.0.1:9464/readyz").returncode == 0,
               within=20, what="the agent")


def journal(machine):
    return machine.must("journalctl", "--unit", UNIT, "--no-pager", "--output=cat")


def test_the_commands_of_the_readme_install_and_start_it(machine, sink):
    package, *commands, look = readme_commands()
    assert package.startswith("scripts/package") and look.startswith("curl")
    for command in commands:
        if "systemctl" in command:  # the service begins with these
            with machine.path("/etc/default/exemplar-agent").open("a") as secrets:
                secrets.write(f"OTEL_EXPORTER_OTLP_ENDPOINT={sink.url}\n")
        machine.must("bash", "-c", command, within=120)
    wait_until_ready(machine)
    assert show(machine, "ActiveState", "UnitFileState") == {
        "ActiveState": "active", "UnitFileState": "enabled"}
    machine.must("systemctl", "start", "nginx")
    machine.must("curl", "-sf", "http://127.0.0.1/")
    said = eventually(lambda: machine.run("bash", "-c", look).stdout, within=25)
    assert 'job="nginx"' in said, "a service has the name of its unit"


def test_in_its_sandbox_it_reads_plain_and_encrypted_requests(machine, sink):
    machine.must("systemd-run", "--unit=shop", "python3", "-m", "http.server", "8080")
    services = {"shop": "http://127.0.0.1:8080/", "nginx": "https://127.0.0.1/"}
    # Not by a request, which could be the slowest of its window.
    eventually(lambda: machine.run("bash", "-c", "true </dev/tcp/127.0.0.1/8080").returncode == 0,
               what="the shop")
    eventually(lambda: machine.run("exemplar-agent", "status").returncode == 0, within=20,
               what="its TLS probes")
    traces = {name: f"{number:032x}" for number, name in enumerate(services, 0xfeed)}
    for name, url in services.items():
        machine.must("curl", "-skf", "-H", f"traceparent: {TRACE.format(traces[name])}", url)

    def served():
        spans = sink.spans("0" * 28)
        assert len(spans) >= 4, "\n".join([
            "a span of server and client each:", *map(str, spans),
            machine.must("exemplar-agent", "status"), journal(machine)])
        return [span for span in spans if span["kind"] == 2]

    spans = eventually(served, within=25)
    assert {span["trace_id"]: span["resource"]["service.name"] for span in spans} == {
        trace: name for name, trace in traces.items()}
    assert "exemplar-agent" not in machine.must("exemplar-agent", "status"), "it tells of others"


def test_nothing_that_it_does_is_refused(machine):
    assert not re.findall(r".*(?:warn|error|not permitted|denied).*", journal(machine))
    exposure = machine.must("systemd-analyze", "security", "--no-pager", UNIT).splitlines()[-1]
    assert float(re.search(r"(\d+\.\d+)", exposure)[1]) <= 3.0, exposure


def test_a_reload_keeps_the_process(machine):
    before = show(machine, "MainPID")
    machine.must("systemctl", "reload", UNIT)
    eventually(lambda: "configuration reloaded" in journal(machine), what="the reload")
    assert show(machine, "MainPID") == before


def test_a_killed_agent_comes_back(machine):
    machine.must("systemctl", "kill", "--signal=KILL", "--kill-whom=main", UNIT)
    eventually(lambda: show(machine, "NRestarts")["NRestarts"] == "1", within=20)
    wait_until_ready(machine)
    machine.must("curl", "-sf", "http://127.0.0.1/")
    eventually(lambda: page(machine).sum(COUNT, job="nginx") == 1, within=25)


def test_an_upgrade_keeps_settings_and_starts_the_new_program(machine):
    secrets = machine.path("/etc/default/exemplar-agent").read_text()
    before = show(machine, "MainPID")
    machine.must("bash", "-c", "apt-get install --reinstall ./build/package/*.deb", within=120)
    wait_until_ready(machine)
    assert show(machine, "MainPID") != before
    assert machine.path("/etc/default/exemplar-agent").read_text() == secrets


def test_it_stops_in_time_and_leaves_nothing_in_the_kernel(machine):
    held = bpf_objects.held_by(machine.processes_of(UNIT))
    assert all(held.values()), held
    machine.must("systemctl", "stop", UNIT, within=15)
    assert show(machine, "Result", "ExecMainStatus") == {"Result": "success", "ExecMainStatus": "0"}
    for kind, ids in held.items():
        eventually(lambda: not ids & bpf_objects.existing(kind), what=f"no {kind} of it")


def test_purged_it_is_gone(machine):
    machine.must("systemctl", "start", UNIT)
    wait_until_ready(machine)
    machine.must("apt-get", "purge", "exemplar-agent", within=120)
    assert show(machine, "LoadState", "ActiveState") == {
        "LoadState": "not-found", "ActiveState": "inactive"}
    left = machine.must("find", "/etc", "/usr", "/run", "/var/lib/dpkg", "/var/lib/systemd",
                        "-name", "*exemplar-agent*")
    assert not left, left
    assert not machine.must("systemctl", "--failed", "--no-legend")
