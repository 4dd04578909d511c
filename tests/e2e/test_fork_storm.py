"""Processes that live for one request, thousands a second, on numbers that come again at once to
another program: rules and names hold for whom they are about, and for nobody after it.

EXA_STORM_SECONDS: how long each storm lasts; `scripts/test storms` takes 30."""
import json
import os
import shutil
import subprocess

import pytest

from support.agent import binary
from support.pid_namespace import PidNamespace, stop_inside
from support.report import CLIENT, SERVER
from support.servers import Nginx
from support.waiting import eventually

SECONDS = int(os.environ.get("EXA_STORM_SECONDS", "3"))
STORM = binary().parent / "tests" / "e2e" / "fork_storm"
# Who asks for what, how often a second, at the same time: the status of an answer tells who got it.
STORMS = {"seen": ("/ok", 200, 700), "other": ("/broken", 503, 700), "hidden": ("/empty", 204, 600)}
NUMBERS = ("2000", "2399")
NEWCOMERS = 20


def losses(page):
    """All that says of a request of somebody observed that it is not published."""
    filtered = page.sum("exemplar_agent_exchanges_filtered_total")
    excluded = page.sum("exemplar_agent_exchanges_filtered_total", reason="target_excluded")
    return filtered - excluded + page.sum("exemplar_agent_kernel_dropped_total") + \
        page.sum("exemplar_agent_kernel_lost_total") + page.sum("exemplar_agent_orphans_total")


def rage(node, folder, port):
    """All storms to their end; how many requests of each status they made."""
    storms = {name: subprocess.Popen(
        [*node.prefix, folder / name, str(port), path, str(rate), str(SECONDS), *NUMBERS],
        stdout=subprocess.PIPE, text=True) for name, (path, _, rate) in STORMS.items()}
    told = {name: storm.communicate(timeout=SECONDS * 10 + 60)[0]
            for name, storm in storms.items()}
    print(told)  # how fast the machine was
    told = {name: json.loads(text) for name, text in told.items()}
    for name, (_, _, rate) in STORMS.items():
        assert told[name]["answered"] == told[name]["made"] == rate * SECONDS
    return {STORMS[name][1]: told[name]["made"] for name in STORMS}


@pytest.mark.parametrize("rules", [
    ("--include-exe", "*/seen", "--include-exe", "*/other", "--include-exe", "*/newcomer",
     "--include-exe", "*/nginx"),
    ("--exclude-exe", "*/hidden"),
    # No name decides this one: who ended before it was looked at is left out, and counted.
    ("--exclude-exe", "{folder}/hid*"),
], ids=["included", "excluded", "excluded_by_path"])
def test_a_fork_storm_is_counted_for_whom_it_was(start_agent, tmp_path, rules):
    for name in STORMS:
        shutil.copy(STORM, tmp_path / name)
    shutil.copy("/usr/bin/curl", tmp_path / "newcomer")
    with PidNamespace() as node:
        nginx = Nginx(tmp_path / "nginx", prefix=node.prefix)
        agent = start_agent(*[word.format(folder=tmp_path) for word in rules], ports=[nginx.port],
                            wrapper=node.prefix)
        asked = rage(node, tmp_path, nginx.port)
        subprocess.run([*node.prefix, tmp_path / "newcomer", "--silent", "--rate", "4/s",
                        f"{nginx.url}/moved?[1-{NEWCOMERS}]"], check=True, timeout=60)

        def accounted_for():
            report, page = agent.report(), agent.scrape()

            def count(metric, status, program=None):
                return report.count(metric, program, **{"http.response.status_code": status})

            for status, number in (*asked.items(), (302, NEWCOMERS)):
                assert count(SERVER, status, "nginx") == number
            assert count(CLIENT, 204) == 0, "excluded"
            for name, status in (("seen", 200), ("other", 503), ("newcomer", 302)):
                assert count(CLIENT, status) == count(CLIENT, status, name), "nobody else's"
            assert count(CLIENT, 302) == NEWCOMERS
            seen = count(CLIENT, 200) + count(CLIENT, 503)
            assert 0 <= asked[200] + asked[503] - seen <= losses(page)
            assert report.count(CLIENT) == seen + NEWCOMERS
            print(f"{seen} of {asked[200] + asked[503]} published, {losses(page)} losses counted")
            return True
        eventually(accounted_for, within=30)
        stop_inside(agent)
