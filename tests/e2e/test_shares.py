"""No process uses up what all share: series, programs and places of targets."""
import subprocess

from support.cgroups import cgroup2_root
from support.load import curl
from support.report import CLIENT, SERVER
from support.waiting import eventually


def storm(url, count, names=""):
    """So many curl processes of one shell, each of which asks once; names of their own if wanted."""
    script = f'for i in $(seq {count}); do {names} curl -s -o /dev/null {url}/ok & ' \
        '[ $((i % 20)) = 0 ] && wait; done; wait'
    subprocess.run(["bash", "-c", script], check=True, timeout=120)


def test_processes_of_one_request_are_one_series(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    storm(nginx.url, 60)
    report = agent.wait_for_count(CLIENT, 60, "curl")
    series = report.series(CLIENT, "curl")
    assert len({one["resource"]["service.instance.id"] for one in series}) == 1
    assert all("process.pid" not in one["resource"] for one in series)
    for server in report.series(SERVER, "nginx"):
        assert "process.pid" in server["resource"], "one that was there before is an instance"


def test_the_next_service_is_seen_after_a_storm_of_distinct_names(start_agent, nginx):
    # its programs live longer than a window: none makes room for the next service by going
    agent = start_agent(ports=[nginx.port], window="8s")
    # more than twice its share: on a busy machine many are gone before their name is read
    storm(nginx.url, 600, names="OTEL_SERVICE_NAME=svc-$i")
    curl("--rate", "1/s", *[f"{nginx.url}/ok"] * 2, prefix=("env", "OTEL_SERVICE_NAME=billing"))
    report = agent.wait_for_count(CLIENT, 602, within=60)
    billing = [one for one in report.series(CLIENT) if one["service"] == "billing"]
    assert sum(one["count"] for one in billing) == 2
    page = agent.scrape()
    overflow = page.sum("exemplar_agent_series_total", reason="overflow")
    assert overflow > 0, "the storm has its share only"
    assert overflow == page.sum("exemplar_agent_series_overflow_total")


def test_what_series_counted_that_are_gone_is_accounted_for(start_agent, nginx):
    agent = start_agent(ports=[nginx.port], window="100ms")  # series expire after three seconds
    curl(f"{nginx.url}/ok")
    agent.wait_for_count(CLIENT, 1, "curl")
    agent.wait_for_windows(32)
    page = agent.scrape()
    assert page.sum("http_client_request_duration_seconds_count") == 0
    assert page.sum("exemplar_agent_exchanges_retired_total", reason="client") == 1
    assert page.sum("exemplar_agent_exchanges_retired_total", reason="server") == 1
    assert page.sum("exemplar_agent_exchanges_recorded_total") == 2


def test_a_user_names_no_container_in_the_cgroups_delegated_to_it(start_agent, nginx):
    """curl in a cgroup that looks like Docker's, below the manager of a user."""
    identity = "c0ffee" + 58 * "0"
    root = cgroup2_root()
    path = root / "user.slice" / "user-4711.slice" / "user@4711.service" / f"docker-{identity}.scope"
    made = [folder for folder in reversed([path, *path.parents]) if not folder.exists()]
    path.mkdir(parents=True)
    try:
        agent = start_agent(ports=[nginx.port])
        enter = f'echo $$ > {path}/cgroup.procs && exec "$@"'
        curl(*[f"{nginx.url}/ok"] * 3, prefix=("sh", "-c", enter, "sh"))
        series, = agent.wait_for_count(CLIENT, 3, "curl").series(CLIENT, "curl")
    finally:
        eventually(lambda: not (path / "cgroup.procs").read_text(), what="the end of curl")
        for folder in reversed(made):
            folder.rmdir()
    assert "container.id" not in series["resource"]
    assert "container.runtime.name" not in series["resource"]
