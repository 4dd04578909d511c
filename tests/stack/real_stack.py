"""The stack of scripts/stack, from the built tools, on ports and in a folder of the test's own."""
import os
import re
import subprocess
import sys

from stack.conftest import ROOT, tool
from support.prometheus import Queries
from support.waiting import free_port

sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import follow_exemplars  # noqa: E402

PARTS = ("OTLP", "OTLP_GRPC", "HEALTH", "PROMETHEUS", "JAEGER", "JAEGER_OTLP", "GRAFANA", "METRICS")


class RealStack:
    def __init__(self, folder, *arguments, **settings):
        for name in ("prometheus", "jaeger", "otelcol"):
            tool(name)
        self.folder = folder / "stack"
        ports = {part: free_port() for part in PARTS}
        self.env = dict(os.environ, STACK_WITH="tools", STACK_STATE=str(self.folder), **settings,
                        **{f"STACK_{part}_PORT": str(port) for part, port in ports.items()})
        self.otlp = f"http://127.0.0.1:{ports['OTLP']}"
        self.jaeger = f"http://127.0.0.1:{ports['JAEGER']}"
        self.prometheus = Queries(f"http://127.0.0.1:{ports['PROMETHEUS']}")
        started = self.run("up", "--no-agent", *arguments)
        assert started.returncode == 0, started.stdout + started.stderr
        self.printed = started.stdout

    def run(self, *arguments):
        return subprocess.run([ROOT / "scripts/stack", *arguments], env=self.env, text=True,
                              capture_output=True, timeout=90, stdin=subprocess.DEVNULL)

    def pids(self):
        return {name: int(pid) for name, pid in
                re.findall(r"(\w+): process (\d+), ready", self.run("status").stdout)}

    def follow(self):
        """Every exemplar of Prometheus, each followed into Jaeger by its trace id."""
        return follow_exemplars.follow(self.prometheus.url, self.jaeger)

    def trace(self, trace_id):
        return follow_exemplars.trace(self.jaeger, trace_id)

    def scrape(self, port):
        """From now on Prometheus scrapes this agent."""
        (self.folder / "prometheus/targets/agents.yaml").write_text(
            f"[{{targets: ['127.0.0.1:{port}']}}]")

    def logs(self):
        return "\n".join(f"{path.name}:\n{path.read_text()}"
                         for path in sorted(self.folder.glob("*.log")))

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pids = self.pids()
        ended = self.run("down")
        assert ended.returncode == 0, ended.stderr
        assert not [pid for pid in pids.values() if os.path.exists(f"/proc/{pid}")], pids
        assert not list(self.folder.glob("*.pid"))
