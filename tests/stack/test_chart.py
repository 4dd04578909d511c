"""The stack's chart: lints, renders, refuses wrong values. Needs no cluster."""
import subprocess

import pytest
import yaml

from stack.conftest import CHART, FILES, helm

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


@pytest.mark.parametrize("wrong", [
    "jaeger.enabled=false,tempo.enabled=false", "prometheus.image=prom/prometheus:latest",
    "prometheus.image=prom/prometheus", "prometheus.storage=lots",
    "collector.tailSampling.percentage=101", "grafana.adminPassword=admin", "promtheus.storage=1Gi",
    "prometheus.agents={http://node:9464}"])
def test_refuses(wrong):
    with pytest.raises(AssertionError):
        render("--set", wrong)
