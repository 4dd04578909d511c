"""What the agent says with --output json: windows, histograms and spans."""
import json
import math
from dataclasses import dataclass, field

SERVER = "http.server.request.duration"
CLIENT = "http.client.request.duration"
RPC_SERVER = "rpc.server.call.duration"
RPC_CLIENT = "rpc.client.call.duration"
QUEUE = "exemplar_agent.http.server.queue.duration"
REQUEST_SIZE = "http.server.request.body.size"
RESPONSE_SIZE = "http.server.response.body.size"
ACTIVE = "http.server.active_requests"


def _matches(line, program, attributes):
    """program: how the name of the executable begins (python3.11 is a python)."""
    if program is not None:
        executable = line["resource"].get("process.executable.name", "")
        if not executable.rsplit("/", 1)[-1].startswith(program):
            return False
    return all(line["attributes"].get(key) == value for key, value in attributes.items())


@dataclass
class Report:
    """All lines of one run. Histograms are cumulative, so the last line of a series counts."""
    windows: list = field(default_factory=list)
    histogram_lines: list = field(default_factory=list)
    sum_lines: list = field(default_factory=list)
    spans: list = field(default_factory=list)
    exported_with: dict = field(default_factory=dict)  # by span id, the number of the window

    @staticmethod
    def parse(text):
        """The last line may be cut: the agent is still writing it."""
        report = Report()
        lines = text.split("\n")
        for line in lines[:-1]:
            if not line:
                continue
            value = json.loads(line)
            kind = value["type"]
            if kind == "window":
                report.windows.append(value)
            elif kind == "histogram":
                report.histogram_lines.append(value)
            elif kind == "sum":
                report.sum_lines.append(value)
            elif kind == "span":
                report.spans.append(value)
                report.exported_with[value["span_id"]] = len(report.windows)  # its line comes after
            else:
                raise AssertionError(f"unknown line: {line}")
        return report

    def series(self, metric, program=None, **attributes):
        """The newest line of each series that matches."""
        newest = {}
        for line in self.histogram_lines + self.sum_lines:
            if line["metric"] == metric and _matches(line, program, attributes):
                newest[json.dumps([line["resource"], line["attributes"]], sort_keys=True)] = line
        return list(newest.values())

    def count(self, metric, program=None, **attributes):
        return sum(line["count"] for line in self.series(metric, program, **attributes))

    def exemplars(self, metric, program=None, **attributes):
        """Of every window, not only of the last."""
        return [exemplar for line in self.histogram_lines
                if line["metric"] == metric and _matches(line, program, attributes)
                for exemplar in line["exemplars"]]

    def find_spans(self, program=None, kind=None, **attributes):
        return [span for span in self.spans
                if _matches(span, program, attributes) and (kind is None or span["kind"] == kind)]

    def check(self):
        """What holds for every report, whatever the traffic."""
        for line in self.histogram_lines:
            # One bucket a bound and one beyond the last; each request is in one of them.
            assert len(line["bucket_counts"]) == len(line["bounds"]) + 1, line
            assert sum(line["bucket_counts"]) == line["count"], line
            assert line["bounds"] == sorted(line["bounds"]), line
            if line["count"]:
                assert 0 <= line["min"] <= line["max"], line
                assert line["min"] * line["count"] <= line["sum"] * (1 + 1e-9), line
                assert line["sum"] <= line["max"] * line["count"] * (1 + 1e-9), line
            for exemplar in line["exemplars"]:
                assert line["min"] <= exemplar["value"] <= line["max"], line
        self._check_exemplars_open_spans()
        self._check_links_have_parents()

    def dangling(self):
        """Spans that name a parent which never went out: it can only be a caller's, from a header."""
        ids = {(span["trace_id"], span["span_id"]) for span in self.spans}
        return [span for span in self.spans if int(span["parent_span_id"] or "0", 16) and
                (span["trace_id"], span["parent_span_id"]) not in ids]

    def _check_links_have_parents(self):
        """A parent that the agent found itself went out, too."""
        found = [span for span in self.dangling() if span["attributes"].get("exemplar.link")]
        assert not found, f"no parent for {found[0]} and {len(found) - 1} more"

    def _check_exemplars_open_spans(self):
        """The promise: ids on an exemplar belong to a span that went out, whose length is the
        value of an exemplar of durations."""
        by_id = {(span["trace_id"], span["span_id"]): span for span in self.spans}
        assert len(by_id) == len(self.spans), "a span went out twice"
        for line in self.histogram_lines:
            for exemplar in line["exemplars"]:
                if not exemplar.get("trace_id"):
                    continue
                key = (exemplar["trace_id"], exemplar["span_id"])
                assert key in by_id, f"no span for the exemplar {exemplar}"
                if line["metric"] not in (SERVER, CLIENT):
                    continue  # its values are no lengths of spans
                span = by_id[key]
                length = (span["end_unix_ns"] - span["start_unix_ns"]) / 1e9
                assert math.isclose(length, exemplar["value"], rel_tol=0, abs_tol=1e-12), \
                    (span, exemplar)
