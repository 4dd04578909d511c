"""What a person at a terminal is shown: the table, `status`, and a sentence where something is
wrong."""
import json
import os
import pty
import re
import signal
import subprocess

import pytest

from support.agent import binary, run_cli
from support.load import curl
from support.process import Process
from support.report import SERVER
from support.servers import Service
from support.waiting import eventually, free_port

NOBODY = 65534


@pytest.fixture
def service(tmp_path):
    with Service(tmp_path, "service.py") as server:
        yield server


def milliseconds(text):
    number, unit = text.split()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def row_of(text, *words):
    """The cells of the first row that begins with these words."""
    for line in text.splitlines():
        cells = re.sub(r"(\d) (us|ms|s)\b", r"\1_\2", line).split()
        if cells[:len(words)] == list(words):
            return [cell.replace("_", " ") for cell in cells]
    return None


def test_the_table_tells_quantiles_maximum_and_which_request_that_was(start_agent, service):
    agent = start_agent(output="table", window="1h", ports=[service.port])
    asked = curl(*[f"{service.url}/slow?ms=40"] * 20, f"{service.url}/slow?ms=300")
    assert agent.stop() == 0
    text = agent.json_path.read_text()
    cells = row_of(text, "service", "server", "GET", "200")
    assert cells, text
    p50, p99, largest = (milliseconds(cells[i]) for i in (5, 7, 8))
    took = sorted(1000 * one["time_total"] for one in asked.transfers)
    assert 40 / 1.05 <= p50 <= 1.05 * took[10], "the median of what took 40 ms and a little"
    assert 300 / 1.05 <= p99 <= 1.05 * took[-1]
    assert 300 <= largest <= took[-1] + 1
    slowest = next(line for line in text.splitlines() if "slowest" in line and "from " in line)
    assert f"slowest  {cells[8]}" in slowest, "it is the request that MAX is"
    assert "/slow" in slowest and "from 127.0.0.1:" in slowest
    assert "?ms" not in text, "no query"
    assert "no exemplars: spans not exported, no caller sampled; set --otlp-endpoint" in text


def test_the_table_names_the_trace_of_a_caller_that_sampled(start_agent, service):
    agent = start_agent(output="table", window="1h", ports=[service.port])
    trace = "0af7651916cd43dd8448eb211c80319c"
    curl("--header", f"traceparent: 00-{trace}-b7ad6b7169203331-01", f"{service.url}/slow?ms=50")
    assert agent.stop() == 0
    text = agent.json_path.read_text()
    assert f"trace  {trace}" in text
    assert "no exemplars" not in text


def test_a_terminal_is_drawn_on_in_place_and_never_wraps(tmp_path, service):
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "rows", "24", "cols", "80"], stdin=theirs, check=True)
    agent = subprocess.Popen(
        [binary(), "run", "--window", "500ms", "--openmetrics", "off", "--lock-file",
         tmp_path / "lock", "--include-port", str(service.port)],
        stdin=subprocess.DEVNULL, stdout=theirs, stderr=(tmp_path / "log").open("w"))
    os.close(theirs)
    drawn = b""
    try:
        def shown():
            nonlocal drawn
            curl(f"{service.url}/ok")
            drawn += os.read(ours, 1 << 16)
            return drawn.count(b"\x1b[H") >= 3 and b"slowest" in drawn
        eventually(shown, within=30, what="three tables")
    finally:
        agent.send_signal(signal.SIGTERM)
        # A terminal that nobody reads would keep the agent from ending.
        try:
            while os.read(ours, 1 << 16):
                pass
        except OSError:
            pass
        os.close(ours)
        assert agent.wait(timeout=10) == 0
    for line in re.sub(rb"\x1b\[[0-9;]*[A-Za-z]", b"", drawn).decode().splitlines():
        assert len(line.rstrip("\r")) <= 80, line


