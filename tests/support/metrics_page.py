"""One scrape of the agent's endpoint, read by Prometheus' own parser."""
import urllib.request

from prometheus_client.openmetrics.parser import text_string_to_metric_families

OPENMETRICS = "application/openmetrics-text; version=1.0.0"


class MetricsPage:
    def __init__(self, text):
        self.text = text
        self.samples = [sample for family in text_string_to_metric_families(text)
                        for sample in family.samples]

    def find(self, name, **labels):
        return [sample for sample in self.samples if sample.name == name and
                all(sample.labels.get(key) == value for key, value in labels.items())]

    def sum(self, name, **labels):
        """Sum over all series; 0 if there is none, as of a counter never touched."""
        total = sum(sample.value for sample in self.find(name, **labels))
        return int(total) if total == int(total) else total

    def dropped_chunks(self):
        """Why chunks were lost, and how many. Of a full ring the agent's want of CPU is the cause,
        where nobody floods it."""
        return {f"{group}_{sample.labels['reason']}": int(sample.value)
                for group in ("kernel_dropped", "kernel_tls_dropped")
                for sample in self.find(f"exemplar_agent_{group}_total") if sample.value}

    def names(self):
        return {sample.name for sample in self.samples}

    def exemplars(self, name):
        return [sample.exemplar for sample in self.find(name) if sample.exemplar]


def scrape(port, host="127.0.0.1", accept=OPENMETRICS):
    request = urllib.request.Request(f"http://{host}:{port}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=5) as reply:
        return MetricsPage(reply.read().decode())
