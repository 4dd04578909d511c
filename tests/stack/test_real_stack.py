"""Agent, Collector, Jaeger and Prometheus 3, all real: every exemplar opens a stored trace."""
import json
import math
import os
import urllib.request

import pytest

from stack.conftest import DASHBOARDS, RULES, needs_root
from stack.panels import unanswered
from stack.real_stack import RealStack
from stack.traffic import Traffic
from support.load import curl
from support.servers import Nginx, Service
from support.waiting import eventually

pytestmark = needs_root
COUNT = 'http_server_request_duration_seconds_count{job="nginx"}'


@pytest.fixture
def site(tmp_path):
    """nginx in front of a service."""
    with Service(tmp_path, "service.py") as service, \
            Nginx(tmp_path / "nginx", upstream=service.port) as nginx:
        nginx.ports = [nginx.port, service.port]
        yield nginx


def known_trace(number):
    return f"{0xdecade << 40 | number:032x}"


def send_requests(site, rounds=4):
    """So many as are returned, in rounds apart, some of them slow, failing or of a known trace."""
    for number in range(1, rounds + 1):
        curl(*[f"{site.url}/backend/ok"] * 30, *[f"{site.url}/broken"] * 3,
             *[f"{site.url}/backend/slow?ms={40 * number}"] * 2)
        curl(*[f"{site.url}/backend/ok"] * 5, "-H",
             f"traceparent: 00-{known_trace(number)}-{number:016x}-01")
    return rounds * 40


def assert_each_opens_its_span(stack, at_least=20):
    """N of N, once the Collector has passed on what it has acknowledged."""
    def all_found():
        followed = stack.follow()
        lost = [one.exemplar for one in followed if one.span is None]
        assert len(followed) >= at_least, f"{len(followed)} exemplars\n{stack.logs()}"
        assert not lost, f"{len(lost)} of {len(followed)} exemplars open nothing: {lost[:3]}"
        return followed
    followed = eventually(all_found, within=20)
    for one in followed:
        attributes = one.span["attributes"]
        assert attributes["exemplar"] == "true"
        assert one.value <= float(one.exemplar["series"]["le"])
        assert one.exemplar["series"]["job"] == one.span["service"]
        if one.exemplar["series"]["__name__"].startswith("http_"):
            took = (one.span["end_unix_ns"] - one.span["start_unix_ns"]) / 1e9
            assert math.isclose(took, one.value, abs_tol=2e-6), (one.exemplar, one.span)
            status = one.exemplar["series"]["http_response_status_code"]
            assert str(attributes["http.response.status_code"]) == status
    return followed


def test_every_exemplar_pushed_by_otlp_opens_its_trace(start_agent, site, tmp_path):
    with RealStack(tmp_path) as stack:
        agent = start_agent("--otlp-endpoint", stack.otlp, ports=site.ports)
        sent = send_requests(site)
        eventually(lambda: stack.prometheus.value(COUNT) == sent, within=20,
                   what=f"{sent} requests in Prometheus")
        followed = assert_each_opens_its_span(stack)
        linked = [one for one in followed if one.span["kind"] == "SERVER" and
                  any(span["span_id"] == one.span["parent_span_id"] for span in one.spans)]
        assert linked, "a trace holds the caller's span too"
        assert agent.stop() == 0


def test_every_exemplar_scraped_opens_its_trace(start_agent, site, tmp_path):
    with RealStack(tmp_path) as stack:
        # Traces are pushed, metrics are not: one way for each.
        agent = start_agent("--otlp-endpoint", stack.otlp, ports=site.ports, window="2s",
                            env=dict(os.environ, OTEL_METRICS_EXPORTER="prometheus"))
        stack.scrape(agent.metrics_port)
        eventually(lambda: stack.prometheus.value("exemplar_agent_windows_total") is not None,
                   within=40, what="the first scrape")
        sent = send_requests(site)
        eventually(lambda: stack.prometheus.value(COUNT) == sent, within=40,
                   what=f"{sent} requests in Prometheus")
        assert_each_opens_its_span(stack, at_least=5)
        assert agent.stop() == 0


def send_slow_requests(site, numbers):
    """One for each of these known traces, slow enough to be the slowest of its window."""
    for number in numbers:
        curl(f"{site.url}/backend/slow?ms={100 * number}", "-H",
             f"traceparent: 00-{known_trace(number)}-{number:016x}-01")