@pytest.mark.parametrize("form", ["table", "json"])
def test_run_ends_with_a_sentence_when_nobody_reads_what_it_prints(tmp_path, form):
    agent = subprocess.Popen(
        [binary(), "run", "--output", form, "--window", "200ms", "--openmetrics", "off",
         "--lock-file", tmp_path / "lock"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    agent.stdout.readline()  # as `run | head -1` does
    agent.stdout.close()
    said = agent.stderr.read()
    assert agent.wait(timeout=10) == 1
    assert "standard output: Broken pipe: nothing reads it any more; use --output none" in said


def test_a_full_disk_is_told(tmp_path):
    with open("/dev/full", "w", encoding="ascii") as full:
        run = subprocess.run(
            [binary(), "run", "--output", "json", "--window", "200ms", "--openmetrics", "off",
             "--lock-file", tmp_path / "lock"],
            stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=20)
        assert run.returncode == 1
        assert "standard output: No space left on device" in run.stderr
        for verb in (["version"], ["--help"], ["run", "--print-config"]):
            short = subprocess.run([binary(), *verb], stdout=full, stderr=subprocess.PIPE, text=True)
            assert short.returncode == 1, verb
            assert "standard output" in short.stderr, verb


def test_whoever_redirects_is_told_that_nothing_is_printed(tmp_path):
    log = tmp_path / "log"
    with Process([binary(), "run", "--openmetrics", "off", "--lock-file", tmp_path / "lock"], log,
                 stdout=tmp_path / "out") as agent:
        eventually(lambda: "standard output is not a terminal, so nothing is printed" in agent.log())


def test_an_unknown_command_is_told_the_known_ones():
    result = run_cli("runn")
    assert result.returncode == 2
    assert "'runn' is not a command; did you mean 'run'?" in result.stderr
    assert "check, status, explain, replay" in result.stderr
    nothing = run_cli()
    assert nothing.returncode == 2
    assert "exemplar-agent run" in nothing.stderr


def test_who_is_not_root_is_told_what_to_do(tmp_path):
    copy = tmp_path / "exemplar-agent"
    copy.write_bytes(binary().read_bytes())
    copy.chmod(0o755)
    for folder in tmp_path.parents:
        if folder.owner() == "root" and str(folder).startswith("/tmp/"):
            folder.chmod(0o755)
    tmp_path.chmod(0o755)

    def as_nobody(*arguments):
        return subprocess.run([copy, *arguments], capture_output=True, text=True, timeout=20,
                              user=NOBODY, group=NOBODY, extra_groups=[], cwd="/",
                              stdin=subprocess.DEVNULL)
    run = as_nobody("run", "--lock-file", "/tmp/of-nobody.lock")
    assert run.returncode == 1
    assert "not permitted without CAP_BPF" in run.stderr
    assert "run as root: sudo exemplar-agent run" in run.stderr
    check = as_nobody("check")
    assert check.returncode == 1
    assert "Not running as root; try: sudo exemplar-agent check" in check.stdout


def test_warnings_of_the_environment_are_told_by_every_command(tmp_path):
    env = dict(os.environ, OTEL_EXPORTER_OTLP_PROTOCOL="http/json")
    flags = ["--lock-file", tmp_path / "lock", "--openmetrics", "off"]
    for verb in (["check"], ["run", "--print-config"]):
        said = run_cli(*verb, *flags, env=env)
        assert said.returncode == 0, said
        assert "warning: OTEL_EXPORTER_OTLP_PROTOCOL: 'http/json' is not supported" in said.stderr


def test_check_fails_where_another_agent_runs_or_the_port_is_taken(start_agent, service):
    agent = start_agent(ports=[service.port])
    port = free_port()
    taken = run_cli("check", "--lock-file", agent.lock_path, "--openmetrics", f"127.0.0.1:{port}")
    assert taken.returncode == 3
    assert f"another agent is already running, as process {agent.pid}" in taken.stdout
    other = agent.folder / "other-lock"
    taken = run_cli("check", "--lock-file", other, "--openmetrics",
                    f"127.0.0.1:{agent.metrics_port}")
    assert taken.returncode == 1
    assert f"cannot serve metrics on 127.0.0.1:{agent.metrics_port}" in taken.stdout
    free = run_cli("check", "--lock-file", other, "--openmetrics", f"127.0.0.1:{port}")
    assert free.returncode == 0, free.stdout
    assert not other.exists(), "check leaves nothing behind"
    for part in ("honor_labels: true", f'targets: ["127.0.0.1:{port}"]', "exemplars have ids only"):
        assert part in free.stdout


def test_an_include_rule_that_matches_nothing_is_a_warning(start_agent, service):
    rule = "targets.include.exe: 'ngnix': no process matches"
    agent = start_agent("--include-exe", "ngnix", "--include-exe", "python3*")
    eventually(lambda: rule in agent.log(), what="the warning")
    assert "'python3*'" not in agent.log()
    said = run_cli("check", "--include-exe", "ngnix", "--include-exe", "python3*",
                   "--openmetrics", "off", "--lock-file", agent.folder / "other")
    assert f"Warning: {rule}" in said.stdout and "'python3*'" not in said.stdout


def test_sighup_names_the_keys_that_wait_for_a_restart(start_agent, service):
    agent = start_agent(config="log: {level: info}\n", ports=[service.port])
    (agent.folder / "agent.yaml").write_text(
        "log: {level: info, format: json}\nexemplars: {budget: 7}\n"
        "targets: {exclude: {exe: [curl]}}\n")
    os.kill(agent.pid, signal.SIGHUP)
    eventually(lambda: "SIGHUP: target rules, policies and log level reloaded; a restart is needed for "
               "exemplars.budget, log.format\n" in agent.log(), what="the keys")


def test_a_printed_secret_is_not_taken_for_one(tmp_path):
    env = dict(os.environ, OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer x")
    path = tmp_path / "printed.yaml"
    path.write_text(run_cli("run", "--print-config", env=env).stdout)
    assert "Bearer" not in path.read_text()
    again = run_cli("run", "--config", path, "--print-config")
    assert again.returncode == 2
    assert "'***' is what --print-config prints in place of a secret" in again.stderr


@pytest.mark.parametrize("tls", ["true", "false"])
def test_status_lists_every_service(start_agent, service, tls):
    agent = start_agent("--tls", tls, ports=[service.port])
    curl(*[f"{service.url}/ok"] * 6, f"{service.url}/fail")
    agent.wait_for_count(SERVER, 7, "python")

    def told():
        result = run_cli("status", "--json", "--lock-file", agent.lock_path)
        assert result.returncode == 0, result.stderr
        known = {one["name"]: one for one in json.loads(result.stdout)["services"]}
        assert known["service"]["served"] == 7
        return known
    known = eventually(told)
    assert known["service"]["errors"] == 1 and known["service"]["pids"] == [service.pid]
    assert known["curl"]["called"] == 7
    shown = run_cli("status", "--lock-file", agent.lock_path).stdout
    assert row_of(shown, "service", "7", "0", "1"), shown
    assert row_of(shown, "curl", "0", "7", "1"), shown
    if tls == "false":  # the prober tells its part twice a second
        eventually(lambda: "TLS is not read: tls.enabled is false" in
                   run_cli("status", "--lock-file", agent.lock_path).stdout)
    header, *rows = shown.split("\n\n")[0].splitlines()
    assert len({row.index("HTTP/1") for row in rows} | {header.index("READ")}) == 1, "aligned"


def test_status_without_an_agent_says_so(tmp_path):
    result = run_cli("status", "--lock-file", tmp_path / "lock")
    assert result.returncode == 1
    assert f"no running agent holds {tmp_path / 'lock'}" in result.stderr
    assert not (tmp_path / "lock").exists()
