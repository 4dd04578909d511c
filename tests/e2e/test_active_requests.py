"""Requests that are open when a window closes, which are counted where that is asked for."""
import subprocess

from support.load import curl
from support.report import ACTIVE, SERVER
from support import tls
from support.servers import Service
from support.waiting import eventually

COUNT_OPEN = "metrics:\n  active_requests: true\n"


def test_they_count_while_they_are_open_and_are_zero_afterwards(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port], config=COUNT_OPEN)
        waiting = [subprocess.Popen(["curl", "-s", "-o", "/dev/null", f"{service.url}/slow?ms=6000"])
                   for _ in range(3)]

        def open_now():
            return [line["value"] for line in agent.report().series(ACTIVE, "python")]

        eventually(lambda: open_now() == [3], what="the three to be counted")
        page = agent.scrape()
        assert page.sum("http_server_active_requests", http_request_method="GET", url_scheme="http") == 3
        assert "# TYPE http_server_active_requests gauge" in page.text
        assert agent.report().count(SERVER) == 0
        for process in waiting:
            assert process.wait(timeout=30) == 0
        agent.wait_for_count(SERVER, 3, "python")
        eventually(lambda: open_now() == [0], what="none to be open")


def test_without_the_setting_nothing_tells_them(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port])
        curl(f"{service.url}/ok")
        report = agent.wait_for_count(SERVER, 1, "python")
        assert report.series(ACTIVE) == []
        assert "active_requests" not in agent.scrape().text


def test_they_end_with_a_tls_server_whose_socket_is_not_known(start_agent, tmp_path):
    with tls.node_server(tmp_path, tls.Certificate(tmp_path)) as server:
        agent = start_agent(ports=[server.port], config=COUNT_OPEN)
        tls.wait_for_probes(agent, server)
        waiting = subprocess.Popen(["curl", "-sk", "-o", "/dev/null", f"{server.url}/never"])

        def open_now():
            return [line["value"] for line in agent.report().series(ACTIVE, "node")]

        eventually(lambda: open_now() == [1], what="the request to be counted")
        server.child.kill()
        waiting.wait(timeout=30)
        agent.wait_for_count(SERVER, 1, "node")
        eventually(lambda: open_now() == [0], what="none to be open")
