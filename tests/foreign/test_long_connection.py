"""One connection of HTTP/2 for as long as ten million streams: nothing is lost at either end, and
nothing grows. At full speed, so the agent must get the CPU that it asks for: where many others run,
its rings fill up, and what was dropped is said with the failure."""
import re
import subprocess

import pytest

from foreign.program import Program
from support.report import CLIENT, SERVER
from support.resources import resident_mib
from support.waiting import free_port

STREAMS = 10_000_000
RING_MIB = 8
HTTP2 = {"network.protocol.version": "2", "http.response.status_code": 200}


@pytest.mark.timeout(1200)
def test_ten_million_streams(start_agent, tmp_path):
    port, root = free_port(), tmp_path / "files"
    root.mkdir()
    (root / "ok").write_text("ok\n")
    url = f"http://127.0.0.1:{port}/ok"
    with Program(tmp_path, "nghttpd", port, ["/usr/sbin/nghttpd", "--no-tls", "-d", root, port]):
        agent = start_agent(ports=[port], window="2s")
        load(url, 100_000)
        pids = (agent.pid, agent.pipeline_pid())
        before = resident_mib(pids)
        load(url, STREAMS)
        grown = resident_mib(pids) - before
        agent.wait_for_count(SERVER, STREAMS + 100_000, "nghttpd", **HTTP2)
        agent.wait_for_count(CLIENT, STREAMS + 100_000, "h2load", **HTTP2)
        # A ring's pages count as far as it was ever filled.
        assert grown < 4 + RING_MIB


def load(url, streams):
    printed = subprocess.run(["h2load", "-n", str(streams), "-c", "1", "-m", "100", url],
                             capture_output=True, text=True, check=True, timeout=900).stdout
    assert re.search(rf"status codes: {streams} 2xx, 0 3xx, 0 4xx, 0 5xx", printed), printed
