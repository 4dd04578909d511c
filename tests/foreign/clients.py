"""Foreign clients: how each asks for URLs, and what it says itself of the answers."""
import collections
import re
import shutil
import subprocess

import pytest

from foreign.applications import java_classes
from foreign.program import SERVICES, STATUS
from foreign.table import NONE

FAILURES = {"absent": 404, "fail": 500}


def printed_by(command, env=None):
    if shutil.which(str(command[0])) is None:
        pytest.skip(f"{command[0]} is not installed: scripts/setup --foreign")
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            timeout=60, stdin=subprocess.DEVNULL, env=env, check=False)
    return result.stdout + result.stderr


def run(command, status=STATUS, **settings):
    """How many answers had which status, as the program says."""
    printed = printed_by(command, **settings)
    told = collections.Counter(map(int, re.findall(status, printed, re.M)))
    assert told, printed
    return told


def curl(urls, **_):
    each = [part for url in urls for part in ("--output", "/dev/null", url)]
    return run(["curl", "--silent", "--insecure", "--write-out", "status %{http_code}\n", *each])


def wget(urls, **_):
    return run(["wget", "--no-check-certificate", "--server-response", "--tries", "1", "-nv", "-O",
                "/dev/null", *urls], status=r"^\s+HTTP/1\.\d (\d+)")


def siege(urls, folder, kept=False, **_):
    settings, list_of_urls = folder / "siege.conf", folder / "urls"
    settings.write_text("verbose = true\nshow-logfile = false\nlogging = false\ncolor = off\n"
                        f"protocol = HTTP/1.1\nconnection = {'keep-alive' if kept else 'close'}\n"
                        "parser = false\nbenchmark = true\nlimit = 255\n")
    list_of_urls.write_text("\n".join(urls) + "\n")
    printed = printed_by(["siege", "-R", settings, "-c", "4", "-r", len(urls) // 2, "-f",
                          list_of_urls], env={"HOME": str(folder), "PATH": "/usr/bin:/bin"})
    told = collections.Counter(map(int, re.findall(r"^HTTP/1\.\d (\d+)", printed, re.M)))
    made = sum(int(re.search(rf"^{what} *transactions:\s+(\d+)", printed, re.M | re.I)[1])
               for what in ("", "Failed"))
    told[NONE] = made - sum(told.values())  # sent on a connection that nginx had closed
    return told


def hey(urls, kept=True, **_):
    """Asks for one URL many times, rounded down to a multiple of its workers."""
    told = collections.Counter()
    for url, times in collections.Counter(urls).items():
        printed = printed_by(["hey", "-n", times, "-c", "4",
                              *([] if kept else ["-disable-keepalive"]), url])
        for status, number in re.findall(r"\[(\d+)\]\s+(\d+) responses", printed):
            told[int(status)] += int(number)
    return told


def ab(urls, kept=False, **_):
    """Asks for one URL many times, and tells only how many answers were no success."""
    told = collections.Counter()
    for url, times in collections.Counter(urls).items():
        printed = printed_by(["ab", "-q", "-n", times, "-c", "4", *(["-k"] if kept else []), url])
        complete = int(re.search(r"Complete requests:\s+(\d+)", printed)[1])
        failed = int((re.search(r"Non-2xx responses:\s+(\d+)", printed) or [0, 0])[1])
        told[FAILURES.get(url.rsplit("/", 1)[1], 500)] += failed
        told[200] += complete - failed
    return told


def python(urls, how, **_):
    return run(["/usr/bin/python3", SERVICES / "client.py", how, *urls])


def node(urls, **_):
    return run(["node", SERVICES / "client.js", *urls])


def ruby(urls, **_):
    return run(["ruby", SERVICES / "client.rb", *urls])


def perl(urls, **_):
    return run(["perl", SERVICES / "client.pl", *urls])


def php(urls, **_):
    return run(["/usr/bin/php", SERVICES / "client.php", *urls])


def java_command(urls, classes):
    return ["java", "-Xmx64m", "-cp", java_classes(classes), "Client", *urls]


def java(urls, classes, **_):
    return run(java_command(urls, classes))
