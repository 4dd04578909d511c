"""WebSockets on streams of HTTP/2 (RFC 8441): each counts once, as what opened it, on both sides of a
proxy that passes them on in HTTP/1."""
import collections
import json
import os
import subprocess

from foreign import table
from foreign.program import SERVICES, Program
from support.report import CLIENT, SERVER
from support.waiting import free_port

TUNNELS, REQUESTS = 5, 4

HAPROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  timeout tunnel 30s
frontend front
  bind 127.0.0.1:{port} proto h2
  http-request deny deny_status 403 if {{ path /nowhere }}
  default_backend back
backend back
  server one 127.0.0.1:{upstream}
"""


def uvicorn(folder):
    port = free_port()
    return Program(folder, "uvicorn", port,
                   ["/usr/bin/uvicorn", "--host", "127.0.0.1", "--port", port, "--ws", "wsproto",
                    "chat:asgi"],
                   cwd=SERVICES, env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def haproxy(folder, backend):
    port, config = free_port(), folder / "haproxy.conf"
    config.write_text(HAPROXY.format(port=port, upstream=backend.port))
    return Program(folder, "haproxy", port, ["/usr/sbin/haproxy", "-db", "-f", config])


def requests_of(report, metric, program):
    """How many of which method, status and version; of a cut one its error is told, too."""
    seen = collections.Counter()
    for line in report.series(metric, program):
        told = line["attributes"]
        status, error = told.get("http.response.status_code", table.NONE), told.get("error.type")
        cut = f" {error}" if error not in (None, str(status)) else ""
        seen[f"{told['network.protocol.version']} {told['http.request.method']} {status}{cut}"] += line["count"]
    return seen


def test_tunnels_beside_requests_on_one_connection(start_agent, tmp_path):
    with uvicorn(tmp_path) as backend, haproxy(tmp_path, backend) as proxy:
        agent = start_agent(ports=[proxy.port, backend.port])
        printed = subprocess.run(
            ["node", SERVICES / "chat.js", str(proxy.port), str(TUNNELS), str(REQUESTS)],
            capture_output=True, text=True, timeout=60, check=True).stdout
        assert json.loads(printed) == {"CONNECT 200": 2 * TUNNELS, "CONNECT 403": TUNNELS,
                                       "GET 200": 3 * REQUESTS, "echoed": 6 * TUNNELS}
        front = collections.Counter({"2 CONNECT 200": 2 * TUNNELS, "2 CONNECT 403": TUNNELS,
                                     "2 GET 200": 3 * REQUESTS})
        back = collections.Counter({"1.1 GET 101": 2 * TUNNELS, "1.1 GET 200": 3 * REQUESTS})
        ends = ((CLIENT, "node", front), (SERVER, "haproxy", front), (CLIENT, "haproxy", back),
                (SERVER, "python", back))
        for metric, program, said in ends:
            agent.wait_for_count(metric, said.total(), program)
        report = agent.wait_for_windows(1)
        for metric, program, said in ends:
            seen = requests_of(report, metric, program)
            table.note(f"WebSocket on HTTP/2, {program} {metric.split('.')[1]}", said, seen)
            assert seen == said
