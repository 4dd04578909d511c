"""The real node of scripts/cluster, and what tests do with it."""
import json
import secrets
import subprocess
import sys
import time

from support.agent import ROOT
from support.metrics_page import OPENMETRICS, MetricsPage
from support.waiting import eventually

sys.path.insert(0, str(ROOT / "scripts" / "lib"))
from cluster.files import NODE, NODE_IP  # noqa: E402,F401
from cluster.node import Node  # noqa: E402


class Cluster:
    """Everything here goes through scripts/cluster, as a developer's commands do."""

    def __init__(self):
        self.script = ROOT / "scripts" / "cluster"

    def missing(self):
        return Node(ROOT).missing()

    def is_up(self):
        return Node(ROOT).is_up()

    def call(self, *arguments, within=120.0, check=True, stdin=None):
        """Runs to the end; its standard output."""
        result = subprocess.run([self.script, *map(str, arguments)], capture_output=True, text=True,
                                timeout=within, check=False, input=stdin or "", cwd=ROOT)
        assert not check or result.returncode == 0, \
            f"{arguments} ended with {result.returncode}:\n{result.stdout}{result.stderr}"
        return result.stdout

    def kubectl(self, *arguments, **options):
        return self.call("kubectl", *arguments, **options)

    def helm(self, *arguments, **options):
        return self.call("helm", *arguments, **options)

    def objects(self, *arguments):
        return json.loads(self.kubectl("get", *arguments, "-o", "json"))["items"]

    def inside(self, *command, **options):
        """A process inside, still running."""
        return subprocess.Popen([self.script, "exec", *map(str, command)], text=True, cwd=ROOT,
                                **options)

    def get(self, url, *arguments):
        """The body of an answer; fails unless it is a 2xx."""
        return self.call("exec", "curl", "-sSkf", "-m", "10", *arguments, url)

    def pods(self, namespace, **labels):
        """Running pods that are not being deleted."""
        selector = ",".join(f"{key}={value}" for key, value in labels.items())
        return [pod for pod in self.objects("pods", "-n", namespace, "-l", selector)
                if pod["status"]["phase"] == "Running" and
                "deletionTimestamp" not in pod["metadata"]]

    def service(self, name, namespace="shop"):
        found = json.loads(self.kubectl("get", "service", name, "-n", namespace, "-o", "json"))
        return f"http://{found['spec']['clusterIP']}:{found['spec']['ports'][0]['port']}"

    def pids_in(self, pod):
        """Processes of a pod, by the cgroup that names it."""
        uid = pod["metadata"]["uid"]
        found = set()
        for cgroup in Node(ROOT).cgroups():
            for path in cgroup.rglob("cgroup.procs"):
                if uid in str(path):
                    found.update(map(int, path.read_text().split()))
        return found


class InstalledAgent:
    """The chart's release, as it is now."""

    def __init__(self, cluster, name="exemplar-agent", namespace="observability"):
        self.cluster, self.name, self.namespace = cluster, name, namespace

    def pod(self):
        """The one ready pod of the DaemonSet."""
        def ready():
            pods = [pod for pod in self.cluster.pods(self.namespace, **{
                "app.kubernetes.io/name": "exemplar-agent", "app.kubernetes.io/instance": self.name})
                    if all(one["ready"] for one in pod["status"].get("containerStatuses", [{"ready": 0}]))]
            return pods[0] if len(pods) == 1 else None
        return eventually(ready, within=60, what="one ready pod of the agent")

    def page(self, pod=None):
        address = (pod or self.pod())["status"]["podIP"]
        return MetricsPage(self.cluster.get(f"http://{address}:9464/metrics",
                                            "-H", f"Accept: {OPENMETRICS}"))

    def log(self):
        return self.cluster.kubectl("logs", "-n", self.namespace, self.pod()["metadata"]["name"])

    def upgrade(self, *settings):
        """helm upgrade with these settings instead of the ones before."""
        self.cluster.helm("upgrade", self.name, "helm/exemplar-agent", "-n", self.namespace,
                          "--reset-values", *settings)
        self.cluster.kubectl("rollout", "status", f"daemonset/{self.name}", "-n", self.namespace,
                             "--timeout", "90s")
        return self.pod()


class Load:
    """Steady requests from the node to a URL, each with a trace id of its own that begins with
    `prefix`. A context manager; `results` after its end."""

    def __init__(self, cluster, folder, url, rate=20):
        self.prefix = secrets.token_hex(8)
        self.path = folder / f"load-{self.prefix}.json"
        with self.path.open("w") as output:
            self.process = cluster.inside(sys.executable, ROOT / "tests/cluster/load.py", url, rate,
                                          self.prefix, stdin=subprocess.PIPE, stdout=output)

    def results(self):
        return [json.loads(line) for line in self.path.read_text().splitlines(keepends=True)
                if line.endswith("\n")]

    def wait_for(self, more, within=60):
        """Until so many more requests were answered."""
        before = len(self.results())
        eventually(lambda: len(self.results()) >= before + more, within=within,
                   what=f"{more} more answers")

    def __enter__(self):
        self.wait_for(5)
        return self

    def __exit__(self, *_):
        self.process.stdin.close()
        self.process.wait(timeout=30)

    def failures(self):
        return [one for one in self.results() if one["status"] != 200]

    def answered_by(self):
        """trace id -> the pod that answered."""
        return {one["trace_id"]: one["pod"] for one in self.results() if one["status"] == 200}


def seconds_until(condition, within, what):
    begin = time.monotonic()
    eventually(condition, within=within, what=what)
    return time.monotonic() - begin
