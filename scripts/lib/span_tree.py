"""Draws the spans of one trace as a tree of text."""


WORTH_EXPLAINING_NS = 10_000_000


def draw_trees(spans, marked=None):
    """One line a span: service, side, name, when it began after the first span, how long it took,
    status; below a slow one why. A span whose parent is not among them is a root. `marked` gets an
    arrow."""
    spans = sorted(spans, key=lambda span: (span["start_unix_ns"], -span["end_unix_ns"]))
    ids = {span["span_id"] for span in spans}
    begin = spans[0]["start_unix_ns"] if spans else 0
    lines = []

    def line_of(span, lead):
        took = (span["end_unix_ns"] - span["start_unix_ns"]) / 1e6
        offset = (span["start_unix_ns"] - begin) / 1e6
        attributes = span["attributes"]
        status = attributes.get("http.response.status_code",
                                attributes.get("rpc.status_code", "no answer"))
        path = attributes.get("url.path", "")
        name = span["name"] if path in span["name"] else f'{span["name"]} {path}'
        text = f'{lead}{span["service"]} ({span["kind"].lower()}) {name}'
        mark = "  <- the exemplar" if span["span_id"] == marked else ""
        return f"{text:<62} +{offset:8.2f} ms {took:9.2f} ms  {status}{mark}"

    def draw(span, lead, child_lead):
        lines.append(line_of(span, lead))
        children = [child for child in spans if child["parent_span_id"] == span["span_id"]]
        why = span["attributes"].get("exemplar.why")
        if why and span["end_unix_ns"] - span["start_unix_ns"] >= WORTH_EXPLAINING_NS:
            lines.append(f'{child_lead}{"│" if children else " "}  why: {why}')
        draw_children(children, child_lead)

    def draw_children(children, lead):
        for index, child in enumerate(children):
            last = index == len(children) - 1
            draw(child, lead + ("└─ " if last else "├─ "), lead + ("   " if last else "│  "))

    roots = [span for span in spans if span["parent_span_id"] not in ids]
    for outside in dict.fromkeys(span["parent_span_id"].strip("0") for span in roots):
        called = [span for span in roots if span["parent_span_id"].strip("0") == outside]
        if outside:
            lines.append(f"   (a caller outside: span {called[0]['parent_span_id']})")
            draw_children(called, "   ")
        else:
            for span in called:
                draw(span, "   ", "   ")
    return "\n".join(lines)
