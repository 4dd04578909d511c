"""Traces of services that pass nothing on: whose request is whose is known by the thread that serves
one at a time, or not at all. The path, which is the same all the way down, says whether it is right."""
import concurrent.futures
import contextlib
import itertools

import pytest

from support.load import curl
from support.servers import Service

PROOF = 16  # answers, until it is believed that a process works like that


@contextlib.contextmanager
def chain(folder, front=(), middle=()):
    """Two relays before a service that sleeps."""
    with contextlib.ExitStack() as stack:
        def service(name, *arguments):
            (folder / name).mkdir()
            return stack.enter_context(Service(folder / name, "relay.py", arguments=arguments))
        back = service("back")
        between = service("middle", "--upstream", back.port, *middle)
        yield service("front", "--upstream", between.port, *front), between, back


numbers = itertools.count(1)


def ask(front, milliseconds):
    curl(f"{front.url}/{next(numbers)}/{milliseconds}")


def parents(report):
    """(child, parent) of all spans whose parent is there."""
    ids = {span["span_id"]: span for span in report.spans}
    return [(span, ids[span["parent_span_id"]]) for span in report.spans
            if span["parent_span_id"] in ids]


def assert_none_is_wrong(report):
    for child, parent in parents(report):
        assert child["trace_id"] == parent["trace_id"]
        assert child["attributes"]["url.path"] == parent["attributes"]["url.path"], (child, parent)
    paths = {}
    for span in report.spans:
        paths.setdefault(span["trace_id"], set()).add(span["attributes"]["url.path"])
    assert all(len(of_trace) == 1 for of_trace in paths.values()), paths


def by_thread(report, port):
    """Spans of requests to that port which are told to be part of another one."""
    return [span for span in report.find_spans(kind="CLIENT", **{"server.port": port})
            if span["attributes"].get("exemplar.link") == "thread"]


def test_a_chain_of_threads_is_one_trace(start_agent, tmp_path):
    with chain(tmp_path) as (front, middle, back):
        agent = start_agent(ports=[front.port, middle.port, back.port], window="2s")
        for _ in range(PROOF):
            ask(front, 1)
        agent.wait_for_windows(1)
        for took in (5, 20, 60, 150, 400):  # each explains a bucket of its own
            ask(front, took)
        report = agent.wait_for_windows(2)

    assert_none_is_wrong(report)
    above = {child["span_id"]: parent for child, parent in parents(report)}
    chains = []
    for span in report.find_spans(kind="SERVER", **{"server.port": back.port}):
        up = [span]
        while parent := above.get(up[-1]["span_id"]):
            up.append(parent)
        chains.append([one["attributes"].get("exemplar.link") for one in up])
    # Its ends may be exported in different windows.
    assert ["connection", "thread", "connection", "thread", "connection", None] in chains, chains


def test_threads_that_all_are_busy(start_agent, tmp_path):
    with chain(tmp_path) as (front, middle, back), \
            concurrent.futures.ThreadPoolExecutor(16) as clients:
        agent = start_agent(ports=[front.port, middle.port, back.port], window="2s")
        for _ in range(4):
            list(clients.map(lambda took: ask(front, took), [1, 3, 9, 27, 81, 243] * 8))
        report = agent.wait_for_windows(2)
    assert_none_is_wrong(report)
    assert by_thread(report, middle.port) and by_thread(report, back.port)


def test_what_a_thread_asks_in_the_background_is_nobodys(start_agent, tmp_path):
    with chain(tmp_path, front=["--background"]) as (front, middle, back):
        agent = start_agent(ports=[front.port, middle.port, back.port], window="2s")
        for _ in range(3 * PROOF):
            ask(front, 30)
        report = agent.wait_for_windows(2)
    assert_none_is_wrong(report)
    assert by_thread(report, back.port)


@pytest.mark.parametrize("arguments", [["--loop"], ["--loop", "--background"]],
                         ids=["loop", "background"])
def test_an_event_loop_is_not_guessed(start_agent, tmp_path, arguments):
    with chain(tmp_path, front=arguments) as (front, middle, back), \
            concurrent.futures.ThreadPoolExecutor(8) as clients:
        agent = start_agent(ports=[front.port, middle.port, back.port], window="2s")
        for _ in range(2):
            for _ in range(PROOF + 4):
                ask(front, 10)
            list(clients.map(lambda took: ask(front, took), [1, 3, 9, 27, 81, 243] * 4))
        report = agent.wait_for_windows(2)
    assert_none_is_wrong(report)
    assert by_thread(report, back.port), "the service behind it has threads"
