"""The tree that the demo draws."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts" / "lib"))
from span_tree import draw_trees  # noqa: E402


def span(span_id, parent, begin_ms, end_ms, service, kind):
    return {"span_id": span_id, "parent_span_id": parent, "start_unix_ns": begin_ms * 1_000_000,
            "end_unix_ns": end_ms * 1_000_000, "service": service, "kind": kind, "name": "GET",
            "attributes": {"http.response.status_code": 200, "url.path": "/slow"}}


def test_children_hang_under_their_parents_in_order_of_time():
    spans = [span("c", "b", 3, 8, "python", "SERVER"), span("a", "", 0, 10, "nginx", "SERVER"),
             span("b", "a", 2, 9, "nginx", "CLIENT")]
    lines = draw_trees(spans, marked="a").splitlines()
    assert [line.split(" GET")[0] for line in lines] == [
        "   nginx (server)", "   └─ nginx (client)", "      └─ python (server)"]
    assert lines[0].endswith("+    0.00 ms     10.00 ms  200  <- the exemplar")
    assert "+    3.00 ms      5.00 ms" in lines[2]


def test_a_parent_that_is_not_stored_is_said_to_be_outside():
    lines = draw_trees([span("a", "feed", 0, 10, "nginx", "SERVER")]).splitlines()
    assert lines[0] == "   (a caller outside: span feed)"
    assert lines[1].startswith("   └─ nginx (server)")
