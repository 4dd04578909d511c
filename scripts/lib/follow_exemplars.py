#!/usr/bin/env python3
"""Follows every exemplar of Prometheus into Jaeger, as a click in Grafana would.

    scripts/lib/follow_exemplars.py PROMETHEUS_URL JAEGER_URL

Prints how many were found, and the trace of the slowest. Exit 1 if one was not found, or if there
is none at all.
"""
import json
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from span_tree import draw_trees

METRICS = ("http_server_request_duration_seconds_bucket",
           "http_client_request_duration_seconds_bucket",
           "exemplar_agent_http_server_queue_duration_seconds_bucket")


def get(url):
    """The JSON answer; None if the thing is not there."""
    try:
        with urllib.request.urlopen(url, timeout=10) as reply:
            return json.load(reply)
    except urllib.error.HTTPError as error:
        if error.code == 404:
            return None
        raise


def exemplars(prometheus, expression, since_seconds=3600):
    """All exemplars of the series: labels, value, timestamp, and the labels of the series."""
    now = time.time()
    answer = get(f"{prometheus}/api/v1/query_exemplars?" + urllib.parse.urlencode(
        {"query": expression, "start": now - since_seconds, "end": now + 5}))
    return [dict(exemplar, series=series["seriesLabels"])
            for series in answer["data"] for exemplar in series["exemplars"]]


def trace(jaeger, trace_id):
    """The spans of a stored trace; none if it is not stored."""
    answer = get(f"{jaeger}/api/traces/{trace_id}")
    if not answer or not answer["data"]:
        return []
    found, = answer["data"]
    return [span_of(span, found["processes"][span["processID"]]) for span in found["spans"]]


def span_of(span, process):
    tags = {tag["key"]: tag["value"] for tag in span["tags"]}
    parents = [reference["spanID"] for reference in span["references"]
               if reference["refType"] == "CHILD_OF"]
    return {"trace_id": span["traceID"], "span_id": span["spanID"],
            "parent_span_id": parents[0] if parents else "", "name": span["operationName"],
            "kind": tags.get("span.kind", "internal").upper(), "service": process["serviceName"],
            "start_unix_ns": span["startTime"] * 1000,
            "end_unix_ns": (span["startTime"] + span["duration"]) * 1000, "attributes": tags}


class Followed:
    """An exemplar and where its ids lead."""

    def __init__(self, exemplar, spans):
        self.exemplar, self.spans = exemplar, spans
        self.value = float(exemplar["value"])
        self.span = next((span for span in spans
                          if span["span_id"] == exemplar["labels"].get("span_id")), None)


def follow(prometheus, jaeger, metrics=METRICS):
    """Each exemplar with ids, followed."""
    return [Followed(one, trace(jaeger, one["labels"]["trace_id"]))
            for metric in metrics for one in exemplars(prometheus, metric)
            if "trace_id" in one["labels"]]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__)
    try:
        followed = follow(*sys.argv[1:])
    except OSError as error:
        sys.exit(f"does the stack run? {error}")
    if not followed:
        sys.exit("Prometheus has no exemplar yet: send some requests and wait for a window (10 s)")
    found = [one for one in followed if one.span]
    if found:
        slowest = max(found, key=lambda one: one.value)
        print(f"The slowest, {slowest.value:.3f} s, trace {slowest.exemplar['labels']['trace_id']}:")
        print(draw_trees(slowest.spans, marked=slowest.span["span_id"]))
    print(f"{len(found)} of {len(followed)} exemplars in Prometheus open a trace in Jaeger")
    return 0 if len(found) == len(followed) else 1


if __name__ == "__main__":
    sys.exit(main())
