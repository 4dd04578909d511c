"""What TLS costs: throughput with and without, breakpoints an exchange, probes in and out, and a
program of 500 MB with a million functions. Run by scripts/bench."""
import json
import pathlib
import re
import statistics
import subprocess
import time

from support import tls
from support.agent import Agent
from support.bpf_objects import held_by
from support.load import h2load, wrk
from support.process import Process
from support.report import CLIENT, SERVER
from support.waiting import eventually

LIBRARY = "/usr/lib/x86_64-linux-gnu/libssl.so.3"
STATISTICS = pathlib.Path("/proc/sys/kernel/bpf_stats_enabled")
FUNCTIONS, PROGRAM_BYTES = 1_000_000, 500 << 20


def throughput(folder, certificate, rounds, seconds, say):
    """Alternates without and with the agent, both ends observed."""
    rates = {"without": [], "with": []}
    with tls.nginx(folder, certificate) as nginx:
        def rate():
            load = wrk(f"{nginx.url}/ok", seconds=seconds, connections=16)
            assert load.failed == 0, load.text
            return float(re.search(r"Requests/sec:\s+([\d.]+)", load.text)[1])
        rate()
        for number in range(rounds):
            rates["without"].append(rate())
            agent_folder = folder / f"tls{number}"
            agent_folder.mkdir()
            agent = Agent(agent_folder, output="none", window="10s", ports=[nginx.port])
            try:
                tls.wait_for_probes(agent)
                rates["with"].append(rate())
            finally:
                agent.stop()
            say(f"round {number + 1}: {rates['without'][-1]:,.0f} requests/s over TLS without, "
                f"{rates['with'][-1]:,.0f} with the agent")
    without, observed = (statistics.median(rates[key]) for key in ("without", "with"))
    return [("TLS throughput with / without, both ends", f"{observed / without:.2f}", ">= 0.40",
             observed / without >= 0.40),
            ("  requests/s without -> with", f"{without:,.0f} -> {observed:,.0f}", "", None)]


def program_runs(agent):
    """Name of a TLS program of this agent -> how often it has run since it was loaded."""
    own = held_by([agent.pid])["prog"]
    listed = subprocess.run(["/usr/sbin/bpftool", "--json", "prog", "list"], capture_output=True,
                            text=True, check=True)
    runs = {}
    for program in json.loads(listed.stdout):
        if program["id"] in own and program.get("name", "").startswith("exa_tls_"):
            runs[program["name"]] = program.get("run_cnt", 0)
    return runs


def breakpoints(folder, certificate, requests):
    """By the kernel's own count of program runs: one a write, two a read; each end reads once more
    than there are messages, and finds nothing."""
    before = STATISTICS.read_text()
    STATISTICS.write_text("1")
    try:
        with tls.nginx(folder, certificate) as nginx:
            agent_folder = folder / "counted"
            agent_folder.mkdir()
            agent = Agent(agent_folder, window="1s", ports=[nginx.port])
            try:
                tls.wait_for_probes(agent)
                first = program_runs(agent)
                h2load(f"{nginx.url}/ok", requests, clients=4)
                for metric in (SERVER, CLIENT):
                    agent.wait_for_count(metric, requests)
                runs = {name: count - first.get(name, 0)
                        for name, count in program_runs(agent).items()}
            finally:
                agent.stop()
    finally:
        STATISTICS.write_text(before)
    an_end = runs.get("exa_tls_enter", 0) / requests / 2
    return [("TLS breakpoints an exchange and end, nginx and h2load", f"{an_end:.2f}", "<= 5",
             0 < round(an_end, 2) <= 5)]


def attachments(tool):
    told = json.loads(subprocess.run([tool, LIBRARY, "10"], capture_output=True, text=True,
                                     check=True).stdout)
    return [(f"TLS probes of libssl, {told['probes']} in {told['places']} places: in",
             f"{told['attach_ms']['median']:.1f} ms", "<= 50 ms",
             told["attach_ms"]["median"] <= 50),
            ("  out", f"{told['detach_ms']['median']:.1f} ms", "<= 500 ms",
             told["detach_ms"]["median"] <= 500)]


def build_large_program(folder):
    """It waits for its end, holds functions of OpenSSL's names among a million, and 500 MB."""
    source, program = folder / "large.s", folder / "large"
    with source.open("w") as text:
        text.write(".globl main\n.type main,@function\nmain: sub $8,%rsp\n1: call pause\njmp 1b\n")
        for name in ["SSL_read", "SSL_write", "SSL_free",
                     *(f"a_namespace::function_{number}" for number in range(FUNCTIONS))]:
            text.write(f'.type "{name}",@function\n"{name}": push %rbp\npop %rbp\nret\n'
                       f'.size "{name}", .-"{name}"\n')
        text.write(f'.section .rodata\n.zero {PROGRAM_BYTES}\n.section .note.GNU-stack,"",@progbits\n')
    subprocess.run(["gcc", "-O0", "-no-pie", "-o", program, source], check=True)
    source.unlink()
    return program


def peak_kib(pid):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])


def large_program(folder, tool):
    program = build_large_program(folder)
    told = json.loads(subprocess.run([tool, program, "1"], capture_output=True, text=True,
                                     check=True).stdout)
    agent_folder = folder / "large-agent"
    agent_folder.mkdir()
    agent = Agent(agent_folder, output="none")
    try:
        tls.wait_for_probes(agent)
        before, begin = peak_kib(agent.pid), time.monotonic()
        with Process([program], log=folder / "large.log") as process:
            eventually(lambda: any(use["probes"] for use in tls.status(agent).get(process.pid, [])),
                       within=30, what="the probes of the large program")
            took = time.monotonic() - begin
            growth = max(peak_kib(agent.pid) - before, told["plan_peak_growth_kib"]) / 1024
    finally:
        agent.stop()
    size = program.stat().st_size >> 20
    return [(f"reading a program of {size} MiB, {FUNCTIONS:,} functions",
             f"{told['plan_ms']:.0f} ms", "<= 1000 ms", told["plan_ms"] <= 1000),
            ("  growth of peak memory for it", f"{growth:.1f} MiB", "<= 20 MiB", growth <= 20),
            ("  from its start to its line in the status", f"{took:.2f} s", "", None)]


def run_all(folder, build, rounds, seconds, say):
    certificate = tls.Certificate(folder)
    tool = build / "tests/bpf/attach_cycles"
    return [*throughput(folder, certificate, rounds, seconds, say),
            *breakpoints(folder, certificate, 20_000),
            *attachments(tool),
            *large_program(folder, tool)]
