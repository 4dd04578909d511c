"""What an exemplar says of a request that waited to be read: its event loop was busy with another one."""
import http.client
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
TICK_S = 0.0045  # how far behind the kernel's account of a thread may be, and a little


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
    connection.getresponse().read()


def asked_while_it_was_busy(node, late):
    """The attributes of the later request's span."""
    service, agent = node
    first = connected(service)
    busy = threading.Thread(target=ask, args=(first, f"/busy?ms={1000 * BUSY_S:.0f}"))
    busy.start()
    time.sleep(LATER_S)
    ask(late, "/late")
    busy.join()
    for connection in (first, late):
        connection.close()
    span, = eventually(lambda: agent.report().find_spans(kind="SERVER", **{"url.path": "/late"}),
                       what="the span of the later request")
    why = {key: value for key, value in span["attributes"].items() if WHY in key or key == QUEUE_S}
    for part in ("other_work", "cpu_wait"):
        provoked.note("a busy event loop", f"queue.{part}", f"at most {1000 * why[QUEUE_S]:.0f}",
                      1000 * why.get(f"{WHY}.queue.{part}", 0), why[WHY])
    return why


@pytest.mark.parametrize("known_before", [True, False], ids=["kept connection", "new connection"])
def test_an_event_loop_that_is_busy(node, known_before):
    service, _ = node
    late = connected(service)
    if known_before:
        ask(late, "/before")
    else:
        late.close()
    found = asked_while_it_was_busy(node, late)
    queue, other_work = found[QUEUE_S], found[f"{WHY}.queue.other_work"]
    assert queue >= 0.7 * (BUSY_S - LATER_S), found
    # The agent knows what the thread did from when it read the first request on. Of that, the time before
    # the later one came may have been either, where others wanted the CPU, too.
    told = other_work + found.get(f"{WHY}.queue.cpu_wait", 0)
    assert queue - 2 * LATER_S <= told <= queue + TICK_S, found
    assert other_work >= 0.7 * (BUSY_S - LATER_S), found
    assert "after it had come, as the thread had other work for" in found[WHY]


def test_an_event_loop_without_a_cpu_of_its_own(node):
    service, _ = node
    late = connected(service)
    ask(late, "/before")
    with beside_a_rival(service.pid):
        found = asked_while_it_was_busy(node, late)
    queue = found[QUEUE_S]
    cpu_wait, other_work = found[f"{WHY}.queue.cpu_wait"], found[f"{WHY}.queue.other_work"]
    assert queue >= BUSY_S, "it shares the CPU"
    assert cpu_wait + other_work <= queue + TICK_S, found
    assert cpu_wait >= 0.1 * queue and other_work >= 0.1 * queue, found
    assert " for a CPU" in found[WHY].split("after it had come")[1]


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
