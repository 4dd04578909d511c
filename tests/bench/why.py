"""What it costs to say why: the account of every exchange, and the looks at threads in slow ones.
Run by scripts/bench."""
import json
import pathlib
import statistics
import subprocess
import threading
import time
import urllib.request

from support import tls
from support.agent import Agent
from support.bpf_objects import held_by
from support.load import h2load
from support.resources import cpu_seconds
from support.servers import Nginx, Service

STATISTICS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
RATE = 10_000


def program_times(agent):
    """Name of a program of this agent -> (runs, nanoseconds) since it was loaded."""
    own = held_by([agent.pid])["prog"]
    listed = subprocess.run(["/usr/sbin/bpftool", "--json", "prog", "list"], capture_output=True,
                            text=True, check=True)
    return {program.get("name", ""): (program.get("run_cnt", 0), program.get("run_time_ns", 0))
            for program in json.loads(listed.stdout) if program["id"] in own}


SETTINGS = {"without": "{why: false}", "with": "{why: true}", "exact": "{why_exact: true}"}


def cost_of(folder, nginx, how, seconds):
    """Kernel nanoseconds and the agent's microseconds for an exchange seen at both ends."""
    folder.mkdir()
    agent = Agent(folder, output="none", window="10s", ports=[nginx.port],
                  config=f"exemplars: {SETTINGS[how]}\n")
    try:
        h2load(f"{nginx.url}/ok", RATE, clients=10, rps=RATE)  # warm
        pids = (agent.pid, agent.pipeline_pid())
        spent, used = (sum(ns for _, ns in program_times(agent).values()), cpu_seconds(pids))
        h2load(f"{nginx.url}/ok", RATE * seconds, clients=10, rps=RATE)
        spent = sum(ns for _, ns in program_times(agent).values()) - spent
        used = cpu_seconds(pids) - used
    finally:
        agent.stop()
    return spent / (RATE * seconds), used / (RATE * seconds) * 1e6


def account(folder, rounds, seconds, say):
    """Alternates, so that a drift of the machine hits all alike."""
    costs = {how: [] for how in SETTINGS}
    with Nginx(folder / "why-nginx") as nginx:
        for number in range(rounds):
            for how in list(SETTINGS)[::1 if number % 2 == 0 else -1]:
                costs[how].append(cost_of(folder / f"why{number}{how}", nginx, how, seconds))
            say(f"round {number + 1}: kernel {costs['without'][-1][0]:,.0f} ns an exchange without, "
                f"{costs['with'][-1][0]:,.0f} with the account, {costs['exact'][-1][0]:,.0f} exact")
    kernel, agent = ([statistics.median(cost[part] for cost in costs[how]) for how in SETTINGS]
                     for part in (0, 1))
    more_ns = (kernel[1] - kernel[0]) / 2
    return [("kernel time of the account, each end of an exchange", f"{more_ns:,.0f} ns", "<= 100 ns",
             more_ns <= 100),
            ("  kernel, both ends, without -> with -> exact",
             f"{kernel[0]:,.0f} -> {kernel[1]:,.0f} -> {kernel[2]:,.0f} ns", "", None),
            ("  agent, both ends, without -> with -> exact",
             f"{agent[0]:.2f} -> {agent[1]:.2f} -> {agent[2]:.2f} us", "", None)]


def looks(folder, seconds):
    """Eight requests sleep side by side: what the looks at their threads cost, and the agent."""
    with Service(folder, "causes.py") as service:
        agent_folder = folder / "agent-looks"
        agent_folder.mkdir()
        agent = Agent(agent_folder, output="none", window="10s", ports=[service.port])
        try:
            pids = (agent.pid, agent.pipeline_pid())
            tls.wait_for_probes(agent)  # the work of its start is done
            used = cpu_seconds(pids)
            time.sleep(seconds)
            idle = (cpu_seconds(pids) - used) / seconds
            before, used = program_times(agent).get("exa_look", (0, 0)), cpu_seconds(pids)
            askers = [threading.Thread(target=lambda: urllib.request.urlopen(
                f"{service.url}/sleep?ms={seconds * 1000}").read()) for _ in range(8)]
            for asker in askers:
                asker.start()
            for asker in askers:
                asker.join()
            busy = (cpu_seconds(pids) - used) / seconds
            after = program_times(agent).get("exa_look", (0, 0))
        finally:
            agent.stop()
    runs, spent = after[0] - before[0], after[1] - before[1]
    share = spent / (seconds * 1e9)
    return [("looks at 8 slow requests, share of a CPU in the kernel", f"{share:.3%}", "<= 0.1 %",
             runs > 0 and share <= 0.001),
            ("  looks a second, each", f"{runs / seconds:.0f}, {spent / max(runs, 1):,.0f} ns", "", None),
            ("  agent's share of a CPU, idle -> with slow requests", f"{idle:.2%} -> {busy:.2%}", "",
             None)]


PING_PONG = """
import os, time
there, back = os.pipe(), os.pipe()
if os.fork() == 0:
    while os.read(there[0], 1):
        os.write(back[1], b"x")
until = time.monotonic() + {seconds}
while time.monotonic() < until:
    os.write(there[1], b"x")
    os.read(back[0], 1)
"""


def switches(folder, nginx, seconds):
    """Being exact: what it costs at a switch of a thread that is nobody's and of a server, and for a
    segment that is received."""
    figures = []
    folder = folder / "exact"
    folder.mkdir()
    agent = Agent(folder, output="none", window="10s", ports=[nginx.port],
                  config="exemplars: {why_exact: true}\n")
    try:
        for run, parts in (
                (lambda: subprocess.run(
                    ["taskset", "-c", "0", "/usr/bin/python3", "-c", PING_PONG.format(seconds=seconds)],
                    check=True),
                 {"exa_cpu_switch": "following sleeps, a switch of threads that are not observed"}),
                (lambda: h2load(f"{nginx.url}/ok", RATE * seconds, clients=10, rps=RATE),
                 {"exa_cpu_switch": "following sleeps, a switch under load, nginx observed",
                  "exa_delivered": "late answers, a segment under load, nginx observed"})):
            before = program_times(agent)
            run()
            after = program_times(agent)
            for program, what in parts.items():
                runs, spent = (now - was for now, was in zip(after[program], before[program]))
                figures.append((what, spent / max(runs, 1), runs / seconds))
    finally:
        agent.stop()
    return [(what, f"{each_ns:.0f} ns", "<= 100 ns", a_second > 0 and each_ns <= 100)
            for what, each_ns, a_second in figures]


def run_all(folder, rounds, seconds, say):
    before = STATISTICS.read_text()
    STATISTICS.write_text("1")
    try:
        rows = account(folder, rounds, seconds, say) + looks(folder, 2 * seconds)
        with Nginx(folder / "why-exact-nginx") as nginx:
            return rows + switches(folder, nginx, seconds)
    finally:
        STATISTICS.write_text(before)
