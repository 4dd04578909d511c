"""Exemplars open traces: given contexts are kept, missing ones are made alike at both ends."""
import os

import pytest

from support.load import curl
from support.report import CLIENT, SERVER
from support.servers import Nginx, Service
from support.waiting import eventually

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
PARENT = "00f067aa0ba902b7"


def test_a_given_context_is_kept(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    curl("--header", f"traceparent: 00-{TRACE}-{PARENT}-01", f"{nginx.url}/ok")
    agent.wait_for_count(CLIENT, 1, "curl")
    report = agent.wait_for_count(SERVER, 1, "nginx")

    exemplar, = report.exemplars(SERVER, "nginx")
    assert exemplar["trace_id"] == TRACE
    span, = [span for span in report.find_spans("nginx") if span["span_id"] == exemplar["span_id"]]
    client, = report.find_spans("curl", "CLIENT")
    assert (span["trace_id"], span["kind"]) == (TRACE, "SERVER")
    assert (client["trace_id"], client["parent_span_id"]) == (TRACE, PARENT)
    assert span["parent_span_id"] in (client["span_id"], PARENT)  # if that ended in a later window
    assert span["attributes"]["exemplar"] in ("true", True)
    assert span["attributes"]["exemplar.reason"] in ("slowest", "bucket")


@pytest.mark.parametrize("value", [f"00-{TRACE.upper()}-{PARENT}-01", f"00-{'0' * 32}-{PARENT}-01",
                                   f"ff-{TRACE}-{PARENT}-01", f"00-{TRACE}-{PARENT}-01-x"])
def test_an_invalid_context_is_no_context(start_agent, nginx, value):
    agent = start_agent(ports=[nginx.port])
    curl("--header", f"traceparent: {value}", f"{nginx.url}/ok")
    exemplar, = agent.wait_for_count(SERVER, 1, "nginx").exemplars(SERVER, "nginx")
    assert exemplar["trace_id"] not in (TRACE, "0" * 32, "")


def test_client_and_server_on_one_host_share_a_trace_without_any_header(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 3)
    agent.wait_for_count(SERVER, 3, "nginx")
    agent.wait_for_count(CLIENT, 3, "curl")
    report = eventually(lambda: agent.report() if agent.report().find_spans("curl") and
                        agent.report().find_spans("nginx") else None, what="spans of both ends")

    clients = {span["span_id"]: span for span in report.find_spans("curl", "CLIENT")}
    servers = report.find_spans("nginx", "SERVER")
    assert servers
    for server in servers:
        client = clients[server["parent_span_id"]]
        assert server["trace_id"] == client["trace_id"]
        assert client["start_unix_ns"] <= server["start_unix_ns"]
        assert server["end_unix_ns"] <= client["end_unix_ns"] + 1_000_000


def test_every_status_and_the_slowest_have_an_exemplar(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port])
        curl(*[f"{service.url}/ok"] * 50, f"{service.url}/fail", f"{service.url}/slow?ms=300")
        report = agent.wait_for_count(SERVER, 52, "python")

    errors = report.exemplars(SERVER, "python", **{"http.response.status_code": 500})
    slowest = max(report.exemplars(SERVER, "python"), key=lambda exemplar: exemplar["value"])
    assert errors and slowest["value"] >= 0.3
    spans = {span["span_id"]: span for span in report.find_spans("python")}
    assert spans[errors[0]["span_id"]]["status"] == "ERROR"
    assert spans[slowest["span_id"]]["attributes"]["url.path"] == "/slow"


def test_service_names_of_the_processes_themselves(start_agent, tmp_path):
    environment = dict(os.environ, OTEL_SERVICE_NAME="checkout",
                       OTEL_RESOURCE_ATTRIBUTES="deployment.environment.name=test")
    with Service(tmp_path, "service.py", env=environment) as service:
        agent = start_agent(ports=[service.port])
        curl(f"{service.url}/ok")
        series, = agent.wait_for_count(SERVER, 1, "python").series(SERVER, "python")
    assert series["service"] == "checkout"
    assert series["resource"]["service.name"] == "checkout"
    assert series["resource"]["deployment.environment.name"] == "test"
    assert series["resource"]["process.pid"] == service.pid


def test_secrets_do_not_leave(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    curl("--header", "Authorization: Bearer canary-header", "--cookie", "session=canary-cookie",
         "--data", "canary-body", f"{nginx.url}/ok?token=canary-query")
    agent.wait_for_count(SERVER, 1, "nginx")
    agent.wait_for_count(CLIENT, 1, "curl")
    for text in (agent.json_path.read_text(), agent.scrape().text, agent.log()):
        assert "canary" not in text


# What an exemplar's trace is of a proxy that knows nothing of tracing: it passes the header on.
def test_a_proxy_is_between_its_caller_and_its_service(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service, \
            Nginx(tmp_path / "nginx", upstream=service.port) as proxy:
        agent = start_agent(ports=[proxy.port, service.port], window="2s")
        for number, took in enumerate((5, 20, 60, 150, 400)):  # each explains a bucket of its own
            curl("--header", f"traceparent: 00-{number + 1:032x}-{PARENT}-01",
                 f"{proxy.url}/backend/slow?ms={took}")
        for metric in (SERVER, CLIENT):
            agent.wait_for_count(metric, 5, "nginx")
        report = agent.wait_for_windows(2)

    services = {span["span_id"] for span in report.find_spans("python")}
    trees = [[span for span in report.spans if span["trace_id"] == f"{number + 1:032x}"]
             for number in range(5)]
    whole = 0
    for spans in trees:
        ids = {span["span_id"]: span for span in spans}
        above = {span["span_id"]: ids.get(span["parent_span_id"]) for span in spans}
        chain = [span for span in spans if span["span_id"] in services]
        while chain and (parent := above[chain[-1]["span_id"]]):
            chain.append(parent)
        if len(spans) < 4 or len(chain) < 4:
            continue  # its ends were exported in different windows
        whole += 1
        service_server, proxy_client, proxy_server, caller = chain
        assert [span["kind"] for span in chain] == ["SERVER", "CLIENT", "SERVER", "CLIENT"]
        assert caller["parent_span_id"] == PARENT
        assert [span["attributes"].get("exemplar.link") for span in chain] == [
            "connection", "context", "connection", None]
        assert caller["start_unix_ns"] <= proxy_server["start_unix_ns"] <= \
            proxy_client["start_unix_ns"] <= service_server["start_unix_ns"]
    assert whole >= 1, trees
