"""The stack's chart: lints, renders, refuses wrong values. Needs no cluster."""
import json
import subprocess

import pytest
import yaml

from stack.conftest import CHART, DASHBOARDS, FILES, RULES, helm, tool

KEPT = ("--set", "prometheus.storage=10Gi,tempo.storage=20Gi")


def render(*arguments):
    result = subprocess.run([helm(), "template", "try", CHART, "--namespace", "observability",
                             *arguments], capture_output=True, text=True, timeout=60,
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    documents = [one for one in yaml.safe_load_all(result.stdout) if one]
    return {(one["kind"], one["metadata"]["name"]): one for one in documents}


def container(rendered, part):
    one, = rendered["Deployment", f"try-{part}"]["spec"]["template"]["spec"]["containers"]
    return one


def test_lints():
    result = subprocess.run([helm(), "lint", "--strict", CHART], capture_output=True, text=True,
                            timeout=60, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout


def test_has_every_part_and_no_privilege():
    rendered = render()
    parts = {name.removeprefix("try-") for kind, name in rendered if kind == "Deployment"}
    assert parts == {"collector", "prometheus", "tempo", "jaeger", "grafana"}
    for part in parts:
        pod = rendered["Deployment", f"try-{part}"]["spec"]["template"]["spec"]
        assert pod["securityContext"]["runAsNonRoot"] is True, part
        assert pod["automountServiceAccountToken"] is False, part
        rights = container(rendered, part)["securityContext"]
        assert rights == {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True,
                          "capabilities": {"drop": ["ALL"]}}, part
        assert container(rendered, part)["resources"]["limits"]["memory"], part
        for volume in container(rendered, part)["volumeMounts"]:
            assert volume["name"] in {one["name"] for one in pod["volumes"]}, part
        wanted = rendered["Service", f"try-{part}"]["spec"]["selector"].items()
        labels = rendered["Deployment", f"try-{part}"]["spec"]["template"]["metadata"]["labels"]
        assert wanted <= labels.items(), part


def test_carries_the_files_as_they_are():
    rendered = render()
    rules = rendered["ConfigMap", "try-prometheus"]["data"]
    for path in (FILES / "prometheus/rules").glob("*.yaml"):
        assert rules[path.name].rstrip() == path.read_text().rstrip()
    boards = rendered["ConfigMap", "try-grafana-dashboards"]["data"]
    for path in (FILES / "grafana/dashboards").glob("*.json"):
        assert boards[path.name].rstrip() == path.read_text().rstrip()
    collector = rendered["ConfigMap", "try-collector"]["data"]
    assert "tail-sampling.yaml" in collector


def test_addresses_point_to_services_that_exist():
    rendered = render()
    for part in ("collector", "tempo", "grafana"):
        for variable in container(rendered, part)["env"]:
            if not variable["name"].endswith(("_URL", "_ENDPOINT")):
                continue
            name, port = variable["value"].removeprefix("http://").split(":")
            ports = {one["port"] for one in rendered["Service", name]["spec"]["ports"]}
            assert int(port) in ports, variable


def test_storage_is_claimed_when_asked_for():
    assert not [kind for kind, _ in render() if kind == "PersistentVolumeClaim"]
    rendered = render(*KEPT)
    claim = rendered["PersistentVolumeClaim", "try-tempo"]["spec"]
    assert claim["resources"]["requests"]["storage"] == "20Gi"
    volumes = rendered["Deployment", "try-tempo"]["spec"]["template"]["spec"]["volumes"]
    assert {"name": "storage", "persistentVolumeClaim": {"claimName": "try-tempo"}} in volumes


def test_tail_sampling_is_a_switch():
    option = "--config=/etc/collector/tail-sampling.yaml"
    assert option not in container(render(), "collector")["args"]
    sampled = container(render("--set", "collector.tailSampling.enabled=true",
                               "--set", "collector.tailSampling.percentage=5"), "collector")
    assert option in sampled["args"]
    assert {"name": "TAIL_SAMPLING_PERCENTAGE", "value": "5"} in sampled["env"]


@pytest.mark.parametrize("off, exporters", [("jaeger", "[otlp/tempo]"), ("tempo", "[otlp/jaeger]")])
def test_one_trace_backend_is_enough(off, exporters):
    rendered = render("--set", f"{off}.enabled=false")
    assert ("Deployment", f"try-{off}") not in rendered
    assert {"name": "TRACE_EXPORTERS", "value": exporters} in container(rendered, "collector")["env"]


def uids(node):
    """Every data source that something names, or is."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "datasourceUid":
                yield value
            elif key == "datasource" and isinstance(value, dict):
                yield value["uid"]
            yield from uids(value)
    elif isinstance(node, list):
        for one in node:
            yield from uids(one)


@pytest.mark.parametrize("off", ["", "jaeger", "tempo"])
def test_nothing_points_to_a_data_source_that_is_not_there(off):
    rendered = render(*(("--set", f"{off}.enabled=false") if off else ()))
    file = yaml.safe_load(rendered["ConfigMap", "try-grafana"]["data"]["datasources.yaml"])
    there = {source["uid"]: source for source in file["datasources"]}
    assert there.keys() == {"prometheus", "tempo", "jaeger"} - {off}
    # Grafana's own, and the variable that lets the viewer choose a Prometheus.
    known = set(there) | {"-- Grafana --", "-- Mixed --", "${datasource}"}
    boards = [json.loads(board) for board in
              rendered["ConfigMap", "try-grafana-dashboards"]["data"].values()]
    assert len(boards) == 3
    for part in (file, *boards):
        assert set(uids(part)) <= known, part.get("uid")
    links = there["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert {link["name"] for link in links} == {"trace_id", "traceID", "TraceID"}
    assert len({(link["name"], link["datasourceUid"]) for link in links}) == len(links)
    for link in links:
        assert link["urlDisplayLabel"] == f'Open in {there[link["datasourceUid"]]["name"]}'


def test_prometheus_finds_the_agents_of_a_cluster_when_asked_to(tmp_path):
    rendered = render("--set", "prometheus.discovery.enabled=true",
                      "--set", "prometheus.discovery.namespace=agents")
    text = rendered["ConfigMap", "try-prometheus"]["data"]["prometheus.yaml"]
    (tmp_path / "prometheus.yaml").write_text(text)
    checked = subprocess.run([tool("promtool"), "check", "config", tmp_path / "prometheus.yaml"],
                             capture_output=True, text=True, timeout=60)
    assert checked.returncode == 0, checked.stderr
    config = yaml.safe_load(text)
    before = yaml.safe_load((FILES / "prometheus/prometheus.yaml").read_text())
    job = config["scrape_configs"].pop()
    assert config == before
    assert job["honor_labels"] is True
    discovery, = job["kubernetes_sd_configs"]
    assert discovery["namespaces"] == {"names": ["agents"]}
    # The label and the port are those of the agent's chart.
    agent = subprocess.run([helm(), "template", "other", CHART.parent / "exemplar-agent"],
                           capture_output=True, text=True, timeout=60).stdout
    pod, = [one["spec"]["template"] for one in yaml.safe_load_all(agent)
            if one and one["kind"] == "DaemonSet"]
    selector, = discovery["selectors"]
    label, value = selector["label"].split("=")
    assert pod["metadata"]["labels"][label] == value
    port, = pod["spec"]["containers"][0]["ports"]
    kept = {rule["source_labels"][0]: rule["regex"] for rule in job["relabel_configs"]
            if rule.get("action") == "keep"}
    assert kept["__meta_kubernetes_pod_container_port_name"] == port["name"]
    # It may read pods there, and nothing else.
    pod = rendered["Deployment", "try-prometheus"]["spec"]["template"]["spec"]
    assert pod["serviceAccountName"] == "try-prometheus" and pod["automountServiceAccountToken"]
    role, binding = rendered["Role", "try-prometheus"], rendered["RoleBinding", "try-prometheus"]
    assert role["metadata"]["namespace"] == binding["metadata"]["namespace"] == "agents"
    assert role["rules"] == [{"apiGroups": [""], "resources": ["pods"],
                              "verbs": ["get", "list", "watch"]}]
    assert binding["subjects"] == [{"kind": "ServiceAccount", "name": "try-prometheus",
                                    "namespace": "observability"}]


def test_no_right_in_the_cluster_unless_asked_for():
    rendered = render()
    assert not {kind for kind, _ in rendered} & {"ServiceAccount", "Role", "RoleBinding"}
    text = rendered["ConfigMap", "try-prometheus"]["data"]["prometheus.yaml"]
    assert text.rstrip() == (FILES / "prometheus/prometheus.yaml").read_text().rstrip()


def test_rules_and_dashboards_for_an_operator():
    only = ("--set", "operator.enabled=true", "--set", "operator.labels.release=monitoring",
            "--show-only", "templates/operator.yaml")
    rendered = render(*only)
    assert {kind for kind, _ in rendered} == {"PrometheusRule", "ConfigMap"}
    rules = [one for (kind, _), one in rendered.items() if kind == "PrometheusRule"]
    assert [rule["spec"] for rule in rules] == [yaml.safe_load(path.read_text()) for path in RULES]
    for rule in rules:
        assert rule["metadata"]["labels"]["release"] == "monitoring"
    boards = [one for (kind, _), one in rendered.items() if kind == "ConfigMap"]
    for board in boards:
        assert board["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert sorted(text.rstrip() for board in boards for text in board["data"].values()) == sorted(
        path.read_text().rstrip() for path in DASHBOARDS)
    assert not [kind for kind, _ in render() if kind == "PrometheusRule"]


def test_the_agent_may_be_there_already_when_the_stack_comes():
    for path in (CHART / "README.md", CHART / "templates/NOTES.txt"):
        text = path.read_text()
        assert "helm install exemplar-agent" not in text, path
        assert "helm upgrade --install exemplar-agent" in text, path
        assert "--set image.repository=" in text, path


@pytest.mark.parametrize("wrong", [
    "jaeger.enabled=false,tempo.enabled=false", "prometheus.image=prom/prometheus:latest",
    "prometheus.image=prom/prometheus", "prometheus.storage=lots",
    "collector.tailSampling.percentage=101", "grafana.adminPassword=admin", "promtheus.storage=1Gi",
    "prometheus.agents={http://node:9464}"])
def test_refuses(wrong):
    with pytest.raises(AssertionError):
        render("--set", wrong)
