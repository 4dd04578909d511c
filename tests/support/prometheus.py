"""Debian's Prometheus with exemplar storage, scraping one agent or what a configuration says."""
import json
import time
import urllib.parse
import urllib.request

from support.process import Process
from support.waiting import eventually, free_port, http_status

CONFIG = """\
global:
  scrape_interval: 1s
  scrape_timeout: 1s
scrape_configs:
  - job_name: exemplar-agent
    honor_labels: true
    static_configs:
      - targets: ["{target}"]
"""


class Queries:
    """What a running Prometheus answers."""

    def __init__(self, url):
        self.url = url

    def query(self, path, **parameters):
        url = f"{self.url}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        with urllib.request.urlopen(url, timeout=5) as reply:
            answer = json.load(reply)
        assert answer["status"] == "success", answer
        return answer["data"]

    def value(self, expression):
        """The sum of an instant query; None without a sample."""
        result = self.query("query", query=f"sum({expression})")["result"]
        return float(result[0]["value"][1]) if result else None

    def exemplars(self, expression, since_seconds=300):
        """Every exemplar of the series: labels of the exemplar, value, timestamp."""
        now = time.time()
        data = self.query("query_exemplars", query=expression, start=now - since_seconds,
                          end=now + 5)
        return [dict(exemplar, series=series["seriesLabels"])
                for series in data for exemplar in series["exemplars"]]


class Prometheus(Process, Queries):
    def __init__(self, folder, agent_port, config_text=None):
        folder.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        config = folder / "prometheus.yml"
        config.write_text(config_text or CONFIG.format(target=f"127.0.0.1:{agent_port}"))
        super().__init__(
            ["prometheus", f"--config.file={config}", f"--storage.tsdb.path={folder}/tsdb",
             "--enable-feature=exemplar-storage", f"--web.listen-address=127.0.0.1:{self.port}",
             "--log.level=warn"], log=folder / "prometheus.log")
        eventually(lambda: http_status(f"{self.url}/-/ready") == 200, within=20, what="Prometheus")

    def scrape_error(self):
        """What the last scrape of the agent failed with; empty if it did not."""
        targets = self.query("targets")["activeTargets"]
        if not targets:
            return "not scraped yet"
        target, = targets
        return "" if target["health"] == "up" else target["lastError"] or target["health"]
