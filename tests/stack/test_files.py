"""The stack's files as files: rules, configurations, dashboards, compose file. Needs no root."""
import json
import re
import subprocess

import pytest
import yaml

from stack.conftest import CHART, DASHBOARDS, FILES, ROOT, RULES, tool
from stack.panels import panels, targets

UNITS = {"reqps", "percentunit", "s", "none", "short", "cps", "ops", "bytes"}


def run(*command):
    result = subprocess.run(list(map(str, command)), capture_output=True, text=True, timeout=60,
                            stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def dashboards():
    return [json.loads(path.read_text()) for path in DASHBOARDS]


@pytest.fixture(params=["of Debian", "of Prometheus 3"])
def promtool(request):
    return "promtool" if request.param == "of Debian" else tool("promtool")


def test_rules_are_valid(promtool):
    assert len(RULES) == 2
    run(promtool, "check", "rules", *RULES)


def test_alerts_fire_when_they_should_and_only_then(promtool):
    run(promtool, "test", "rules", ROOT / "tests/stack/alerts_test.yaml")


def test_every_alert_is_tested_and_says_what_to_do():
    tested = (ROOT / "tests/stack/alerts_test.yaml").read_text()
    boards = {board["uid"] for board in dashboards()}
    alerts = [rule for path in RULES for group in yaml.safe_load(path.read_text())["groups"]
              for rule in group["rules"] if "alert" in rule]
    assert len(alerts) == 11
    for alert in alerts:
        assert alert["alert"] in tested, alert["alert"]
        assert set(alert["annotations"]) == {"summary", "description", "dashboard"}, alert
        assert re.match(r"/d/([\w-]+)", alert["annotations"]["dashboard"])[1] in boards, alert


def test_configuration_of_prometheus_is_valid():
    source = FILES / "prometheus"
    run(tool("promtool"), "check", "config", source / "prometheus.yaml")


def test_configuration_of_prometheus_is_valid_but_for_its_newer_parts(tmp_path):
    config = yaml.safe_load((FILES / "prometheus/prometheus.yaml").read_text())
    assert config.pop("otlp") == {"translation_strategy": "UnderscoreEscapingWithSuffixes"}
    assert config["storage"]["exemplars"]["max_exemplars"] >= 100000
    config["rule_files"] = [str(path) for path in RULES]
    for job in config["scrape_configs"]:
        job["file_sd_configs"] = [{"files": [str(FILES / "prometheus" / name)
                                             for one in job["file_sd_configs"]
                                             for name in one["files"]]}]
    path = tmp_path / "prometheus.yaml"
    path.write_text(yaml.safe_dump(config))
    assert "WARNING" not in run("promtool", "check", "config", path)


@pytest.mark.parametrize("exporters", [None, "[otlp/jaeger]"])
@pytest.mark.parametrize("files", [["collector.yaml"], ["collector.yaml", "tail-sampling.yaml"]])
def test_configuration_of_the_collector_is_valid(files, exporters, monkeypatch):
    if exporters:
        monkeypatch.setenv("TRACE_EXPORTERS", exporters)
    run(tool("otelcol"), "validate", *[f"--config={FILES / 'collector' / name}" for name in files])


def test_tail_sampling_keeps_what_the_agent_marks():
    source = (ROOT / "agent/trace/span_synthesizer.cc").read_text()
    assert '{"exemplar", std::string("true")}' in source
    snippet = yaml.safe_load((FILES / "collector/tail-sampling.yaml").read_text())
    sampler = snippet["processors"]["tail_sampling"]
    assert sampler["policies"][0]["string_attribute"] == {"key": "exemplar", "values": ["true"]}
    pipelines = snippet["service"]["pipelines"]
    assert "tail_sampling" not in pipelines["traces/exemplars"]["processors"]
    # The decision on the rest of the trace needs to see the mark; the span goes out once.
    order = pipelines["traces"]["processors"]
    assert order.index("tail_sampling") < order.index("filter/no-exemplars")


def test_data_sources_link_exemplars_to_both_backends():
    sources = {source["uid"]: source for source in
               yaml.safe_load((FILES / "grafana/datasources.yaml").read_text())["datasources"]}
    assert set(sources) == {"prometheus", "tempo", "jaeger"}
    links = sources["prometheus"]["jsonData"]["exemplarTraceIdDestinations"]
    assert {link["name"] for link in links} == {"trace_id", "traceID", "TraceID"}
    assert [link["datasourceUid"] for link in links if link["name"] == "trace_id"] == [
        "tempo", "jaeger"]
    assert all(link["datasourceUid"] in sources for link in links)
    assert sources["tempo"]["jsonData"]["serviceMap"] == {"datasourceUid": "prometheus"}
    for uid in ("tempo", "jaeger"):
        for query in sources[uid]["jsonData"]["tracesToMetrics"]["queries"]:
            assert "$$__tags" in query["query"], query


def test_dashboards_have_ids_of_their_own():
    boards = dashboards()
    assert sorted(board["uid"] for board in boards) == [
        "exemplar-agent-health", "exemplar-agent-overview", "exemplar-agent-service"]
    assert len({board["title"] for board in boards}) == 3
    for board in boards:
        ids = [panel["id"] for panel in panels(board)]
        assert len(ids) == len(set(ids)), board["title"]
        assert "id" not in board and board["schemaVersion"] == 42
        assert board["links"][0]["tags"] == ["exemplar-agent"] and "exemplar-agent" in board["tags"]


def test_panels_explain_themselves():
    for board in dashboards():
        for panel in panels(board):
            if panel["type"] == "row":
                continue
            where = f'{board["title"]}, {panel["title"]}'
            assert panel["title"] and len(panel["description"]) > 20, where
            assert panel["type"] == "alertlist" or panel["targets"], where
            letters = [target["refId"] for target in panel["targets"]]
            assert len(letters) == len(set(letters)), where
            if panel["type"] in ("timeseries", "stat"):
                assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, where
                assert panel["fieldConfig"]["defaults"]["thresholds"]["steps"], where


def test_panels_do_not_overlap():
    for board in dashboards():
        taken = {}
        for panel in panels(board):
            at = panel["gridPos"]
            assert at["x"] + at["w"] <= 24, panel["title"]
            for cell in ((x, y) for x in range(at["x"], at["x"] + at["w"])
                         for y in range(at["y"], at["y"] + at["h"])):
                assert cell not in taken, f'{panel["title"]} lies on {taken[cell]}'
                taken[cell] = panel["title"]


def test_queries_use_variables_that_exist():
    known = {"__rate_interval", "__range"}
    for board in dashboards():
        names = {variable["name"] for variable in board["templating"]["list"]} | known
        for title, target in targets(board):
            used = set(re.findall(r"\$([a-z_]\w*)", target["expr"]))  # $1 is label_replace's
            assert used <= names, f"{title}: {used - names}"
            assert target["datasource"]["uid"] == "${datasource}", title


def test_graphs_of_durations_show_exemplars():
    shown = {(board["uid"], panel["type"]) for board in dashboards() for panel in panels(board)
             for target in panel.get("targets", []) if target.get("exemplar")}
    for uid in ("exemplar-agent-overview", "exemplar-agent-service"):
        assert {(uid, "timeseries"), (uid, "heatmap")} <= shown


def test_compose_file_and_chart_agree():
    compose = yaml.safe_load((CHART / "compose.yaml").read_text())
    values = yaml.safe_load((CHART / "values.yaml").read_text())
    services = compose["services"]
    assert set(services) == {"agent", "collector", "prometheus", "tempo", "jaeger", "grafana"}
    for name, service in services.items():
        if name != "agent":
            assert service["image"] == values[name]["image"], name
            assert not service["image"].endswith(":latest"), name
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (CHART / source).exists(), f"{name}: {source}"
            else:
                assert source in compose["volumes"], f"{name}: {source}"
        for port in service.get("ports", []):
            assert port.startswith("127.0.0.1:"), f"{name} is open to the network: {port}"
        assert set(service.get("depends_on", [])) <= set(services), name
    assert "privileged" not in services["agent"]
    arguments = services["prometheus"]["command"]
    assert "--enable-feature=exemplar-storage" in arguments
    assert "--web.enable-otlp-receiver" in arguments


def test_dashboards_are_where_grafana_looks():
    provider, = yaml.safe_load((FILES / "grafana/dashboards.yaml").read_text())["providers"]
    folder = provider["options"]["path"]
    assert f"./files/grafana/dashboards:{folder}:ro" in (CHART / "compose.yaml").read_text()
    assert f"mountPath: {folder}," in (CHART / "templates/grafana.yaml").read_text()
