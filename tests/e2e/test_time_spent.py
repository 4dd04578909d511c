"""What the time of all requests went into: by series, as a graph of rates shows it, and as the verb `explain`
says it. The service says itself how long its threads were on a CPU."""
import http.client
import json

import pytest

from support.agent import run_cli
from support.report import SERVER
from support.servers import Service
from support.waiting import eventually

TIME = "exemplar_agent.http.server.time_spent"
RETRANSMITS = "exemplar_agent.http.server.retransmits"
STATES = {"on_cpu", "cpu_wait", "throttled", "downstream", "asleep"}


def ask(service, target, times=1):
    """On one connection; how long the service's thread was on a CPU, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    on_cpu = 0.0
    for _ in range(times):
        connection.request("GET", target)
        reply = connection.getresponse()
        reply.read()
        on_cpu += float(reply.headers["X-On-Cpu"]) / 1000
    connection.close()
    return on_cpu


def states_of(report):
    return {line["attributes"]["state"]: line["value"] for line in report.series(TIME, "python")}


def test_the_states_add_up_to_the_durations(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as upstream, \
            Service(tmp_path, "causes.py", arguments=[upstream.url]) as service:
        agent = start_agent(ports=[service.port])
        on_cpu = ask(service, "/cpu?ms=5", 40) + ask(service, "/sleep?ms=10", 40)
        agent.wait_for_count(SERVER, 80, "python")
    agent.stop()
    report = agent.report()
    durations, = report.series(SERVER, "python")
    states = states_of(report)
    print(f"durations {durations['sum']:.3f} s, the service was on a CPU for {on_cpu:.3f} s: {states}")
    assert states.keys() == STATES
    assert sum(states.values()) == pytest.approx(durations["sum"], abs=1e-6)
    assert states["on_cpu"] == pytest.approx(on_cpu, rel=0.25, abs=0.02)
    assert 0.4 <= states["asleep"] <= 0.4 + durations["sum"] - 0.6 - states["cpu_wait"]
    retransmits, = report.series(RETRANSMITS, "python")
    assert retransmits["value"] == 0


def test_unless_nobody_wants_it(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(ports=[service.port], config="metrics: {time_spent: false}\n")
        ask(service, "/cpu?ms=5")
        agent.wait_for_count(SERVER, 1, "python")
    agent.stop()
    assert not states_of(agent.report())


def explain(agent, *arguments):
    return run_cli("explain", "--lock-file", agent.lock_path, *arguments)


def test_explain_says_what_was_slow_and_what_failed(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(window="3s", ports=[service.port])

        def window_of_causes():
            ask(service, "/sleep?ms=1", 60)
            ask(service, "/sleep?ms=200")
            ask(service, "/missing")
            result = explain(agent, "--json")
            assert result.returncode == 0, result.stderr
            told = json.loads(result.stdout)
            slow = [one for one in told["slow"] if one["operation"] == "GET 200"
                    and one["service"] == "causes" and one["end"] == "server"]
            failing = [one for one in told["failing"] if one["end"] == "client"]
            assert slow and slow[0]["slowest"]["duration_s"] >= 0.2 and failing
            return slow[0], failing[0]
        slow, failing = eventually(window_of_causes, within=30, what="a window with all causes")
        shown = explain(agent).stdout
    print(shown)
    assert slow["slowest"]["path"] == "/sleep" and "waiting for a timer" in slow["slowest"]["why"]
    assert "% of the difference was spent" in slow["than_others"]
    assert slow["than_others"].endswith(" asleep")
    assert slow["lost_s"] >= 0.19
    assert failing["operation"].startswith("GET 404 to 127.0.0.1:")
    assert failing["example"]["path"] == "/missing"
    assert "causes, server: GET 200" in shown
    agent.stop()
    trace = slow["slowest"]["trace_id"]
    assert trace in {span["trace_id"] for span in agent.report().spans}


def test_explain_without_an_agent_or_a_window(start_agent, tmp_path):
    result = run_cli("explain", "--lock-file", tmp_path / "none")
    assert result.returncode == 1 and "no running agent holds" in result.stderr
    agent = start_agent(window="1h")
    result = explain(agent)
    assert result.returncode == 1
    assert "has not closed a window yet" in result.stderr
    assert agent.stop() == 0
