"""What HTTP/2 costs: throughput of a hundred streams at a time, and of calls of gRPC, with and without,
the kernel's part of a frame and ours of a stream, and what an open connection takes. Run by
scripts/bench."""
import json
import os
import pathlib
import re
import statistics
import subprocess

import pytest

from foreign.applications import BUILT, built_by_go
from foreign.program import SERVICES
from support.agent import Agent
from support.bpf_objects import held_by
from support.load import h2load
from support.process import Process
from support.resources import cpu_seconds, resident_mib
from support.servers import Nginx
from support.waiting import accepts, eventually, free_port

STATISTICS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
# Of a short answer of nginx, at one end: HEADERS of the request, HEADERS and DATA of the answer.
FRAMES = 3
CALL_SECONDS = 4
LAST_CPU = ("taskset", "-c", str(os.cpu_count() - 1))


def rate(nginx, requests):
    load = h2load(f"{nginx.url}/ok", requests, clients=4, pipelined=100, http2=True, prefix=LAST_CPU)
    assert load.failed == 0, load.text
    return float(re.search(r"([\d.]+) req/s", load.text)[1])


def alternate(folder, name, rounds, port, measure, say):
    """What it measures without and with the agent that observes both ends of the port."""
    rates = {"without": [], "with": []}
    for number in range(rounds):
        rates["without"].append(measure())
        agent_folder = folder / f"{name}-{number}"
        agent_folder.mkdir()
        agent = Agent(agent_folder, output="none", window="10s", ports=[port])
        try:
            rates["with"].append(measure())
        finally:
            agent.stop()
        say(f"round {number + 1}: {rates['without'][-1]:,.0f} {name}/s without, "
            f"{rates['with'][-1]:,.0f} with the agent")
    return (statistics.median(rates[key]) for key in ("without", "with"))


def throughput(folder, rounds, requests, say):
    def measure():
        rate(nginx, requests // 4)
        return rate(nginx, requests)
    with Nginx(folder / "streams", protocol="http2", prefix=("taskset", "-c", "0")) as nginx:
        without, observed = alternate(folder, "streams", rounds, nginx.port, measure, say)
    return [("HTTP/2 throughput with / without, 100 streams, both ends", f"{observed / without:.2f}",
             "", None),
            ("  streams/s without -> with", f"{without:,.0f} -> {observed:,.0f}", "", None)]


def calls(folder, rounds, seconds, say):
    """Of grpc-go, as many as one connection does, 50 at a time."""
    try:
        program = built_by_go("grpc_go", "build", "-o", BUILT / "grpc_go", ".",
                              cwd=SERVICES / "grpc_go")
    except pytest.skip.Exception as reason:
        return [("gRPC throughput with / without", f"skipped: {reason}", "", None)]
    port = free_port()

    def measure():
        done = subprocess.run([program, "load", str(port), str(seconds)], capture_output=True,
                              text=True, check=True)
        return float(done.stdout)
    with Process([program, "server", str(port)], log=folder / "grpc.log"):
        eventually(lambda: accepts(port), what="the server of gRPC")
        without, observed = alternate(folder, "calls", rounds, port, measure, say)
    return [("gRPC throughput with / without, grpc-go, both ends", f"{observed / without:.2f}", "",
             None),
            ("  calls/s without -> with", f"{without:,.0f} -> {observed:,.0f}", "", None)]


def kernel_ns(agent):
    own = held_by([agent.pid])["prog"]
    listed = subprocess.run(["/usr/sbin/bpftool", "--json", "prog", "list"], capture_output=True,
                            text=True, check=True)
    return sum(program.get("run_time_ns", 0) for program in json.loads(listed.stdout)
               if program["id"] in own)


def cost(folder, streams):
    """At a rate that leaves the machine idle. The kernel's own measurement adds to its figure."""
    before = STATISTICS.read_text()
    with Nginx(folder / "frames", protocol="http2") as nginx:
        agent_folder = folder / "http2-cost"
        agent_folder.mkdir()
        agent = Agent(agent_folder, output="none", window="10s", ports=[nginx.port])
        try:
            load = {"clients": 4, "pipelined": 100, "http2": True, "rps": 20_000}
            h2load(f"{nginx.url}/ok", streams // 4, **load)
            pids = (agent.pid, agent.pipeline_pid())
            used = cpu_seconds(pids)
            h2load(f"{nginx.url}/ok", streams, **load)
            ours_us = (cpu_seconds(pids) - used) / (2 * streams) * 1e6
            STATISTICS.write_text("1")
            ran = kernel_ns(agent)
            h2load(f"{nginx.url}/ok", streams, **load)
            frame_ns = (kernel_ns(agent) - ran) / (2 * streams * FRAMES)
            resident = resident_mib(pids)
            h2load(f"{nginx.url}/ok", 4000, clients=1000, pipelined=4, http2=True)
            more = resident_mib(pids) - resident
        finally:
            STATISTICS.write_text(before)
            agent.stop()
    return [("HTTP/2, kernel, a frame", f"{frame_ns:.0f} ns", "<= 500 ns", frame_ns <= 500),
            ("HTTP/2, agent CPU, a stream", f"{ours_us:.2f} us", "<= 3 us", ours_us <= 3),
            ("HTTP/2, agent RSS, 1,000 connections at both ends", f"{more:+.1f} MiB", "", None)]


def run_all(folder, rounds, requests, say):
    return (throughput(folder, rounds, requests, say) + calls(folder, rounds, CALL_SECONDS, say) +
            cost(folder, requests))
