"""Other ways out than spans and cumulative histograms, and what happens when they are blocked."""
import time

from support.load import curl, h2load
from support.otlp_backend import Answer, OtlpBackend, ask, integrity
from support.report import SERVER
from support.servers import Service
from support.waiting import eventually

LOGS = "otlp:\n  logs:\n    enabled: true\n    omit: [client.address, client.port]\n"
DELTA = "otlp:\n  metrics:\n    temporality: delta\n"
BUDGET = "exemplars:\n  budget: 40\n  budget_min: 5\n"


def test_log_records_tell_of_slow_and_failed_requests(start_agent, nginx):
    with OtlpBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=LOGS)
        ask(nginx, 2)
        records = eventually(lambda: [one for one in backend.records()
                                      if one["severity"] == "ERROR"], what="records of errors")
        spans = {(span["trace_id"], span["span_id"]) for span in backend.spans()}
        for record in backend.records():
            assert (record["trace_id"], record["span_id"]) in spans, record
            assert "client.address" not in record["attributes"]
            assert record["attributes"]["exemplar.reason"] in ("slowest", "error")
        assert records[0]["body"].startswith("GET /broken 503 took "), records[0]
        eventually(lambda: agent.scrape().sum("exemplar_agent_export_log_records_sent_total") > 0,
                   what="records that are counted as sent")
        page = agent.scrape()
        assert page.sum("exemplar_agent_export_log_records_dropped_total") == 0


def test_a_log_backend_that_is_down_holds_nothing_up(start_agent, nginx):
    with OtlpBackend(lambda path, _: Answer(status=503 if path == "/v1/logs" else 200)) as backend:
        start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=LOGS)
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11 and integrity(backend)[0],
                   what="exemplars with ids")
        assert backend.requests["/v1/logs"] >= 1
        assert not backend.records()


def test_deltas_add_up_whatever_becomes_of_batches(start_agent, nginx):
    """Every other request for metrics is put off, so that batches are superseded."""
    def answer(path, number):
        return Answer(status=503 if path == "/v1/metrics" and number % 2 else 200, accept=True)

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=DELTA)
        for _ in range(5):
            ask(nginx)
            time.sleep(0.7)
        agent.wait_for_count(SERVER, 55, "nginx")
        eventually(lambda: backend.added(SERVER) == 55, within=20, what="55 requests in deltas")
        agent.wait_for_windows(4)
        assert backend.added(SERVER) == 55, "and no more"


def test_the_budget_shrinks_while_the_backend_puts_spans_off(start_agent, nginx):
    blocked = True

    def answer(path, _):
        return Answer(status=429 if blocked and path == "/v1/traces" else 200)

    def budget():
        return agent.scrape().sum("exemplar_agent_exemplar_budget")

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=BUDGET)
        curl(f"{nginx.url}/ok")
        eventually(lambda: budget() == 40, what="the usual budget")

        def asked_until(wanted):
            curl(*[f"{nginx.url}/ok"] * 5)
            return budget() == wanted
        eventually(lambda: asked_until(5), within=30, what="the smallest budget")
        page = agent.scrape()
        assert page.sum("exemplar_agent_exemplar_budget_pressure_total", reason="backend") > 0
        blocked = False
        eventually(lambda: asked_until(40), within=60, what="the usual budget again")
        eventually(lambda: integrity(backend)[0], within=20, what="exemplars with ids")
        with_ids, found = integrity(backend)
        assert with_ids == found


def test_the_budget_grows_while_a_service_fails(start_agent, nginx):
    agent = start_agent(ports=[nginx.port],
                        config="exemplars:\n  budget: 10\n  budget_max: 100\n")
    h2load(f"{nginx.url}/ok", 100)
    eventually(lambda: agent.scrape().sum("exemplar_agent_exemplar_budget") == 10,
               what="the usual budget")

    def failed_until(wanted):
        curl(*[f"{nginx.url}/broken"] * 40)
        return agent.scrape().sum("exemplar_agent_exemplar_budget") == wanted
    eventually(lambda: failed_until(100), within=20, what="the largest budget")


def test_routes_are_labels_and_health_checks_are_not_counted(start_agent, tmp_path):
    config = ("routes:\n  known: ['/users/{id}', '/slow']\n  ignore: [/healthz]\n")
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port], config=config)
        curl(*[f"{service.url}/users/{number}" for number in range(5)],
             f"{service.url}/healthz", f"{service.url}/slow?ms=1", f"{service.url}/other")
        agent.wait_for_count(SERVER, 7, "python")
        agent.wait_for_count(SERVER, 5, "python", **{"http.route": "/users/{id}"})
        agent.wait_for_count(SERVER, 1, "python", **{"http.route": "/slow"})
        page = agent.scrape()
        # At both of its ends.
        assert page.sum("exemplar_agent_exchanges_filtered_total", reason="route") == 2
        named = {span["name"] for span in agent.report().find_spans("python", "SERVER")}
        assert "GET /users/{id}" in named
