"""The demo behind scripts/demo: narrates, runs, proves."""
import os
import pathlib
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
os.environ.setdefault("EXA_AGENT", str(ROOT / "build/release/exemplar-agent"))

from span_tree import draw_trees  # noqa: E402
from support import tls  # noqa: E402
from support.agent import binary  # noqa: E402
from support.metrics_page import scrape  # noqa: E402
from support.otlp_backend import OtlpBackend  # noqa: E402
from support.process import Process  # noqa: E402
from support.prometheus import Prometheus  # noqa: E402
from support.servers import SERVICES, Nginx, Service  # noqa: E402
from support.waiting import accepts, eventually, free_port, http_status  # noqa: E402

TRAFFIC_SECONDS = 20
COUNT = "http_server_request_duration_seconds_count"
BUCKETS = "http_server_request_duration_seconds_bucket"
CALL_BUCKETS = "rpc_server_call_duration_seconds_bucket"
RULE = "route=/ok -> never"


def say(text):
    print(f"\n\033[1m>> {text}\033[0m" if sys.stdout.isatty() else f"\n>> {text}", flush=True)


class Traffic:
    """Real clients, each in a thread of its own, until the time is over."""

    def __init__(self, url, encrypted_url, calls_port):
        self.url = url
        self.calls_port = calls_port
        self.encrypted_url = encrypted_url
        self.end = time.monotonic() + TRAFFIC_SECONDS
        self.failures = []
        self.threads = [threading.Thread(target=client) for client in
                        (self.steady_load, self.slow_path, self.failing_path, self.known_traces,
                         self.encrypted, self.calls)]
        for thread in self.threads:
            thread.start()

    def run(self, *command):
        result = subprocess.run(list(map(str, command)), capture_output=True, text=True,
                                stdin=subprocess.DEVNULL, check=False)
        if result.returncode != 0:
            self.failures.append(f"{command[0]} ended with {result.returncode}: {result.stderr}")

    def curl(self, path, *arguments):
        self.run("curl", "-sS", "-o", "/dev/null", *arguments, self.url + path)

    def steady_load(self):
        loads = [threading.Thread(target=self.run, args=(
            "h2load", "--h1", "-c", 4, "-t", 1, "-n", rate * TRAFFIC_SECONDS, "--rps", rate / 4,
            self.url + path)) for path, rate in (("/ok", 400), ("/backend/ok", 60))]
        for load in loads:
            load.start()
        for load in loads:
            load.join()

    def slow_path(self):
        delays = [120, 300, 700, 1300]
        while time.monotonic() < self.end - 2:
            self.curl(f"/backend/slow?ms={delays[0]}")
            delays.append(delays.pop(0))

    def failing_path(self):
        while time.monotonic() < self.end - 1:
            self.curl("/backend/fail")
            self.curl("/broken")
            self.curl("/backend/slow?ms=150")

    def known_traces(self):
        number = 0
        while time.monotonic() < self.end - 1:
            number += 1
            self.curl(f"/backend/slow?ms={1500 if number % 5 == 0 else 200}", "-H",
                      f"traceparent: 00-{0xdecade << 40 | number:032x}-{number:016x}-01")

    def encrypted(self):
        while time.monotonic() < self.end - 1:
            self.run("curl", "-sS", "--insecure", "-o", "/dev/null",
                     f"{self.encrypted_url}/slow?ms=40")

    def calls(self):
        while time.monotonic() < self.end - 2:
            self.run(sys.executable, SERVICES / "grpc_client.py", self.calls_port)

    def wait(self):
        for thread in self.threads:
            thread.join()
        if self.failures:
            raise SystemExit(f"demo: requests failed: {self.failures[:3]}")


def last_table(text):
    """The agent prints a table a window, headed by its time. The fullest of the last three."""
    tables = re.split(r"^(?=\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ)", text, flags=re.MULTILINE)
    return max(tables[-3:], key=len).rstrip()


def proof(exemplars, spans):
    """(how many exemplars, how many of them are among the spans)."""
    stored = {(span["trace_id"], span["span_id"]) for span in spans}
    found = sum((exemplar["labels"].get("trace_id"), exemplar["labels"].get("span_id")) in stored
                for exemplar in exemplars)
    return len(exemplars), found


def show_slowest(exemplars, spans):
    slowest = max(exemplars, key=lambda exemplar: float(exemplar["value"]))
    trace_id = slowest["labels"]["trace_id"]
    say(f"The slowest request that Prometheus shows took {float(slowest['value']):.3f} s. "
        f"Its exemplar opens trace {trace_id}:")
    print(draw_trees([span for span in spans if span["trace_id"] == trace_id],
                     marked=slowest["labels"]["span_id"]))


def show_service(what, exemplars, spans):
    """A service's slowest exemplar, which must be among the spans."""
    asked, found = proof(exemplars, spans)
    if not asked or found != asked:
        raise SystemExit(f"demo: {found} of {asked} exemplars of {what} open a trace")
    slowest = max(exemplars, key=lambda exemplar: float(exemplar["value"]))
    trace_id = slowest["labels"]["trace_id"]
    say(f"{what[0].upper()}{what[1:]}: {asked} exemplars, all found\n   among the exported spans. The "
        f"slowest took {float(slowest['value']):.3f} s and opens trace {trace_id}:")
    print(draw_trees([span for span in spans if span["trace_id"] == trace_id],
                     marked=slowest["labels"]["span_id"]))


