"""How well the exemplars of a live run explain its histograms, beside the simulation of micro.py:
the same figures, from what the agent reports of real servers. Run by scripts/bench."""
import bisect
import collections
import json
import threading
import time

from support.agent import Agent
from support.load import curl, h2load
from support.otlp_backend import OtlpBackend, integrity
from support.report import SERVER
from support.servers import Nginx, Service

WINDOW = 2  # seconds
SLOW_MS = (15, 35, 60, 85, 150, 300, 600, 900)


def traffic(nginx, service, seconds):
    """Thousands of quick requests a second, and beside them few that are slow, or fail."""
    end = time.monotonic() + seconds

    def slow(first):
        while time.monotonic() < end - 1:
            curl(*[f"{service.url}/slow?ms={ms}" for ms in SLOW_MS[first::4]],
                 f"{service.url}/fail")

    clients = [threading.Thread(target=slow, args=(first,)) for first in range(4)]
    for client in clients:
        client.start()
    h2load(f"{nginx.url}/ok", 2000 * (seconds - 1), rps=2000)
    for client in clients:
        client.join()


def windows_of(report):
    """(series, what each bucket counted in the window, line) of each line of a server's series."""
    before = {}
    for line in report.histogram_lines:
        if line["metric"] != SERVER:
            continue
        series = json.dumps([line["resource"], line["attributes"]], sort_keys=True)
        counted = line["bucket_counts"]
        yield series, [now - then for now, then in
                       zip(counted, before.get(series, [0] * len(counted)))], line
        before[series] = counted


def figures(report):
    total = collections.Counter()
    unserved, stale = collections.Counter(), []
    for series, counted, line in windows_of(report):
        occupied = {bucket for bucket, count in enumerate(counted) if count}
        if not occupied:
            continue
        explained = {bisect.bisect_left(line["bounds"], one["value"]) for one in line["exemplars"]}
        total["buckets"] += len(occupied)
        total["explained"] += len(occupied & explained)
        total["series"] += 1
        total["slowest"] += any(one["reason"] == "slowest" for one in line["exemplars"])
        if line["attributes"].get("http.response.status_code", 0) >= 500:
            total["failing"] += 1
            total["failures"] += any(one["trace_id"] for one in line["exemplars"])
        unserved[series] = 0 if line["exemplars"] else unserved[series] + 1
        stale.append(unserved[series])
    stale.sort()
    return total, stale[int(len(stale) * 0.99)]


def live(folder, seconds):
    with OtlpBackend() as backend, Nginx(folder / "quality-nginx") as nginx, \
            Service(folder, "service.py") as service:
        agent_folder = folder / "agent-quality"
        agent_folder.mkdir()
        agent = Agent(agent_folder, "--otlp-endpoint", backend.url, window=f"{WINDOW}s",
                      ports=[nginx.port, service.port])
        try:
            traffic(nginx, service, seconds)
            agent.wait_for_windows(2)
        finally:
            agent.stop()
        total, stale = figures(agent.report())
        with_ids, found = integrity(backend)

    def share(part, of):
        return total[part] / total[of]

    return [("live: exemplars with ids whose span is stored", f"{found} of {with_ids}", "1.0",
             with_ids == found > 0),
            (f"live: bucket coverage ({total['buckets']} buckets)",
             f"{share('explained', 'buckets'):.3f}", ">= 0.99", share("explained", "buckets") >= 0.99),
            (f"live: slowest recall ({total['series']} series)",
             f"{share('slowest', 'series'):.3f}", "1.0", total["slowest"] == total["series"]),
            (f"live: error recall ({total['failing']} series)",
             f"{share('failures', 'failing'):.3f}", ">= 0.99",
             share("failures", "failing") >= 0.99),
            ("live: windows without an exemplar, p99 of active series", str(stale), "<= 2",
             stale <= 2)]


def run_all(folder, seconds, say):
    say(f"a live run of {seconds} s")
    return live(folder, seconds)
