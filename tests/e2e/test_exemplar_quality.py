"""Do the exemplars of a live run explain its histograms? Against a service of known latencies: in
every window each bucket that counted something shows a request, the slowest one is shown, and so is
each error status."""
import bisect
import json
import threading

from support.accounting import assert_identities
from support.load import curl
from support.report import CLIENT, SERVER
from support.servers import Service

DELAYS_MS = (0, 15, 35, 60, 85, 150, 300, 600)  # each in a bucket of its own


def bucket_of(line, value):
    return bisect.bisect_left(line["bounds"], value)


def windows_of(report, metric, program):
    """(what each bucket counted in the window, line) for each line of each series."""
    before = {}
    for line in report.histogram_lines:
        executable = line["resource"].get("process.executable.name", "").rsplit("/", 1)[-1]
        if line["metric"] != metric or not executable.startswith(program):
            continue
        series = json.dumps([line["resource"], line["attributes"]], sort_keys=True)
        counted = line["bucket_counts"]
        yield [now - then for now, then in
               zip(counted, before.get(series, [0] * len(counted)))], line
        before[series] = counted


def check(report, metric, program):
    """Every window of every series; how many buckets with requests there were."""
    occupied_in_all = 0
    for counted, line in windows_of(report, metric, program):
        occupied = {bucket for bucket, count in enumerate(counted) if count}
        occupied_in_all += len(occupied)
        explained = {bucket_of(line, exemplar["value"]) for exemplar in line["exemplars"]}
        assert explained == occupied, line
        assert all(exemplar["trace_id"] for exemplar in line["exemplars"]), line
        if occupied:
            slowest = max(line["exemplars"], key=lambda exemplar: exemplar["value"])
            assert slowest["reason"] == "slowest", line
    for series in report.series(metric, program):
        shown = [exemplar["value"] for line in report.histogram_lines
                 if all(line[key] == series[key] for key in ("metric", "resource", "attributes"))
                 for exemplar in line["exemplars"]]
        assert series["max"] in shown, f"the slowest of all, {series['max']}, not in {shown}"
    return occupied_in_all


def test_exemplars_explain_every_bucket_the_slowest_and_each_error(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(window="1s", ports=[service.port])

        def client(delays_ms):
            for _ in range(3):
                curl(*[f"{service.url}/slow?ms={delay}" for delay in delays_ms],
                     *[f"{service.url}/ok"] * 20, *[f"{service.url}/fail"] * 2)

        clients = [threading.Thread(target=client, args=(DELAYS_MS[first::4],))
                   for first in range(4)]
        for one in clients:
            one.start()
        for one in clients:
            one.join()
        total = 3 * (len(DELAYS_MS) + 4 * (20 + 2))
        agent.wait_for_count(SERVER, total, "python")
        agent.wait_for_count(CLIENT, total, "curl")
        report = agent.wait_for_windows(1)

    assert check(report, SERVER, "python") >= len(DELAYS_MS)
    assert check(report, CLIENT, "curl") >= len(DELAYS_MS)
    for metric, program in ((SERVER, "python"), (CLIENT, "curl")):
        errors = report.exemplars(metric, program, **{"http.response.status_code": 500})
        assert {exemplar["reason"] for exemplar in errors} <= {"slowest", "error"} and errors
    page = assert_identities(agent)
    assert page.sum("exemplar_agent_exemplar_candidates_total") == 0, "some were left out"
