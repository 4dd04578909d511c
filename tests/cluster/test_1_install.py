"""Image and chart, as the README tells to install them, with default values."""
import json
import os
import pathlib
import re
import shutil
import subprocess

import pytest

from support.agent import ROOT
from support.metrics_page import OPENMETRICS
from support.tool_cache import TOOL_CACHE
from support.waiting import eventually

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

    # and where pods are held to a policy, the namespace may have this one
    namespace = json.loads(cluster.kubectl("get", "namespace", "observability", "-o", "json"))
    assert namespace["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "privileged"


CHART = ROOT / "helm/exemplar-agent"


def command_of_the_chart(beginning):
    """The one command of the chart's page that begins so, with its continued lines."""
    page = (CHART / "README.md").read_text()
    found = re.findall(rf"^    ({re.escape(beginning)}(?:.*\\\n)*.*)$", page, re.M)
    assert len(found) == 1, found
    return found[0]


def test_status_of_the_chart(cluster, agent):
    command = command_of_the_chart("kubectl -n observability exec daemonset/exemplar-agent")
    eventually(lambda: re.search(r"python3\S*\s+OpenSSL", cluster.call(
        "exec", "bash", "-euc", command)), within=60, what="the applications' TLS library")


def test_upgrade_of_the_chart_keeps_values_and_takes_new_defaults(cluster, agent, tmp_path):
    # given a release of a chart that had no network policy yet, with a value of its user
    older = tmp_path / "exemplar-agent"
    shutil.copytree(CHART, older)
    (older / "templates/networkpolicy.yaml").unlink()
    values = older / "values.yaml"
    values.write_text(re.sub(r"^networkPolicy:\n(?: .*\n)*", "", values.read_text(), flags=re.M))
    assert "networkPolicy" not in values.read_text()
    cluster.helm("upgrade", agent.name, older, "-n", agent.namespace, "--reset-values",
                 "--set", "podAnnotations.kept=yes")
    try:
        # when it is upgraded by the very command that a reader copies
        cluster.call("exec", "bash", "-euc", command_of_the_chart("helm upgrade"))

        # then the value is there, and so are the defaults of what is new
        values = json.loads(cluster.helm("get", "values", agent.name, "-n", agent.namespace,
                                         "--all", "-o", "json"))
        assert values["podAnnotations"] == {"kept": "yes"}
        assert values["networkPolicy"]["apiServerPorts"] == [443, 6443]
    finally:
        agent.upgrade()


def test_metrics_that_are_only_scraped_are_not_pushed(cluster, agent, settings, sink, load):
    # given an endpoint for spans alone
    agent.upgrade(*settings, "--set", "otlp.metrics=false")
    try:
        before = sink.points()

        # when requests come
        with load(cluster.service("shop")) as requests:
            requests.wait_for(40)

        # then their spans are pushed, their metrics are on the page only
        eventually(lambda: sink.spans(requests.prefix), within=30, what="spans")
        assert agent.page().sum("http_server_request_duration_seconds_count") > 0
        assert sink.points() == before
    finally:
        agent.upgrade()


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
    pipeline, = [one for one in processes.values() if one["Uid"].split()[0] == "2100009464"]
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


def test_a_namespace_that_enforces_baseline_needs_the_label_of_the_readme(cluster, agent):
    # given the agent's pod in a namespace that enforces Pod Security
    daemonset, = cluster.objects("daemonset", "-n", agent.namespace)
    spec = daemonset["spec"]["template"]["spec"]
    pod = json.dumps({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "try"}, "spec": spec})
    label = next(word for line in quick_start()[1].splitlines() if "label namespace" in line
                 for word in line.split() if "pod-security" in word)
    cluster.kubectl("create", "namespace", "secured")
    try:
        cluster.kubectl("create", "serviceaccount", spec["serviceAccountName"], "-n", "secured")
        level = label.replace("=privileged", "=baseline")
        assert level != label
        cluster.kubectl("label", "namespace", "secured", level)

        # then it is refused, and with the label of the README it is not
        create = ("create", "--dry-run=server", "-n", "secured", "-f", "-")
        with pytest.raises(AssertionError, match="violates PodSecurity .*hostPID"):
            cluster.kubectl(*create, stdin=pod)
        cluster.kubectl("label", "namespace", "secured", label, "--overwrite")
        assert "created" in cluster.kubectl(*create, stdin=pod)
    finally:
        cluster.kubectl("delete", "namespace", "secured", within=60)


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
    # Of a second one that leaves the running agent its port, and that has the lock file of no pod.
    said = cluster.kubectl("exec", "-n", "observability", agent.pod()["metadata"]["name"], "--",
                           "/usr/bin/exemplar-agent", "check", "--openmetrics", "off")
    assert "uprobe_multi" in said, said


def test_service_leads_to_the_own_nodes_agent(cluster, agent):
    address = cluster.service("exemplar-agent", "observability")
    page = cluster.get(f"{address}/metrics", "-H", f"Accept: {OPENMETRICS}")
    assert page.endswith("# EOF\n")
    assert cluster.get(f"{address}/healthz") and cluster.get(f"{address}/readyz")


def test_all_rendered_manifests_are_taken_by_the_api_server(cluster):
    # given every file of values, and the Prometheus operator's definitions of its own resources
    missing = subprocess.run([ROOT / "tests/tools/build", "--check", "prometheus-operator"],
                             capture_output=True, text=True, check=False).stdout.strip()
    if missing:
        pytest.skip(missing)
    cluster.kubectl("apply", "-f", TOOL_CACHE / "prometheus-operator")
    cluster.kubectl("wait", "--for=condition=Established", "--timeout=30s",
                    "customresourcedefinitions", "--all")
    files = sorted((ROOT / "tests/helm/values").glob("*.yaml"))
    assert len(files) >= 3
    stack = "helm/exemplar-agent-stack"
    renderings = [["helm/exemplar-agent"],
                  *(["helm/exemplar-agent", "-f", str(file)] for file in files), [stack],
                  [stack, "--set", "collector.tailSampling.enabled=true",
                   "--set", "prometheus.storage=1Gi"],
                  [stack, "--set", "prometheus.discovery.enabled=true"],
                  [stack, "--set", "operator.enabled=true"]]
    for arguments in renderings:
        rendered = cluster.helm("template", "dry", *arguments, "-n", "observability")
        taken = cluster.kubectl("apply", "--dry-run=server", "-n", "observability", "-f", "-",
                                stdin=rendered)
        kinds = re.findall(r"^kind: (\w+)$", rendered, re.M)
        assert len(taken.splitlines()) == len(kinds) >= 4, taken
