"""otlp_sink.py as a process in another network namespace than the test's."""
import json
import subprocess

from support.agent import ROOT


def plain(attributes):
    """Attributes of the sink's JSON as a dictionary."""
    return {one["key"]: next(iter(one["value"].values()), None) for one in attributes}


class SinkProcess:
    """inside(command ..., **options of Popen) starts it; host is its address there. What it takes is
    read from its file."""

    def __init__(self, inside, host, folder):
        self.path = folder / "otlp.json"
        self.process = inside(
            ROOT / "build/venv/bin/python", ROOT / "tests/support/otlp_sink.py", "--host", host,
            "--output", self.path, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.url = f"http://{host}:{json.loads(self.process.stdout.readline())['port']}"
        self.offset, self.items = 0, []

    def _read(self):
        with self.path.open("rb") as output:
            output.seek(self.offset)
            content = output.read()
        whole = content[:content.rfind(b"\n") + 1]
        self.offset += len(whole)
        self.items += map(json.loads, whole.splitlines())

    def spans(self, prefix=""):
        """trace id, service, resource and attributes of each span whose trace id begins so."""
        self._read()
        return [{"trace_id": item["span"]["trace_id"], "span_id": item["span"]["span_id"],
                 "kind": item["span"]["kind"], "resource": plain(item["resource"]["attributes"]),
                 "attributes": plain(item["span"].get("attributes", []))}
                for item in self.items if item["type"] == "span" and
                item["span"]["trace_id"].startswith(prefix)]

    def points(self):
        """How many points of metrics came."""
        self._read()
        return sum(item["type"] == "point" for item in self.items)

    def exemplars(self, metric):
        """(resource, exemplar) of every point of a histogram."""
        self._read()
        return [(plain(item["resource"]["attributes"]), exemplar)
                for item in self.items if item["type"] == "point" and
                item["metric"]["name"] == metric for exemplar in item["point"].get("exemplars", [])]

    def stop(self):
        self.process.stdin.close()
        self.process.wait(timeout=10)
