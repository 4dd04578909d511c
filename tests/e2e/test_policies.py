"""Which requests may become exemplars is configured, and a reload changes it; counts are of all."""
import os
import signal

from support.load import curl
from support.report import SERVER
from support.waiting import eventually


def configured(policy, *rules):
    return "\n    - ".join([f"exemplars:\n  floor: 0\n  policy: {policy}\n  rules:", *rules]) + "\n"


def values_of_rule(agent, rule):
    return agent.scrape().sum("exemplar_agent_exemplar_policy_values_total", rule=rule)


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
    # Spans of the old rules may be under way.
    agent.wait_for_windows(2)
    before = paths_of_spans(agent).count("/ok")
    default_before = values_of_rule(agent, "default")
    curl(*[f"{nginx.url}/ok", f"{nginx.url}/missing"] * 5)
    # Nothing is counted anew, and nothing is lost.
    agent.wait_for_count(SERVER, 20, "nginx")
    eventually(lambda: "/missing" in paths_of_spans(agent), what="spans by the new rule")
    assert paths_of_spans(agent).count("/ok") == before
    assert values_of_rule(agent, "default") == default_before > 0, "it goes on counting"
    assert values_of_rule(agent, "route=/ok -> outlier(1m)") > 0
    assert values_of_rule(agent, "route=/missing -> coordinated") > 0


def test_a_reload_of_the_same_rules_keeps_what_they_remember(start_agent, nginx):
    config = configured("never", "route=/ok -> time_window(1, per=1h)")
    agent = start_agent(ports=[nginx.port], config=config)
    for number in (1, 2):
        curl(*[f"{nginx.url}/ok"] * 5)
        agent.wait_for_count(SERVER, 5 * number, "nginx")
        agent.wait_for_windows(2)
        (agent.folder / "agent.yaml").write_text(config)
        os.kill(agent.pid, signal.SIGHUP)
        eventually(lambda: agent.log().count("SIGHUP: configuration reloaded") == number,
                   what="the reload")
    assert len(paths_of_spans(agent)) == 1
