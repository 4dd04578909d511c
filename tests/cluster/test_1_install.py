"""Image and chart, as the README tells to install them, with default values."""
import json
import os
import pathlib
import re
import subprocess

import pytest

from support.agent import ROOT
from support.metrics_page import OPENMETRICS

CAPABILITIES = {"DAC_READ_SEARCH": 2, "SETGID": 6, "SETUID": 7, "SYS_PTRACE": 19, "PERFMON": 38,
                "BPF": 39, "CHECKPOINT_RESTORE": 40}
AFTER_START = ("DAC_READ_SEARCH", "SYS_PTRACE", "PERFMON", "BPF", "CHECKPOINT_RESTORE")


def quick_start():
    """The commands of the README: those for this machine, then those for any cluster."""
    section = (ROOT / "README.md").read_text().split("\n## On Kubernetes\n")[1].split("\n## ")[0]
    blocks = re.findall(r"^```\n(.*?)^```$", section, re.S | re.M)
    assert len(blocks) == 2, blocks
    return blocks


@pytest.mark.timeout(3000)
def test_quick_start_of_the_readme(cluster):
    # given the very commands that a reader copies
    on_this_machine, on_the_cluster = quick_start()
    assert "helm install" in on_the_cluster and "helm test" in on_the_cluster

    # when they are run
    subprocess.run(["bash", "-euxo", "pipefail", "-c", on_this_machine], cwd=ROOT, check=True)
    output = cluster.call("exec", "bash", "-euo", "pipefail", "-c", on_the_cluster, within=300)

    # then the agent is installed, and its own test found what it looked for
    assert "successfully rolled out" in output, output
    assert re.search(r"Phase:\s+Succeeded", output), output


def status_of(pid):
    lines = pathlib.Path(f"/proc/{pid}/status").read_text().splitlines()
    return {key: value.strip() for key, _, value in (line.partition(":") for line in lines)}


def test_pod_is_not_privileged(cluster, agent):
    # given the pod as the API server has it
    pod = agent.pod()
    container, = pod["spec"]["containers"]
    security = container["securityContext"]

    # then it asks for the list of the chart and nothing else
    assert "privileged" not in security
    assert security["capabilities"]["drop"] == ["ALL"]
    assert set(security["capabilities"]["add"]) == set(CAPABILITIES)
    assert security["readOnlyRootFilesystem"] and not security["allowPrivilegeEscalation"]
    assert pod["spec"]["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert not pod["spec"].get("hostNetwork")

    # and its two processes have no more than they need
    processes = {pid: status for pid in cluster.pids_in(pod)
                 if (status := status_of(pid))["Name"].startswith("exemplar")}
    assert len(processes) == 2, processes
    pipeline, = [one for one in processes.values() if one["Uid"].split()[0] == "65534"]
    prober, = [one for one in processes.values() if one["Uid"].split()[0] == "0"]
    for kind in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert int(pipeline[kind], 16) == 0, pipeline
    wanted = sum(1 << CAPABILITIES[name] for name in AFTER_START)
    assert int(prober["CapEff"], 16) == wanted == int(prober["CapPrm"], 16), prober
    for process in (pipeline, prober):
        assert process["NoNewPrivs"] == "1" and process["Seccomp"] == "2", process
    # What a process not dumpable has in /proc is root's, whoever it runs as.
    pid = next(pid for pid, status in processes.items() if status is pipeline)
    assert os.stat(f"/proc/{pid}/environ").st_uid == 0


def test_image_has_what_the_agent_needs_and_no_shell(cluster, agent):
    name = agent.pod()["metadata"]["name"]
    program = ["exec", "-n", "observability", name, "--", "/usr/bin/exemplar-agent"]
    assert re.match(r"exemplar-agent \d+\.\d+\.\d+", cluster.kubectl(*program, "version"))
    assert "exemplar-agent" in cluster.kubectl(*program, "--help")
    assert cluster.kubectl("exec", "-n", "observability", name, "--", "/bin/sh", "-c", "true",
                           check=False) == ""
    inspected = json.loads(subprocess.run(
        ["podman", "image", "inspect", "localhost/exemplar-agent:" + version()],
        check=True, capture_output=True, text=True).stdout)
    assert inspected[0]["Size"] < 60 * 1024 * 1024, inspected[0]["Size"]


def version():
    return re.search(r"project\(exemplar-agent VERSION ([0-9.]+)",
                     (ROOT / "CMakeLists.txt").read_text()).group(1)


def test_check_says_the_pod_can_do_all(cluster, agent):
    # The running agent holds the lock; check does not need it.
    said = cluster.kubectl("exec", "-n", "observability", agent.pod()["metadata"]["name"], "--",
                           "/usr/bin/exemplar-agent", "check")
    assert "uprobe_multi" in said, said


def test_service_leads_to_the_own_nodes_agent(cluster, agent):
    address = cluster.service("exemplar-agent", "observability")
    page = cluster.get(f"{address}/metrics", "-H", f"Accept: {OPENMETRICS}")
    assert page.endswith("# EOF\n")
    assert cluster.get(f"{address}/healthz") and cluster.get(f"{address}/readyz")


def test_all_rendered_manifests_are_taken_by_the_api_server(cluster):
    # given every file of values, and the definitions that monitors need
    cluster.kubectl("apply", "-f", ROOT / "tests/cluster/monitor_definitions.yaml")
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s",
                    "customresourcedefinitions", "--all")
    files = sorted((ROOT / "tests/helm/values").glob("*.yaml"))
    assert len(files) >= 3
    stack = "helm/exemplar-agent-stack"
    renderings = [["helm/exemplar-agent"],
                  *(["helm/exemplar-agent", "-f", str(file)] for file in files), [stack],
                  [stack, "--set", "collector.tailSampling.enabled=true",
                   "--set", "prometheus.storage=1Gi"]]
    for arguments in renderings:
        rendered = cluster.helm("template", "dry", *arguments, "-n", "observability")
        taken = cluster.kubectl("apply", "--dry-run=server", "-n", "observability", "-f", "-",
                                stdin=rendered)
        kinds = re.findall(r"^kind: (\w+)$", rendered, re.M)
        assert len(taken.splitlines()) == len(kinds) >= 4, taken
