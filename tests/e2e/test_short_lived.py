"""Processes that end before anybody has looked at them: who is observed, and under which name."""
import os
import subprocess
import sys

import pytest

from support.cgroups import cgroup2_root
from support.load import curl
from support.process import Process
from support.report import CLIENT, SERVER
from support.waiting import accepts, eventually, free_port

CURLS = 100


@pytest.fixture
def cgroups():
    """Two cgroups of the unified hierarchy, by their paths in it."""
    folders = [cgroup2_root() / f"exa-short-{os.getpid()}-{name}" for name in ("in", "out")]
    for folder in folders:
        folder.mkdir()
    yield [f"/{folder.name}" for folder in folders]
    for folder in folders:
        eventually(lambda folder=folder: not (folder / "cgroup.procs").read_text(),
                   what="the end of the processes")
        folder.rmdir()


def curl_in(cgroup, url):
    """So many processes of one request each, eight at a time."""
    procs = cgroup2_root() / cgroup[1:] / "cgroup.procs"
    enter = f"echo $$ > {procs}; exec curl --silent --output /dev/null {url}"
    subprocess.run(["xargs", "-P", "8", "-I", "{}", "sh", "-c", enter], check=True, timeout=60,
                   input="\n".join(map(str, range(CURLS))), text=True)


@pytest.mark.parametrize("flags", [("--include-cgroup", 0), ("--exclude-cgroup", 1)])
def test_all_of_an_observed_cgroup_are_counted(start_agent, nginx, cgroups, flags):
    rule, of = flags
    agent = start_agent(rule, cgroups[of], ports=[nginx.port])
    curl_in(cgroups[0], f"{nginx.url}/ok")
    agent.wait_for_count(CLIENT, CURLS, "curl")


def test_none_of_an_excluded_cgroup_is_counted(start_agent, nginx, cgroups):
    agent = start_agent("--exclude-cgroup", cgroups[0], ports=[nginx.port])
    curl_in(cgroups[0], f"{nginx.url}/ok")
    curl_in(cgroups[1], f"{nginx.url}/empty")
    agent.wait_for_count(CLIENT, CURLS, "curl")
    report = agent.wait_for_windows(1)
    assert report.count(CLIENT, **{"http.response.status_code": 200}) == 0
    assert report.count(CLIENT, **{"http.response.status_code": 204}) == CURLS


FORKING_SERVER = """\
import socketserver
import sys
from http.server import BaseHTTPRequestHandler, HTTPServer


class Forking(socketserver.ForkingMixIn, HTTPServer):
    pass


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()


Forking(("127.0.0.1", int(sys.argv[1])), Answer).serve_forever()
"""


def test_forked_children_have_the_name_of_their_parent(start_agent, tmp_path):
    port = free_port()
    script = tmp_path / "orders_api.py"
    script.write_text(FORKING_SERVER)
    agent = start_agent(ports=[port])
    with Process([sys.executable, script, port], log=tmp_path / "server.log"):
        eventually(lambda: accepts(port), what="the server")
        for _ in range(60):
            curl(f"http://127.0.0.1:{port}/ok")
        report = agent.wait_for_count(SERVER, 60)
    assert {series["service"] for series in report.series(SERVER)} == {"orders_api"}
