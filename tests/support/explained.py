"""Asks a service (causes.py) for one cause of slowness, and reads what the span says of it."""
import http.client

import pytest

from support import provoked
from support.waiting import eventually

WHY = "exemplar.why"
TICK_MS = 4.5  # how far behind the kernel's account of a thread may be, and a little
CAUSES = {"lock", "disk", "timer", "pipe", "network", "events", "child", "stopped"}


def explained(agent, service, target):
    connection = http.client.HTTPConnection("127.0.0.1", service.port, timeout=60)
    connection.request("GET", target)
    reply = connection.getresponse()
    reply.read()
    connection.close()
    port = {"server.port": service.port, "url.path": target.partition("?")[0]}
    span, = eventually(lambda: agent.report().find_spans(kind="SERVER", **port),
                       what=f"the span of {target}")
    why = {key.removeprefix(f"{WHY}."): value for key, value in span["attributes"].items()
           if key.startswith(f"{WHY}.")}
    found = {key: 1000 * value if isinstance(value, float) else value for key, value in why.items()}
    found["wall"] = (span["end_unix_ns"] - span["start_unix_ns"]) / 1e6
    found["sentence"] = span["attributes"].get(WHY, "")
    found["service_says_on_cpu"] = float(reply.headers["X-On-Cpu"])
    print(target, found)
    return found


def note(cause, part, expected, found):
    provoked.note(cause, part, expected, found.get(part, 0), found["sentence"])


def assert_adds_up(found):
    assert found["cpu_wait"] + found["on_cpu"] + found["asleep"] == pytest.approx(found["wall"], abs=0.1)
    # What the service measured leaves out how it reads and writes.
    assert -TICK_MS <= found["on_cpu"] - found["service_says_on_cpu"] <= 2 * TICK_MS
