"""An exemplar says why its request was slow: causes that a real service provokes, one at a time, and what
the span of each says. The service says itself how long its thread was on a CPU."""
import os
import signal
import threading
import time

import pytest

from support.cgroups import cpu_quota
from support.explained import CAUSES, TICK_MS, assert_adds_up, explained, note
from support.rivals import beside_a_rival
from support.servers import Service


@pytest.fixture
def causes(start_agent, tmp_path):
    """Asks for one cause; what its span says, times in milliseconds."""
    with Service(tmp_path, "causes.py") as upstream:
        with Service(tmp_path, "causes.py", arguments=[upstream.url]) as service:
            agent = start_agent(ports=[service.port, upstream.port])
            yield lambda target: explained(agent, service, target)


def test_time_on_a_cpu(causes):
    found = causes("/cpu?ms=100")
    note("runs 100 ms", "on_cpu", "100", found)
    assert_adds_up(found)
    assert found["on_cpu"] >= 100 - TICK_MS
    assert "on a CPU" in found["sentence"]


@pytest.mark.parametrize("target, cause, words", [
    ("/sleep?ms=100", "timer", "waiting for a timer"),
    ("/stream?ms=100", "timer", "waiting for a timer"),
    ("/lock?ms=100", "lock", "waiting for a lock or another thread"),
    ("/pipe?ms=100", "pipe", "waiting on a pipe"),
    ("/disk?ms=600", "disk", "waiting for a disk or a file"),
    ("/child?ms=100", "child", "waiting for a child process"),
])
def test_what_it_slept_on(causes, target, cause, words):
    found = causes(target)
    note(target, cause, "most of the sleep", found)
    assert_adds_up(found)
    assert "downstream" not in found
    # Looked at every 20 ms, from 10 ms on; the rest of the sleep is told without a cause.
    others = sum(found.get(other, 0) for other in CAUSES - {cause})
    assert found[cause] >= 0.6 * found["asleep"] and others <= 0.2 * found["asleep"], found
    if found[cause] >= 0.06 * found["wall"]:  # on a busy machine it may have waited for the CPU
        assert f"% {words}" in found["sentence"]
    if cause != "disk":
        assert found["asleep"] >= 100 - TICK_MS
        assert found["sentence"].split(";")[0].split(",")[0].endswith(words)


def test_a_process_that_is_stopped(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(ports=[service.port])
        stopper = threading.Timer(0.1, stop_for, (service.pid, 0.5))
        stopper.start()
        found = explained(agent, service, "/sleep?ms=200")
        stopper.join()
    note("SIGSTOP for 500 ms", "stopped", "400 to 500", found)
    assert_adds_up(found)
    assert found["wall"] >= 500 and found["stopped"] >= 400, found
    assert "% stopped or frozen" in found["sentence"]


def stop_for(pid, seconds):
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def test_short_sleeps_have_no_cause(causes):
    found = causes("/sleep?ms=5")
    assert CAUSES.isdisjoint(found) and found["asleep"] >= 4


def test_a_slow_downstream(causes):
    found = causes("/call?ms=100")
    note("asks another service, 100 ms", "downstream", "100", found)
    assert_adds_up(found)
    assert 100 - TICK_MS <= found["downstream"] <= found["asleep"] + 0.1
    assert found["sentence"].split(",")[0].endswith("% waiting for requests that it made")


def test_page_faults(causes):
    found = causes("/memory?mib=64")
    note("touches 64 MiB", "page_faults", "16384 pages", found)
    assert_adds_up(found)
    assert 64 * 256 <= found["page_faults"] <= 64 * 256 + 2_000
    assert f"{found['page_faults']} page faults" in found["sentence"]


def test_a_stolen_cpu(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(ports=[service.port])
        with beside_a_rival(service.pid):
            found = explained(agent, service, "/cpu?ms=100")
    note("runs 100 ms beside a loop", "cpu_wait", "about 100", found)
    assert_adds_up(found)
    assert found["cpu_wait"] >= 40 and "throttled" not in found
    assert "waiting for a CPU" in found["sentence"]


def test_a_quota_that_is_used_up(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(ports=[service.port])
        with cpu_quota(20) as confine:
            confine(service.pid)
            found = explained(agent, service, "/cpu?ms=100")
    note("runs 100 ms, quota of 20 %", "throttled", "about 300", found)
    assert_adds_up(found)
    # On a busy machine it waits for the CPU, too.
    assert found["throttled"] >= 60 and found["throttled_times"] >= 1
    assert "kept from the CPU by its cgroup's quota (" in found["sentence"]


def test_nothing_is_said_where_nobody_wants_it(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(ports=[service.port], config="exemplars: {why: false}\n")
        found = explained(agent, service, "/cpu?ms=20")
    assert found.keys() == {"wall", "sentence", "service_says_on_cpu"} and not found["sentence"]


def test_whose_time_it_was_is_not_known_if_another_thread_answers(causes):
    found = causes("/handed?ms=50")
    note("another thread answers", "asleep", "unknown: 0", found)
    assert {"cpu_wait", "on_cpu", "asleep", "downstream", "page_faults"}.isdisjoint(found)
    assert CAUSES.isdisjoint(found)
    assert found["sentence"] == "it began on one thread and ended on another"
