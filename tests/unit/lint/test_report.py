"""The tests' own reader of the agent's output finds what must not be."""
import json
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2]))
from support.report import SERVER, Report  # noqa: E402

SPAN = {"type": "span", "trace_id": "aa", "span_id": "bb", "service": "s", "kind": "SERVER",
        "parent_span_id": "", "start_unix_ns": 1_000_000_000, "end_unix_ns": 1_250_000_000, "attributes": {},
        "resource": {}}
HISTOGRAM = {"type": "histogram", "metric": SERVER, "service": "s", "resource": {"pid": 1},
             "attributes": {"http.request.method": "GET"}, "count": 2, "sum": 0.5, "min": 0.25,
             "max": 0.25, "bounds": [0.1, 1], "bucket_counts": [0, 2, 0],
             "exemplars": [{"value": 0.25, "trace_id": "aa", "span_id": "bb"}]}


def report(*lines):
    return Report.parse("".join(json.dumps(line) + "\n" for line in lines))


def test_the_newest_line_of_each_series_counts():
    newer = dict(HISTOGRAM, count=5)
    other = dict(HISTOGRAM, attributes={"http.request.method": "PUT"})
    seen = report(HISTOGRAM, newer, other)
    assert seen.count(SERVER) == 7
    assert seen.count(SERVER, **{"http.request.method": "GET"}) == 5


def test_a_line_still_being_written_is_not_read():
    assert Report.parse(json.dumps(SPAN) + '\n{"type":"sp').spans == [SPAN]


def test_a_good_report_passes():
    report(SPAN, HISTOGRAM).check()


LINKED = dict(SPAN, span_id="cc", parent_span_id="bb", attributes={"exemplar.link": "connection"})


def test_a_parent_from_a_header_need_not_be_there():
    outside = dict(LINKED, attributes={})
    report(outside).check()
    assert report(outside).dangling() == [outside]
    assert report(SPAN, outside).dangling() == []
    report(SPAN, LINKED).check()


@pytest.mark.parametrize("lines", [
    [HISTOGRAM],                                              # no span for its exemplar
    [SPAN, dict(HISTOGRAM, bucket_counts=[0, 1, 0])],         # buckets do not add up
    [SPAN, dict(HISTOGRAM, max=0.2)],                         # exemplar beyond the largest
    [dict(SPAN, end_unix_ns=1_250_000_001), HISTOGRAM],       # the span lasted longer
    [SPAN, SPAN, HISTOGRAM],                                  # one span twice
    [LINKED],                                                 # its parent was found, and is not there
    [dict(SPAN, trace_id="ab"), LINKED],                      # the parent is of another trace
])
def test_what_must_not_be_is_found(lines):
    with pytest.raises(AssertionError):
        report(*lines).check()
