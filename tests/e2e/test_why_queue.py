"""What an exemplar says of a request that waited to be read: its event loop was busy with another one."""
import http.client
import json
import threading
import time

import pytest

from support import provoked
from support.rivals import beside_a_rival
from support.servers import Service
from support.waiting import eventually

WHY = "exemplar.why"
QUEUE_S = "exemplar_agent.queue_time_s"
BUSY_S, LATER_S = 0.3, 0.1
TICK_S = 0.0045  # how far behind the account of a thread may be that the kernel keeps, and a little


@pytest.fixture
def node(start_agent, tmp_path):
    with Service(tmp_path, "service.js") as service:
        yield service, start_agent(ports=[service.port])


def connected(service):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.connect()
    return connection


def ask(connection, path):
    connection.request("GET", path)
    return connection.getresponse().read()


class Late:
    """A request that came while the server's only thread was busy with another one."""

    def __init__(self, node, connection):
        service, agent = node
        first, told = connected(service), []
        begun_first = time.monotonic()
        busy = threading.Thread(target=lambda: told.append(ask(first, f"/busy?ms={1000 * BUSY_S:.0f}")))
        busy.start()
        time.sleep(LATER_S)
        begun = time.monotonic()
        connection.request("GET", "/late")
        sent = time.monotonic()
        connection.getresponse().read()
        answered = time.monotonic()
        busy.join()
        for done in (first, connection):
            done.close()
        span, = eventually(lambda: agent.report().find_spans(kind="SERVER", **{"url.path": "/late"}),
                           what="the span of the later request")
        self.why = {key: value for key, value in span["attributes"].items() if WHY in key or key == QUEUE_S}
        self.queue, self.sentence = self.why[QUEUE_S], self.why[WHY]
        self.other_work = self.why[f"{WHY}.queue.other_work"]
        self.cpu_wait = self.why.get(f"{WHY}.queue.cpu_wait", 0)
        for part in ("other_work", "cpu_wait"):
            provoked.note("a busy event loop", f"queue.{part}", f"at most {1000 * self.queue:.0f}",
                          1000 * getattr(self, part), self.sentence)

        thread = json.loads(told[0])
        assert thread["ended"] - sent <= self.queue <= answered - begun, self.why
        assert self.other_work + self.cpu_wait <= self.queue + TICK_S, self.why
        # The agent knows what the thread did from when it read the first request on. What it did
        # before the later one came is no part of that one's wait; it may have been either.
        before = sent - begun_first
        assert self.other_work >= thread["ran"] - before - TICK_S, (self.why, thread)
        assert self.cpu_wait >= thread["waited"] - before - TICK_S, (self.why, thread)


@pytest.mark.parametrize("known_before", [True, False], ids=["kept connection", "new connection"])
def test_an_event_loop_that_is_busy(node, known_before):
    connection = connected(node[0])
    if known_before:
        ask(connection, "/before")
    else:
        connection.close()
    late = Late(node, connection)
    assert late.other_work >= 0.5 * (BUSY_S - LATER_S), late.why
    assert "to be read: the thread was busy with other work for" in late.sentence


def test_an_event_loop_without_a_cpu_of_its_own(node):
    connection = connected(node[0])
    ask(connection, "/before")
    with beside_a_rival(node[0].pid):
        late = Late(node, connection)
    assert late.queue >= BUSY_S, "it shares the CPU"
    assert late.cpu_wait > 0.2 * BUSY_S, late.why
    assert " for a CPU" in late.sentence.split("to be read: ")[1]


def test_a_server_that_was_idle_read_it_at_once(node):
    service, agent = node
    connection = connected(service)
    ask(connection, "/before")
    time.sleep(LATER_S)
    ask(connection, "/late")
    connection.close()
    span, = eventually(lambda: agent.report().find_spans(kind="SERVER", **{"url.path": "/late"}),
                       what="its span")
    assert f"{WHY}.queue.other_work" not in span["attributes"]
