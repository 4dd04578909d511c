"""Which requests may become exemplars is configured, and a reload changes it; counts are of all."""
import os
import signal

from support.load import curl
from support.report import SERVER
from support.waiting import eventually

VALUES = "exemplar_agent.exemplar.policy.values"


def exemplar_paths(agent, server):
    spans = {span["span_id"]: span for span in agent.report().spans()}
    return {spans[exemplar["span_id"]]["attributes"]["url.path"]
            for series in agent.report().series(SERVER, "nginx")
            for exemplar in series["exemplars"] if exemplar.get("span_id") in spans}


def configured(policy, *rules):
    lines = "".join(f"    - {rule}\n" for rule in rules)
    return f"exemplars:\n  floor: 0\n  policy: {policy}\n" + (f"  rules:\n{lines}" if rules else "")


def test_rules_choose_and_a_reload_changes_them(start_agent, nginx):
    agent = start_agent(ports=[nginx.port],
                        config=configured("never", "route=/ok -> always"))
    curl(*[f"{nginx.url}/ok", f"{nginx.url}/missing"] * 5)
    agent.wait_for_count(SERVER, 10, "nginx")
    eventually(lambda: exemplar_paths(agent, nginx) == {"/ok"}, what="exemplars of the rule alone")

    (agent.folder / "agent.yaml").write_text(
        configured("never", "route=/missing -> always", "route=/ok -> outlier(1m)"))
    os.kill(agent.pid, signal.SIGHUP)
    eventually(lambda: "SIGHUP: configuration reloaded" in agent.log(), what="the reload")
    curl(*[f"{nginx.url}/ok", f"{nginx.url}/missing"] * 5)
    # Nothing is counted anew, and nothing is lost.
    agent.wait_for_count(SERVER, 20, "nginx")
    eventually(lambda: "/missing" in exemplar_paths(agent, nginx), what="exemplars of the new rule")
