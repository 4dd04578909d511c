#!/usr/bin/env python3
"""Whole-system benchmarks, and the micro benchmarks beside them; one table at the end.

Ratios travel between machines, nanoseconds do not. Run by scripts/bench.
"""
import argparse
import os
import pathlib
import re
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "tests"))
BUILD = ROOT / "build/bench"
os.environ.setdefault("EXA_AGENT", str(BUILD / "exemplar-agent"))

from bench import http2, micro, quality, tls, why  # noqa: E402
from support.agent import Agent, binary, run_cli  # noqa: E402
from support.load import h2load, wrk  # noqa: E402
from support.report import CLIENT, SERVER, Report  # noqa: E402
from support.resources import cpu_seconds, resident_mib  # noqa: E402
from support.servers import Nginx  # noqa: E402

RATE = 10_000


def say(text):
    print(f"bench: {text}", flush=True)


def milliseconds(text):
    number, unit = re.match(r"([\d.]+)(us|ms|s)", text).groups()
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def saturate(url, seconds):
    """(requests/s, p50 ms, p99 ms) of wrk on the last core against nginx on the first."""
    load = wrk(url, seconds=seconds, connections=16,
               prefix=("taskset", "-c", str(os.cpu_count() - 1)))
    assert load.failed == 0, load.text
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", load.text)[1])
    p50, p99 = (milliseconds(re.search(rf"\n\s+{quantile}%\s+(\S+)", load.text)[1])
                for quantile in (50, 99))
    return rate, p50, p99


def overhead(folder, rounds, seconds):
    """Alternates without and with the agent, so that a drift of the machine hits both alike."""
    rows = {"without": [], "with": []}
    with Nginx(folder / "saturated", prefix=("taskset", "-c", "0")) as nginx:
        saturate(f"{nginx.url}/ok", 1)
        for number in range(rounds):
            rows["without"].append(saturate(f"{nginx.url}/ok", seconds))
            agent_folder = folder / f"agent{number}"
            agent_folder.mkdir()
            agent = Agent(agent_folder, output="none", window="10s", ports=[nginx.port])
            try:
                # Not its start: every program file of the host is looked at once then.
                saturate(f"{nginx.url}/ok", 2)
                rows["with"].append(saturate(f"{nginx.url}/ok", seconds))
                page = agent.scrape()
                dropped = page.sum("exemplar_agent_kernel_dropped_total")
            finally:
                agent.stop()
            say(f"round {number + 1}: {rows['without'][-1][0]:,.0f} requests/s without, "
                f"{rows['with'][-1][0]:,.0f} with the agent, {dropped} chunks dropped")
    medians = {key: [statistics.median(column) for column in zip(*values)]
               for key, values in rows.items()}
    loss = 1 - medians["with"][0] / medians["without"][0]
    return [
        ("throughput loss, saturated nginx, both ends", f"{loss:.1%}", "<= 15 %", loss <= 0.15),
        ("  requests/s without -> with",
         f"{medians['without'][0]:,.0f} -> {medians['with'][0]:,.0f}", "", None),
        ("  p50 without -> with",
         f"{medians['without'][1]:.3f} -> {medians['with'][1]:.3f} ms", "", None),
        ("  p99 without -> with",
         f"{medians['without'][2]:.3f} -> {medians['with'][2]:.3f} ms", "", None),
    ]


def fixed_rate(folder, seconds):
    with Nginx(folder / "fixed") as nginx:
        agent_folder = folder / "agent-fixed"
        agent_folder.mkdir()
        agent = Agent(agent_folder, output="none", window="10s", ports=[nginx.port])
        try:
            h2load(f"{nginx.url}/ok", RATE * 2, clients=10, rps=RATE)  # warm
            pids = (agent.pid, agent.pipeline_pid())
            begin, used = time.monotonic(), cpu_seconds(pids)
            load = h2load(f"{nginx.url}/ok", RATE * seconds, clients=10, rps=RATE)
            share = (cpu_seconds(pids) - used) / (time.monotonic() - begin)
            resident = resident_mib(pids)
        finally:
            agent.stop()
    assert load.failed == 0
    return [
        (f"agent CPU at {RATE:,} requests/s, both ends", f"{share:.1%} of a core", "<= 10 %",
         share <= 0.10),
        ("agent RSS, both processes", f"{resident:.1f} MiB", "<= 64 MiB", resident <= 64),
    ]


def replay(folder, seconds):
    """Records a saturated run, then replays it: the whole userspace path without the kernel."""
    recording = folder / "recording"
    with Nginx(folder / "recorded") as nginx:
        agent_folder = folder / "agent-recording"
        agent_folder.mkdir()
        agent = Agent(agent_folder, "--record", recording, window="5s", ports=[nginx.port])
        h2load(f"{nginx.url}/ok", 15_000 * seconds, clients=16, rps=15_000)
        agent.stop()
    report = Report.parse(run_cli("replay", recording, "--output", "json", within=120).stdout)
    exchanges = report.count(SERVER) + report.count(CLIENT)
    times = []
    for _ in range(7):
        begin = os.times()
        run_cli("replay", recording, "--output", "none", within=120)
        end = os.times()
        times.append(end.children_user + end.children_system -
                     begin.children_user - begin.children_system)
    idle_begin = os.times()
    run_cli("version")
    idle_end = os.times()
    idle = idle_end.children_user + idle_end.children_system - \
        idle_begin.children_user - idle_begin.children_system
    per_exchange_us = (min(times) - idle) / exchanges * 1e6
    instructions = (instructions_of("replay", recording, "--output", "none") -
                    instructions_of("version")) / exchanges
    return [
        (f"replay of {exchanges:,} exchanges, CPU each", f"{per_exchange_us:.2f} us",
         "<= 1.5 us", per_exchange_us <= 1.5),
        ("  instructions each (callgrind)", f"{instructions:,.0f}", "", None),
    ]


def instructions_of(*arguments):
    result = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", str(binary()),
         *map(str, arguments)], capture_output=True, text=True, check=True,
        stdin=subprocess.DEVNULL)
    return int(re.search(r"Collected : (\d+)", result.stderr)[1])


def print_table(rows):
    print()
    print(f"{'what':<54} {'result':>26}  {'target':<12}")
    for name, result, target, met in rows:
        verdict = "" if met is None else ("met" if met else "MISSED")
        print(f"{name:<54} {result:>26}  {target:<12} {verdict}")
    print()


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer and shorter rounds")
    parser.add_argument("--only", choices=("overhead", "rate", "replay", "tls", "http2", "why", "quality", "micro"))
    options = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="exemplar-agent-bench-") as name:
        folder = pathlib.Path(name)
        parts = {
            "overhead": lambda: overhead(folder, *((2, 3) if options.quick else (5, 5))),
            "rate": lambda: fixed_rate(folder, 5 if options.quick else 20),
            "replay": lambda: replay(folder, 2 if options.quick else 5),
            "tls": lambda: tls.run_all(folder, BUILD, *((2, 3) if options.quick else (5, 5)), say),
            "http2": lambda: http2.run_all(folder, *((2, 40_000) if options.quick else (5, 200_000)),
                                           say),
            "why": lambda: why.run_all(folder, *((2, 3) if options.quick else (5, 5)), say),
            "quality": lambda: quality.run_all(folder, 12 if options.quick else 40, say),
            "micro": lambda: micro.run_all(BUILD, say),
        }
        for part, run in parts.items():
            if options.only in (None, part):
                say(part)
                rows += run()
    print_table(rows)
    return 0 if all(met is not False for *_, met in rows) else 1


if __name__ == "__main__":
    sys.exit(main())
