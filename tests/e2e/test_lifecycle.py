"""Start and end of the two processes, and what the observed programs notice of it: nothing."""
import os
import pathlib
import random
import re
import signal
import tempfile
import threading
import time

import pytest

from support import bpf_objects, tls
from support.agent import ROOT, run_cli
from support.load import curl, h2load
from support.report import CLIENT, SERVER
from support.waiting import eventually

PIPELINE_UID = 2100009464
KILLS = int(os.environ.get("EXA_KILLS", "6"))


def process_state(pid):
    fields = {}
    for line in pathlib.Path(f"/proc/{pid}/status").read_text().splitlines():
        key, _, value = line.partition(":")
        fields[key] = value.strip()
    return fields


def gone(pid):
    """True if no such process runs; a zombie does not run."""
    try:
        return process_state(pid)["State"].startswith("Z")
    except (FileNotFoundError, ProcessLookupError):
        return True


def test_the_pipeline_process_has_no_privilege(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    state = process_state(agent.pipeline_pid())
    for name in ("CapEff", "CapPrm", "CapInh", "CapAmb", "CapBnd"):
        assert int(state[name], 16) == 0, (name, state[name])
    assert state["NoNewPrivs"] == "1"
    assert state["Seccomp"] == "2"
    assert state["Uid"].split() == state["Gid"].split() == [str(PIPELINE_UID)] * 4
    assert state["Groups"] == ""
    folder = pathlib.Path(f"/proc/{agent.pipeline_pid()}")
    assert re.search(r"^Max core file size +0 +0 ", (folder / "limits").read_text(), re.MULTILINE)
    assert (folder / "environ").stat().st_uid == 0, "it is dumpable"
    eventually(lambda: agent.scrape().sum("exemplar_agent_resident_memory_bytes") > 1 << 20,
               what="what it reads of itself")


def test_the_pipeline_runs_as_the_user_that_it_is_told(start_agent, nginx):
    agent = start_agent(ports=[nginx.port], config="pipeline: {uid: 60900}\n")
    assert process_state(agent.pipeline_pid())["Uid"].split() == ["60900"] * 4


def test_the_prober_keeps_only_what_it_needs(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    # DAC_READ_SEARCH 2, SYS_PTRACE 19, PERFMON 38, BPF 39, CHECKPOINT_RESTORE 40.
    allowed = sum(1 << bit for bit in (2, 19, 38, 39, 40))
    state = process_state(agent.pid)
    assert int(state["CapEff"], 16) & ~allowed == 0
    assert state["NoNewPrivs"] == "1"
    assert state["Seccomp"] == "2"


def test_the_capabilities_of_the_systemd_unit_suffice(start_agent, tmp_path):
    unit = (ROOT / "scripts/packaging/exemplar-agent.service").read_text()
    line = re.search(r"^CapabilityBoundingSet=(.*)$", unit, re.MULTILINE)
    granted = [name.removeprefix("CAP_").lower() for name in line.group(1).split()]
    with tls.nginx(tmp_path, tls.Certificate(tmp_path)) as server:
        agent = start_agent(ports=[server.port], wrapper=[
            "setpriv", "--no-new-privs", "--bounding-set=" + ",+".join(["-all", *granted])])
        tls.wait_for_probes(agent)
        curl("--insecure", *[f"{server.url}/ok"] * 5)
        agent.wait_for_count(SERVER, 5, "nginx")


@pytest.mark.parametrize("victim", ["prober", "pipeline"])
def test_sigkill_of_either_process_leaves_nothing(start_agent, nginx, victim):
    agent = start_agent(ports=[nginx.port])
    pids = {agent.pid, agent.pipeline_pid()}
    ours = bpf_objects.held_by(pids)
    for kind in bpf_objects.KINDS:
        assert ours[kind] and ours[kind] <= bpf_objects.existing(kind), ours

    os.kill(agent.pid if victim == "prober" else agent.pipeline_pid(), signal.SIGKILL)

    def nothing_left():
        left = {kind: ours[kind] & bpf_objects.existing(kind) for kind in ours}
        assert not any(left.values()), left
        assert all(map(gone, pids))
        return True
    eventually(nothing_left, within=1)
    curl(f"{nginx.url}/ok")  # the observed server lives
    agent.process.stop()


def test_sigterm_exports_what_was_seen_and_ends(start_agent, nginx):
    agent = start_agent(window="60s", ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 25)
    assert agent.stop(within=5) == 0
    assert agent.report().count(SERVER, "nginx") == 25


def test_a_second_instance_is_refused(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    second = run_cli("run", "--output", "none", "--openmetrics", "off",
                     "--lock-file", agent.lock_path)
    assert second.returncode == 3
    assert len(second.stderr.strip().splitlines()) == 1, second.stderr
    assert "already" in second.stderr


@pytest.mark.parametrize("text, line", [
    ("window: 10s\nwindoww: 5s\n", 2),
    ("\n\nwindow: soon\n", 3),
    ("window: [10s\n", None),
])
def test_a_bad_configuration_is_refused_with_its_place(tmp_path, text, line):
    path = tmp_path / "bad.yaml"
    path.write_text(text)
    result = run_cli("run", "--config", path)
    assert result.returncode == 2
    assert f"{path}:{line}" in result.stderr if line else f"{path}:" in result.stderr


def test_a_bad_flag_is_refused():
    assert run_cli("run", "--windoww", "1s").returncode == 2
    assert run_cli("run", "--window", "soon").returncode == 2


def test_check_says_that_this_host_can():
    result = run_cli("check")
    assert result.returncode == 0, result.stdout + result.stderr
    assert "sock_send_length" in result.stdout
    assert f"runs as user {PIPELINE_UID}" in result.stdout
    assert "Landlock" in result.stdout


@pytest.fixture
def open_folder():
    """Others may search it, as they may not the folders that pytest makes."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        yield pathlib.Path(folder)


def test_files_that_the_pipeline_could_not_read_are_refused_before_anything_starts(open_folder):
    key, certificate = open_folder / "key.pem", open_folder / "certificate.pem"
    for path in (key, certificate):
        path.write_text("what it holds does not matter here\n")
        path.chmod(0o644)
    key.chmod(0o600)
    flags = ("--config", open_folder / "agent.yaml", "--lock-file", open_folder / "lock")
    (open_folder / "agent.yaml").write_text(f"""\
otlp:
  endpoint: https://127.0.0.1:4318
  client_certificate: {certificate}
  client_key: {key}
""")
    for verb in ("run", "check"):
        result = run_cli(verb, *flags)
        assert result.returncode == 2, result
        said = result.stdout + result.stderr
        assert f"otlp.traces.client_key: {key} cannot be read by user {PIPELINE_UID}" in said
    key.chmod(0o604)
    assert run_cli("check", *flags).returncode == 0


def test_version():
    result = run_cli("version")
    assert result.returncode == 0
    assert result.stdout.startswith("exemplar-agent ")


def test_print_config_can_be_read_again(tmp_path):
    printed = run_cli("run", "--window", "7s", "--include-port", "8080", "--print-config")
    assert printed.returncode == 0
    path = tmp_path / "again.yaml"
    path.write_text(printed.stdout)
    again = run_cli("run", "--config", path, "--print-config")
    assert again.returncode == 0, again.stderr

    def settings(text):  # without the comments, which say where each value came from
        return [line.split("  #")[0] for line in text.splitlines()]
    assert settings(again.stdout) == settings(printed.stdout)
    assert "window: 7s" in settings(printed.stdout)


def test_sighup_takes_new_rules_and_keeps_the_old_ones_if_the_file_is_bad(start_agent, nginx):
    config = "targets:\n  exclude: {{exe: [{}]}}\n"
    agent = start_agent(config=config.format("curl"), ports=[nginx.port])
    path = agent.folder / "agent.yaml"

    def reload(text, answer, encoding="utf-8"):
        path.write_text(text, encoding=encoding)
        os.kill(agent.pid, signal.SIGHUP)
        eventually(lambda: answer in agent.log(), what=answer)

    reload("window: [", "keeping the old configuration")
    # what a crash or a half-written file leaves must not lift the exclusion
    reload("\0" * 40, "agent.yaml:1:1: a NUL byte")
    reload("window: 5s\n\0targets: {}\n", "agent.yaml:2:1: a NUL byte")
    reload("window: 5s\n", encoding="utf-16", answer="this is UTF-16")
    reload("", "agent.yaml:1:1: the file is empty")
    curl(*[f"{nginx.url}/ok"] * 3)
    assert agent.wait_for_count(SERVER, 3, "nginx").count(CLIENT) == 0
    reload(config.format("other"), "SIGHUP: ")
    eventually(lambda: "configuration reloaded" in agent.log(), what="the new rules")
    curl(*[f"{nginx.url}/ok"] * 2)
    agent.wait_for_count(CLIENT, 2, "curl")
    agent.wait_for_count(SERVER, 5, "nginx")


def test_a_service_that_is_excluded_and_observed_again_goes_on(start_agent, nginx):
    config = "targets:\n  exclude: {{exe: [{}]}}\n"
    agent = start_agent(config=config.format("other"), ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 3)
    agent.wait_for_count(SERVER, 3, "nginx")

    def exclude(name, reloads):
        (agent.folder / "agent.yaml").write_text(config.format(name))
        os.kill(agent.pid, signal.SIGHUP)
        eventually(lambda: agent.log().count("SIGHUP: ") == reloads, what="the new rules")

    exclude("nginx", 1)
    curl(*[f"{nginx.url}/ok"] * 4)
    exclude("other", 2)
    curl(*[f"{nginx.url}/ok"] * 4)
    report = agent.wait_for_count(SERVER, 7, "nginx")
    assert len(report.series(SERVER, "nginx")) == 1


def test_coming_and_going_under_load_fails_no_request(start_agent, nginx):
    """The agent starts and ends three times while a client asks on kept-alive connections."""
    outcomes = []
    enough = threading.Event()

    def ask():
        while not enough.is_set():
            outcomes.append(h2load(f"{nginx.url}/ok", 40_000, clients=8, rps=8000))

    load = threading.Thread(target=ask)
    load.start()
    try:
        for _ in range(3):
            agent = start_agent(ports=[nginx.port])
            eventually(lambda: agent.report().count(SERVER, "nginx"), what="a request counted")
            assert agent.stop() == 0
    finally:
        enough.set()
        load.join()
    assert outcomes and all(outcome.failed == 0 for outcome in outcomes), outcomes


@pytest.mark.timeout(120 + 15 * KILLS)
def test_sigkill_at_any_moment_under_load_leaves_nothing(start_agent, nginx):
    """Either process ends the other within a second, wherever it is in its life, and no request
    fails."""
    chance = random.Random(KILLS)
    outcomes = []
    enough = threading.Event()

    def ask():
        while not enough.is_set():
            outcomes.append(h2load(f"{nginx.url}/ok", 4000, clients=4, rps=2000))

    load = threading.Thread(target=ask)
    load.start()
    try:
        for number in range(KILLS):
            agent = start_agent(ports=[nginx.port])
            pids = {agent.pid, agent.pipeline_pid()}
            ours = bpf_objects.held_by(pids)
            until = time.monotonic() + chance.uniform(0, 0.5)
            eventually(lambda until=until: time.monotonic() >= until, what="the moment")
            os.kill(agent.pid if number % 2 else agent.pipeline_pid(), signal.SIGKILL)

            eventually(lambda pids=pids: all(map(gone, pids)), within=1, what="the end of both")

            def nothing_left(ours=ours):  # the kernel frees when no processor uses them any more
                assert not any(ours[kind] & bpf_objects.existing(kind) for kind in ours)
                return True
            eventually(nothing_left, within=5)
            agent.process.wait()
    finally:
        enough.set()
        load.join()
    assert outcomes and all(outcome.failed == 0 for outcome in outcomes), outcomes


def test_a_process_of_one_request_is_known_by_name(start_agent, nginx):
    """Short-lived clients: each lives for a few milliseconds."""
    agent = start_agent(ports=[nginx.port])
    for _ in range(30):
        curl(f"{nginx.url}/ok")
    report = agent.wait_for_count(SERVER, 30, "nginx")
    report = agent.wait_for_count(CLIENT, 30, "curl")
    assert all(line["service"] for line in report.series(CLIENT))
