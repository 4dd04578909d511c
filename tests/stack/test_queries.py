"""Every query of every panel, variable and rule has an answer, where Debian's Prometheus scrapes the
agent while it observes real traffic."""
import pytest
import yaml

from stack.conftest import DASHBOARDS, FILES, RULES, needs_root
from stack.panels import unanswered
from stack.traffic import Traffic
from support.otlp_backend import OtlpBackend
from support.prometheus import Prometheus
from support.servers import Nginx, Service
from support.waiting import eventually


def scraping_config(folder, port, honor_labels):
    """The stack's own configuration at a quicker pace, without what Debian's version lacks."""
    config = yaml.safe_load((FILES / "prometheus/prometheus.yaml").read_text())
    del config["otlp"]
    config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
    config["rule_files"] = [str(path) for path in RULES]
    agents = folder / "agents.yaml"
    agents.write_text(yaml.safe_dump([{"targets": [f"127.0.0.1:{port}"]}]))
    config["scrape_configs"] = [dict(config["scrape_configs"][0], honor_labels=honor_labels,
                                     file_sd_configs=[{"files": [str(agents)]}])]
    return yaml.safe_dump(config)


@needs_root
@pytest.mark.parametrize("honor_labels", [True, False])
def test_every_query_has_data_where_prometheus_scrapes(start_agent, tmp_path, honor_labels):
    with Service(tmp_path, "service.py") as service, OtlpBackend() as backend, \
            Nginx(tmp_path / "nginx", upstream=service.port) as nginx:
        agent = start_agent("--otlp-endpoint", backend.url, window="1s",
                            ports=[nginx.port, service.port])
        with Traffic(nginx.url), Prometheus(tmp_path / "prometheus", agent.metrics_port,
                                            scraping_config(tmp_path, agent.metrics_port,
                                                            honor_labels)) as prometheus:
            def all_answered():
                found = unanswered(prometheus, DASHBOARDS, RULES, job="nginx")
                assert not found, "\n".join(found)
                return True
            eventually(all_answered, within=60)
            told = prometheus.query(
                "query", query="job:http_server_request_duration_seconds_count:rate5m")["result"]
            assert {"nginx", "service"} <= {one["metric"]["job"] for one in told}, \
                "services stay apart, however the scrape job is set up"
