"""Span metrics and the graph of services on Debian's Prometheus, as Grafana asks for them."""
from support.load import curl
from support.otlp_backend import OtlpBackend
from support.prometheus import Prometheus
from support.servers import Nginx, Service
from support.waiting import eventually

CONFIG = "metrics:\n  span_metrics: true\n  service_graph: true\n"
OF_PYTHON = 'service=~"python.*|service.*"'


def test_the_graph_shows_who_asks_whom(start_agent, tmp_path):
    with OtlpBackend() as backend, Service(tmp_path, "service.py") as service, \
            Nginx(tmp_path / "nginx", upstream=service.port) as nginx:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port, service.port],
                            config=CONFIG)
        with Prometheus(tmp_path / "prometheus", agent.metrics_port) as prometheus:
            eventually(lambda: prometheus.scrape_error() == "", what="the first scrape")
            curl(*[f"{nginx.url}/backend/ok"] * 20, *[f"{nginx.url}/backend/fail"] * 3)

            def edges(metric):
                result = prometheus.query("query", query=f"sum by (client, server) ({metric})")
                return {(one["metric"]["client"], one["metric"]["server"]): float(one["value"][1])
                        for one in result["result"]}

            def of_nginx(metric):
                return sum(value for (client, _), value in edges(metric).items()
                           if client == "nginx")
            eventually(lambda: of_nginx("traces_service_graph_request_total") == 23, within=15,
                       what="23 requests of nginx")
            assert of_nginx("traces_service_graph_request_failed_total") == 3
            assert of_nginx("traces_service_graph_request_client_seconds_count") == 23
            assert of_nginx("traces_service_graph_request_server_seconds_count") == 23
            servers = {server for client, server in edges("traces_service_graph_request_total")
                       if client == "nginx"}
            assert len(servers) == 1, servers
            service_name, = servers
            assert ("curl", "nginx") in edges("traces_service_graph_request_total")

            calls = prometheus.query("query", query='sum by (span_name, status_code) '
                                     '(traces_spanmetrics_calls_total{service="nginx",'
                                     'span_kind="SPAN_KIND_SERVER"})')["result"]
            assert {(one["metric"]["span_name"], one["metric"]["status_code"]):
                    float(one["value"][1]) for one in calls} == {
                        ("GET", "STATUS_CODE_UNSET"): 20, ("GET", "STATUS_CODE_ERROR"): 3}
            latency = f'traces_spanmetrics_latency_count{{service="{service_name}"}}'
            assert prometheus.value(latency) == 23
            exemplars = eventually(
                lambda: prometheus.exemplars("traces_spanmetrics_latency_bucket"),
                what="exemplars of latencies")
            of_counter = eventually(
                lambda: prometheus.exemplars("traces_spanmetrics_calls_total"),
                what="exemplars of a counter")
        stored = {(span["trace_id"], span["span_id"]) for span in backend.spans()}
        for exemplar in exemplars + of_counter:
            labels = exemplar["labels"]
            assert (labels["trace_id"], labels["span_id"]) in stored, exemplar
