"""A backend that is away for long, under load: nothing is counted less, nothing grows, and all is
well soon after it is back."""
import os
import time

import pytest

from support.load import h2load
from support.otlp_backend import Answer, OtlpBackend, integrity
from support.report import SERVER
from support.resources import resident_mib
from support.waiting import eventually

SECONDS = int(os.environ.get("EXA_OUTAGE_SECONDS", "12"))
RATE = 500
LONGEST_BACKOFF = 30


@pytest.mark.timeout(120 + 2 * SECONDS)
def test_a_long_outage_under_load(start_agent, nginx):
    down = False

    def answer(path, number):
        return Answer(status=(503, 429, 502)[number % 3]) if down else Answer()

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port],
                            window="1s")
        pids = (agent.pid, agent.pipeline_pid())
        asked = 0

        def load(seconds):
            nonlocal asked
            h2load(f"{nginx.url}/ok", RATE * seconds, rps=RATE, within=seconds + 60)
            asked += RATE * seconds

        load(5)
        eventually(lambda: backend.count(SERVER) == asked, what="all requests before the outage")
        down = True
        load(min(10, SECONDS))  # its queue of spans has been used
        before = resident_mib(pids)
        load(max(SECONDS - 10, 1))
        grown = resident_mib(pids) - before
        assert grown < 8, f"{grown} MiB more, at the end of {SECONDS} s"  # the queue of spans at most
        down = False
        back = time.monotonic()
        eventually(lambda: backend.count(SERVER) == asked, within=LONGEST_BACKOFF + 15,
                   what=f"{asked} requests")
        assert time.monotonic() - back < LONGEST_BACKOFF + 5, "an interval and the longest backoff"
        good = len(backend.spans())
        load(3)
        eventually(lambda: len(backend.spans()) > good and backend.count(SERVER) == asked,
                   within=LONGEST_BACKOFF + 15, what="spans and requests after the outage")
        with_ids, found = integrity(backend)
        assert with_ids == found > 0
