"""Which requests may become exemplars is configured, and a reload changes it; counts are of all."""
import os
import signal

from support.load import curl
from support.report import SERVER
from support.waiting import eventually


def configured(policy, *rules):
    return "\n    - ".join([f"exemplars:\n  floor: 0\n  policy: {policy}\n  rules:", *rules]) + "\n"


def paths_of_spans(agent):
    return [span["attributes"]["url.path"] for span in agent.report().find_spans("nginx", "SERVER")]


def test_rules_choose_and_a_reload_changes_them(start_agent, nginx):
    agent = start_agent(ports=[nginx.port], config=configured("never", "route=/ok -> always"))
    curl(*[f"{nginx.url}/ok", f"{nginx.url}/missing"] * 5)
    agent.wait_for_count(SERVER, 10, "nginx")
    eventually(lambda: paths_of_spans(agent), what="spans of exemplars")
    assert set(paths_of_spans(agent)) == {"/ok"}

    (agent.folder / "agent.yaml").write_text(
        configured("never", "route=/missing -> always", "route=/ok -> outlier(1m)"))
    os.kill(agent.pid, signal.SIGHUP)
    eventually(lambda: "SIGHUP: configuration reloaded" in agent.log(), what="the reload")
    before = paths_of_spans(agent).count("/ok")
    curl(*[f"{nginx.url}/ok", f"{nginx.url}/missing"] * 5)
    # Nothing is counted anew, and nothing is lost.
    agent.wait_for_count(SERVER, 20, "nginx")
    eventually(lambda: "/missing" in paths_of_spans(agent), what="spans by the new rule")
    assert paths_of_spans(agent).count("/ok") == before