def show_rule(page, spans):
    """The rule kept requests from becoming exemplars, and no exemplar is one of them."""
    refused = page.sum("exemplar_agent_exemplar_policy_values_total", rule=RULE)
    chosen = [span for span in spans if span["attributes"].get("exemplar.reason") in
              ("slowest", "error", "bucket")]
    of_rule = [span for span in chosen if span["attributes"].get("url.path") == "/ok"]
    if not refused or not chosen or of_rule:
        raise SystemExit(f"demo: the rule refused {refused}, {len(of_rule)} exemplars are of it")
    say(f"The rule '{RULE}' kept {refused:.0f} values of the healthy path from becoming exemplars:\n"
        f"   of the {len(chosen)} spans behind exemplars none is of /ok; the histograms have them all.")


def explained_during(traffic, lock):
    time.sleep(max(traffic.end - time.monotonic() - 3, 0))
    told = subprocess.run([binary(), "explain", "--lock-file", lock], capture_output=True,
                          text=True, check=False)
    if told.returncode != 0:
        raise SystemExit(f"demo: explain ended with {told.returncode}: {told.stderr}")
    return told.stdout


def grpc_service(folder):
    port = free_port()
    service = Process([sys.executable, SERVICES / "grpc_service.py", port],
                      log=folder / "grpc_service.log")
    service.port = port
    eventually(lambda: accepts(port), what="the service of gRPC")
    return service


def demonstrate(folder):
    say("Starting a python service with a slow and a failing path, and nginx in front of it;\n"
        "   another python service that speaks HTTPS only; and one of gRPC, with its client.\n"
        "   None of them knows of any telemetry: no SDK, no agent inside, no header added.")
    with Service(folder, "service.py") as service, \
            Nginx(folder / "nginx", upstream=service.port) as nginx, \
            tls.python_server(folder, tls.Certificate(folder)) as encrypted, \
            grpc_service(folder) as calls, OtlpBackend() as backend:
        metrics_port = free_port()
        say("Starting exemplar-agent. Its spans and metrics go by OTLP to a sink that decodes\n"
            "   them with OpenTelemetry's own definitions; its metrics page is for Prometheus.")
        config = folder / "agent.yaml"
        config.write_text(f"exemplars:\n  rules:\n    - {RULE}\n")
        command = [binary(), "run", "--config", config, "--window", "5s", "--output", "table",
                   "--otlp-endpoint", backend.url, "--openmetrics", f"127.0.0.1:{metrics_port}",
                   "--lock-file", folder / "lock",
                   "--include-port", nginx.port, "--include-port", service.port,
                   "--include-port", encrypted.port, "--include-port", calls.port]
        print("   " + " ".join(map(str, command)))
        table = folder / "table.txt"
        with Process(command, log=folder / "agent.log", stdout=table) as agent:
            eventually(lambda: not agent.running() or
                       http_status(f"http://127.0.0.1:{metrics_port}/readyz") == 200, within=20,
                       what="the start of the agent")
            if not agent.running():
                raise SystemExit(f"demo: the agent did not start:\n{agent.log()}")
            say(f"Its configuration has one rule of exemplars, for a path that is asked often: {RULE}")
            say("Starting Debian's Prometheus with exemplar storage; it scrapes the agent.")
            with Prometheus(folder / "prometheus", metrics_port) as prometheus:
                say(f"Sending traffic for {TRAFFIC_SECONDS} s by h2load, curl and a "
                    "client of gRPC;\n   some requests carry a traceparent.")
                traffic = Traffic(nginx.url, encrypted.url, calls.port)
                explanation = explained_during(traffic, folder / "lock")
                traffic.wait()
                say("Waiting until Prometheus has seen every request, then asking its API\n"
                    f"   for the exemplars of {BUCKETS}.")
                logged = lambda: len(nginx.access_log())  # noqa: E731
                eventually(lambda: (prometheus.value(f'{COUNT}{{service_name="nginx"}}') or
                                    prometheus.value(f'{COUNT}{{job="nginx"}}') or 0) >= logged()
                           > 0, within=25, what="every request of nginx' access log in Prometheus")
                of_calls = prometheus.exemplars(CALL_BUCKETS)
                exemplars = prometheus.exemplars(BUCKETS)
                requests, served = logged(), prometheus.value(COUNT)
                page = scrape(metrics_port)
            code = agent.stop(signal.SIGTERM)
        spans = backend.spans()
        say("What the agent printed at the end of a window:")
        print(last_table(table.read_text()))
        say("And what `exemplar-agent explain` said while the traffic was on:")
        print(explanation)
        if not exemplars:
            raise SystemExit(f"demo: Prometheus has no exemplar\n{agent.log()}")
        show_slowest(exemplars, spans)
        show_service("the service that speaks only HTTPS, read in its TLS library",
                     [exemplar for exemplar in exemplars
                      if exemplar["series"].get("url_scheme") == "https"], spans)
        show_service("the service of gRPC", of_calls, spans)
        show_rule(page, spans)
        asked, found = proof(exemplars + of_calls, spans)
        say(f"nginx logged {requests} requests; all servers together answered {served:.0f} by the "
            f"agent's count;\n   {len(spans)} spans were exported; the agent ended with {code}.")
        print(f"\n{found} of {asked} exemplars queried from Prometheus "
              "were found among the exported spans", flush=True)
        return 0 if asked == found > 0 and code == 0 else 1


def main():
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # so that the blocks below end children
    with tempfile.TemporaryDirectory(prefix="exemplar-agent-demo-") as folder:
        return demonstrate(pathlib.Path(folder))


if __name__ == "__main__":
    sys.exit(main())