def sdk_spans(stack, first, count, trace_of):
    """Spans as an SDK would send them, one a trace, without the mark of an exemplar."""
    spans = [{"traceId": trace_of(number), "spanId": f"{0x5dc0000 + number:016x}", "kind": 1,
              "name": "work", "startTimeUnixNano": "1000000000", "endTimeUnixNano": "2000000000"}
             for number in range(first, first + count)]
    body = {"resourceSpans": [{"resource": {"attributes": [
        {"key": "service.name", "value": {"stringValue": "sdk"}}]}, "scopeSpans": [{"spans": spans}]}]}
    request = urllib.request.Request(f"{stack.otlp}/v1/traces", json.dumps(body).encode(),
                                     {"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=10) as reply:
        assert reply.status == 200


def traces_decided_on(stack, first, count=400):
    """Traces of an SDK, no exemplar among them: the sampler, which keeps a few of so many, has
    decided on them and on whatever came before."""
    ids = {number: f"{0xabcdef0123456789abcdef0100000000 + number * 0x9e3779b1:032x}"
           for number in range(first, first + count)}
    sdk_spans(stack, first, count, ids.get)
    eventually(lambda: any(stack.trace(trace_id) for trace_id in ids.values()), within=30,
               what=f"one of {count} traces that the sampler keeps")
    return list(ids.values())


def test_every_exemplar_opens_its_trace_when_one_of_a_hundred_is_kept(start_agent, site, tmp_path):
    with RealStack(tmp_path, "--sample", "1", TAIL_SAMPLING_WAIT="3s") as stack:
        agent = start_agent("--otlp-endpoint", stack.otlp, ports=site.ports)
        # Requests so slow that the sampler has decided against their traces, from spans of SDKs that
        # ended early, before the agent's spans come. It decides on others after these, so that none
        # of them is the last, which is remembered.
        late = range(5, 10)
        sdk_spans(stack, late[0], len(late), known_trace)
        others = traces_decided_on(stack, 1000) + traces_decided_on(stack, 2000)
        sdk_spans(stack, 1, 4, known_trace)
        sent = send_requests(site) + len(late)
        send_slow_requests(site, late)
        sdk_spans(stack, 100 + late[0], len(late), lambda number: known_trace(number - 100))
        eventually(lambda: stack.prometheus.value(COUNT) == sent, within=20,
                   what=f"{sent} requests in Prometheus")
        assert_each_opens_its_span(stack)

        def whole_traces():
            """A kept trace is whole, with the spans of SDKs: those that came with the exemplar, where
            what came early was decided against. The sampler decides after the exemplars are stored."""
            found = {one.exemplar["labels"]["trace_id"]: one.spans for one in stack.follow()}
            marked = {known_trace(number) for number in range(1, 5)} & found.keys()
            slow = {known_trace(number) for number in late} & found.keys()
            assert marked and len(slow) >= 2, (marked, slow)
            for trace_id in marked | slow:
                assert "sdk" in {span["service"] for span in found[trace_id]}, trace_id
            return found
        for spans in eventually(whole_traces, within=20).values():
            ids = [span["span_id"] for span in spans if span["attributes"].get("exemplar")]
            assert len(ids) == len(set(ids)), "a span goes out once"
        # The sampler does sample: of the others hardly any is left.
        kept = sum(bool(stack.trace(trace_id)) for trace_id in others)
        assert kept <= 32, f"{kept} of {len(others)} traces without an exemplar were kept"
        assert agent.stop() == 0


def test_an_exemplar_need_not_wait_for_the_sampler(start_agent, site, tmp_path):
    with RealStack(tmp_path, "--sample", "1", TAIL_SAMPLING_WAIT="10m") as stack:
        agent = start_agent("--otlp-endpoint", stack.otlp, ports=site.ports)
        sent = send_requests(site)
        eventually(lambda: stack.prometheus.value(COUNT) == sent, within=20,
                   what=f"{sent} requests in Prometheus")
        assert_each_opens_its_span(stack)
        assert agent.stop() == 0


def test_every_query_has_data_where_the_agent_pushes(start_agent, site, tmp_path):
    with RealStack(tmp_path) as stack:
        agent = start_agent("--otlp-endpoint", stack.otlp, window="1s", ports=site.ports)
        with Traffic(site.url):
            def all_answered():
                found = unanswered(stack.prometheus, DASHBOARDS, RULES, job="nginx")
                assert not found, "\n".join(found)
                return True
            eventually(all_answered, within=90)
        assert agent.stop() == 0


def test_the_script_tells_what_runs_and_ends_it(tmp_path):
    with RealStack(tmp_path) as stack:
        assert stack.otlp in stack.printed and stack.jaeger in stack.printed
        assert "Grafana     not here" in stack.printed
        assert set(stack.pids()) == {"collector", "prometheus", "jaeger"}
        again = stack.run("up", "--no-agent")
        assert again.returncode == 1 and "runs already" in again.stderr
        empty = stack.run("show")
        assert empty.returncode == 1 and "no exemplar yet" in empty.stderr
    assert stack.run("status").returncode == 1
    assert stack.run("down").returncode == 0, "down may come twice"
