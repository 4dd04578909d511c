"""With exemplars.why_exact each sleep of a server's thread has its cause, however short it is."""
import pytest

from support.explained import CAUSES, assert_adds_up, explained, note
from support.rivals import beside_a_rival
from support.servers import Service

EXACT = "exemplars: {why_exact: true}\n"


@pytest.fixture
def causes(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as upstream:
        with Service(tmp_path, "causes.py", arguments=[upstream.url]) as service:
            agent = start_agent(ports=[service.port, upstream.port], config=EXACT)
            yield lambda target: explained(agent, service, target)


@pytest.mark.parametrize("target, cause, words", [
    ("/sleep?ms=5", "timer", "waiting for a timer"),
    ("/naps?ms=100", "timer", "waiting for a timer"),
    ("/stream?ms=100", "timer", "waiting for a timer"),
    ("/lock?ms=100", "lock", "waiting for a lock or another thread"),
    ("/pipe?ms=100", "pipe", "waiting on a pipe"),
    ("/disk?ms=300", "disk", "waiting for a disk or a file"),
    ("/child?ms=100", "child", "waiting for a child process"),
])
def test_every_sleep_has_its_cause(causes, target, cause, words):
    found = causes(target)
    note(f"{target}, exact", cause, f"{found['asleep']:.0f}", found)
    assert_adds_up(found)
    others = sum(found.get(other, 0) for other in CAUSES - {cause})
    # A few of its sleeps may be others: on the interpreter's lock, for a program that it starts.
    assert found[cause] + others >= found["asleep"] - 1, found
    assert found[cause] >= 0.9 * found["asleep"] - 1, found
    assert f"% {words}" in found["sentence"]


def test_the_time_until_it_had_a_cpu_again_is_no_sleep(start_agent, tmp_path):
    with Service(tmp_path, "causes.py") as service:
        agent = start_agent(ports=[service.port], config=EXACT)
        with beside_a_rival(service.pid):
            found = explained(agent, service, "/naps?ms=100")
    note("naps beside a loop, exact", "timer", f"{found['asleep']:.0f}", found)
    assert_adds_up(found)
    assert found["timer"] == pytest.approx(found["asleep"], abs=2), found
    assert found["asleep"] >= 100


def test_what_it_waits_for_in_requests_of_its_own_is_told_as_that(causes):
    found = causes("/call?ms=100")
    assert_adds_up(found)
    assert found["downstream"] >= 95 and found.get("network", 0) <= 5, found
