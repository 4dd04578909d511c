"""Requests that break a rule of HTTP: what a server answers is one exchange at each end, with the
status that its access log has."""
import collections
import re

import pytest

from support.raw_client import RawClient
from support.report import CLIENT, SERVER
from support.servers import Service

HOST = b"Host: test\r\n"
ODD = {
    "plain": b"GET /ok HTTP/1.1\r\n" + HOST + b"\r\n",
    "no colon": b"GET /ok HTTP/1.1\r\n" + HOST + b"garbage\r\n\r\n",
    "bracket in name": b"GET /ok HTTP/1.1\r\n" + HOST + b"X-Foo[bar]: 1\r\n\r\n",
    "blank before colon": b"GET /ok HTTP/1.1\r\n" + HOST + b"X-Foo : 1\r\n\r\n",
    "no name": b"GET /ok HTTP/1.1\r\n" + HOST + b": x\r\n\r\n",
    "first line folded": b"GET /ok HTTP/1.1\r\n X: 1\r\n" + HOST + b"\r\n",
    "NUL": b"GET /ok HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n",
    "bare CR": b"GET /ok HTTP/1.1\r\n" + HOST + b"X: a\rb\r\n\r\n",
    "blank in target": b"GET /o k HTTP/1.1\r\n" + HOST + b"\r\n",
    "relative target": b"GET ok/path HTTP/1.1\r\n" + HOST + b"\r\n",
    "tabs": b"GET\t/ok\tHTTP/1.1\r\n" + HOST + b"\r\n",
    "version 2": b"GET /ok HTTP/2.0\r\n" + HOST + b"\r\n",
    "version 1.10": b"GET /ok HTTP/1.10\r\n" + HOST + b"\r\n",
    "length and coding": b"POST /ok HTTP/1.1\r\n" + HOST +
                         b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    "identity": b"POST /ok HTTP/1.1\r\n" + HOST +
                b"Transfer-Encoding: identity\r\nContent-Length: 2\r\n\r\nok",
    "two lengths": b"POST /ok HTTP/1.1\r\n" + HOST +
                   b"Content-Length: 2\r\nContent-Length: 3\r\n\r\nokk",
    "length with sign": b"POST /ok HTTP/1.1\r\n" + HOST + b"Content-Length: +2\r\n\r\nok",
    "CR only": b"GET /ok HTTP/1.1\rHost: test\r\r",
}


def answers(port, requests):
    """How many answers had each status, to one request a connection."""
    statuses = []
    for request in requests:
        with RawClient(port) as client:
            client.send(request)
            data = client.read_until("\r\n\r\n")
        statuses.append(int(re.match(rb"HTTP/1\.. (\d{3})", data)[1]))
    return collections.Counter(statuses)


def assert_counted(agent, program, statuses):
    """The first request was the only one that breaks no rule."""
    for metric, ends in ((SERVER, program), (CLIENT, "python")):
        report = agent.wait_for_count(metric, statuses.total(), ends)
        counted = {code: report.count(metric, ends, **{"http.response.status_code": code})
                   for code in statuses}
        assert counted == dict(statuses), metric
    page = agent.scrape()
    assert page.sum("exemplar_agent_orphans_total") == 0
    assert page.sum("exemplar_agent_parse_errors_total") == 2 * (statuses.total() - 1)


def test_nginx_counts_what_its_access_log_counts(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    statuses = answers(nginx.port, ODD.values())
    nginx.finish()
    log = (nginx.folder / "access.log").read_text().splitlines()
    assert collections.Counter(int(line.split(" ")[1]) for line in log) == statuses
    assert statuses[200] > 2 and statuses[400] > 5
    assert_counted(agent, "nginx", statuses)


# Python answers one of these without a status, and waits for the end of the other's first line.
@pytest.mark.parametrize("name, program, without", [
    ("service.py", "python", {"version 2", "CR only"}), ("service.js", "node", set())])
def test_python_and_node_answer_odd_requests(start_agent, tmp_path, name, program, without):
    requests = [request for odd, request in ODD.items() if odd not in without]
    with Service(tmp_path, name) as service:
        agent = start_agent(ports=[service.port])
        assert_counted(agent, program, answers(service.port, requests))


def test_the_next_request_on_a_connection_counts(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    with RawClient(nginx.port) as client:
        for name in ("no colon", "bracket in name", "plain"):
            client.send(ODD[name]).read_until("ok\n")
    for metric, program in ((SERVER, "nginx"), (CLIENT, "python")):
        agent.wait_for_count(metric, 3, program, **{"http.response.status_code": 200})
