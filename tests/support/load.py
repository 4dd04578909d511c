"""Clients that nobody here wrote, and what they say they did."""
import json
import re
import subprocess
from dataclasses import dataclass

from support.servers import SERVICES


def curl(*arguments, within=60.0, check=True, prefix=()):
    """Runs curl; .transfers is what its --write-out said of each URL."""
    command = [*prefix, "curl", "--silent", "--show-error", "--write-out", "%{json}\n"]
    for argument in map(str, arguments):
        # Each URL needs an --output of its own.
        command += (["--output", "/dev/null"] if argument.startswith("http") else []) + [argument]
    result = subprocess.run(
        command, capture_output=True, text=True, timeout=within, stdin=subprocess.DEVNULL)
    if check:
        assert result.returncode == 0, f"curl ended with {result.returncode}: {result.stderr}"
    result.transfers = [json.loads(line) for line in result.stdout.splitlines()]
    return result


@dataclass
class LoadResult:
    requests: int
    failed: int
    text: str


def h2load(url, requests, clients=4, rps=None, pipelined=1, within=120.0, http2=False, more=(),
           prefix=()):
    """At a fixed rate (requests/s in all) if one is given. Sends exactly so many; over HTTP/2 on as
    many streams at a time as are pipelined."""
    command = [*prefix, "h2load", *(() if http2 else ("--h1",)), "-n", requests, "-c", clients, "-t", 1, "-m",
               pipelined, *more]
    if rps:
        command += ["--rps", rps / clients]
    result = subprocess.run([*map(str, command), url], capture_output=True, text=True,
                            timeout=within, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    row = re.search(r"requests: (\d+) total, \d+ started, (\d+) done, (\d+) succeeded, "
                    r"(\d+) failed, (\d+) errored, (\d+) timeout", result.stdout)
    total, done, succeeded = int(row[1]), int(row[2]), int(row[3])
    assert done == total, result.stdout
    return LoadResult(total, total - succeeded, result.stdout)


def wrk(url, seconds=2, connections=4, script=None, prefix=(), threads=1):
    """As many requests as will go. Requests still open at the end are cut off, not counted."""
    command = [*prefix, "wrk", "-t", threads, "-c", connections, "-d", f"{seconds}s", "--latency"]
    if script:
        command += ["-s", SERVICES / script]
    result = subprocess.run([*map(str, command), url], capture_output=True, text=True,
                            timeout=seconds + 30, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    requests = int(re.search(r"(\d+) requests in", result.stdout)[1])
    failed = 0
    if match := re.search(r"Socket errors: connect (\d+), read (\d+), write (\d+), timeout (\d+)",
                          result.stdout):
        failed += sum(map(int, match.groups()))
    if match := re.search(r"Non-2xx or 3xx responses: (\d+)", result.stdout):
        failed += int(match[1])
    return LoadResult(requests, failed, result.stdout)


def node_client(url, times):
    result = subprocess.run(["node", SERVICES / "client.js", url, str(times)], capture_output=True,
                            text=True, timeout=60, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    return {int(status): number for status, number in json.loads(result.stdout).items()}
