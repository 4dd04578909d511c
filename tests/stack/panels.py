"""What dashboards and rules ask of Prometheus, and whether it has an answer."""
import json
import math
import re

import yaml

# One word of PromQL that is a metric of ours, raw or recorded.
METRIC = re.compile(r"\b(?:http_(?:server|client)_|exemplar_agent_|job(?:_le|_state)?:|instance:)[\w:]+")
LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


def filled_in(expression, job):
    """A query as Grafana would send it, with everything chosen."""
    for name, value in {"$__rate_interval": "1m", "$__range": "5m", "$namespace": ".*",
                        "$instance": ".*"}.items():
        expression = expression.replace(name, value)
    return expression.replace('job=~"$service"', 'job=~".+"').replace("$service", job)


def panels(dashboard):
    for panel in dashboard["panels"]:
        yield panel
        yield from panel.get("panels", [])


def targets(dashboard):
    """(title of the panel, target) of every query to Prometheus."""
    for panel in panels(dashboard):
        for target in panel.get("targets", []):
            if target["datasource"]["type"] == "prometheus":
                yield panel["title"], target


def has_data(result):
    """At least one number among the samples."""
    return any(not math.isnan(float(sample["value"][1])) for sample in result)


def unanswered(prometheus, dashboard_paths, rule_paths, job):
    """Queries of panels, variables and rules without an answer: a list of sentences. `prometheus`
    has query(path, **parameters) and exemplars(expression)."""
    found = []

    def ask(what, expression):
        if not has_data(prometheus.query("query", query=expression)["result"]):
            found.append(f"{what}: no data for {expression}")

    for path in dashboard_paths:
        dashboard = json.loads(path.read_text())
        for title, target in targets(dashboard):
            expression = filled_in(target["expr"], job)
            ask(f"{path.name}, {title}", expression)
            if target["exemplar"] and not prometheus.exemplars(expression):
                found.append(f"{path.name}, {title}: no exemplar for {expression}")
        for variable in dashboard["templating"]["list"]:
            # Namespaces are there in a cluster only.
            if variable["type"] == "query" and variable["name"] != "namespace":
                query = filled_in(variable["query"]["query"], job)
                if values := LABEL_VALUES.fullmatch(query):
                    query = f"group by ({values[2]}) ({values[1]})"
                else:
                    query = query.removeprefix("query_result(").removesuffix(")")
                ask(f"{path.name}, variable {variable['name']}", query)
    for path in rule_paths:
        for group in yaml.safe_load(path.read_text())["groups"]:
            for rule in group["rules"]:
                if "record" in rule:
                    ask(f"rule {rule['record']}", rule["record"])
                for metric in sorted(set(METRIC.findall(rule["expr"]))):
                    # The source of pods is there in a cluster only, too.
                    if not metric.startswith("exemplar_agent_kubernetes_"):
                        ask(f"{path.name}, input of {rule.get('alert', rule.get('record'))}", metric)
    return found
