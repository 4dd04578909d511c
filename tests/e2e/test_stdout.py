"""Standard output whose reader stops, that is closed, or that may not grow: all else goes on."""
import fcntl
import json
import os
import pty
import subprocess
import termios
import threading
import time

import pytest

from support.agent import binary
from support.load import curl
from support.metrics_page import scrape
from support.otlp_backend import OtlpBackend
from support.report import SERVER, Report
from support.waiting import eventually, free_port, http_status

PAGE_COUNT = "http_server_request_duration_seconds_count"


class Printing:
    """An agent whose standard streams are the test's own."""

    def __init__(self, folder, port, *arguments, prefix=(), stdout=None, stderr=None):
        self.metrics_port, self.lock = free_port(), folder / "lock"
        self.log_path = folder / "log"
        with open(self.log_path, "wb") as log:
            self.child = subprocess.Popen(
                [*map(str, prefix), binary(), "run", "--window", "300ms", "--openmetrics",
                 f"127.0.0.1:{self.metrics_port}", "--lock-file", self.lock, "--include-port",
                 str(port), *map(str, arguments)],
                stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr or log)
        eventually(lambda: self.ready() or self.child.poll() is not None, within=60, what="ready")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()

    def ready(self):
        return http_status(f"http://127.0.0.1:{self.metrics_port}/readyz") == 200

    def page(self):
        return scrape(self.metrics_port)

    def counted(self):
        return self.page().sum(PAGE_COUNT)

    def log(self):
        return self.log_path.read_text()

    def stop(self):
        """SIGTERM; the exit code and how long it took."""
        begin = time.monotonic()
        self.child.terminate()
        code = self.child.wait(timeout=10)
        return code, time.monotonic() - begin


def ask(nginx, times):
    curl(*[f"{nginx.url}/ok"] * times)
    return times


def small_pipe():
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    return ours, theirs


def test_a_pipe_that_nobody_reads_stops_no_other_export(nginx, tmp_path):
    ours, theirs = small_pipe()
    with OtlpBackend() as backend, Printing(
            tmp_path, nginx.port, "--output", "json", "--otlp-endpoint", backend.url,
            stdout=theirs) as agent:
        os.close(theirs)
        asked = 0
        for _ in range(8):  # each seen at both places before the next
            asked += ask(nginx, 25)
            eventually(lambda: agent.counted() == asked, what=f"{asked} on the page")
            eventually(lambda: backend.count(SERVER) == asked, what=f"{asked} by OTLP")
        code, took = agent.stop()
        assert took <= 2
        assert code == 1
        assert "it was not read in time" in agent.log()
    os.close(ours)


def test_a_reader_that_goes_on_gets_all_that_was_printed(nginx, tmp_path):
    ours, theirs = small_pipe()
    with Printing(tmp_path, nginx.port, "--output", "json", stdout=theirs) as agent:
        os.close(theirs)
        asked = 0
        for _ in range(5):
            asked += ask(nginx, 20)
            eventually(lambda: agent.counted() == asked, what=f"{asked} on the page")
        read = []
        reader = threading.Thread(target=lambda: read.append(os.fdopen(ours).read()))
        reader.start()
        asked += ask(nginx, 20)
        eventually(lambda: agent.counted() == asked, what=f"{asked} on the page")
        code, _ = agent.stop()
        reader.join()
        assert code == 0, agent.log()
        for line in read[0].splitlines():
            json.loads(line)
        report = Report.parse(read[0])
        assert report.count(SERVER) == asked
        report.check()


def test_ctrl_s_on_a_terminal_stops_no_export_and_ctrl_q_shows_the_newest(nginx, tmp_path):
    ours, theirs = pty.openpty()
    subprocess.run(["stty", "rows", "24", "cols", "100"], stdin=theirs, check=True)
    os.set_blocking(ours, False)
    drawn = b""

    def shown():
        nonlocal drawn
        try:
            drawn += os.read(ours, 1 << 16)
        except BlockingIOError:
            pass
        return drawn

    with Printing(tmp_path, nginx.port, stdout=theirs) as agent:
        asked = ask(nginx, 10)
        eventually(lambda: b"nginx" in shown(), what="a table")
        termios.tcflow(theirs, termios.TCOOFF)
        for _ in range(4):
            asked += ask(nginx, 10)
            eventually(lambda: agent.counted() == asked, what=f"{asked} on the page")
            shown()
        eventually(lambda: agent.page().sum("exemplar_agent_export_output_dropped_total",
                                            reason="superseded") >= 2, what="tables in one's place")
        assert agent.page().sum("exemplar_agent_export_output_dropped_total",
                                reason="stalled") == 0
        shown()
        drawn = b""
        termios.tcflow(theirs, termios.TCOON)
        eventually(lambda: shown().count(b"\x1b[J") >= 3, what="tables again")
        termios.tcflow(theirs, termios.TCOOFF)
        code, took = agent.stop()
        assert took <= 2
        assert code in (0, 1), "whether the last table had been drawn"
    os.close(theirs)
    os.close(ours)


@pytest.mark.parametrize("closed", ["0", "1", "2", "01", "12", "02", "012"])
def test_streams_that_are_closed_take_nothing_of_the_agent(nginx, tmp_path, closed):
    shell = ["sh", "-c", 'exec "$@" ' + " ".join(f"{fd}>&-" for fd in closed), "sh"]
    with open(tmp_path / "out", "wb") as out, Printing(
            tmp_path, nginx.port, "--output", "json", prefix=shell, stdout=out) as agent:
        assert agent.child.poll() is None, agent.log()
        asked = ask(nginx, 20)
        eventually(lambda: agent.counted() == asked, what=f"{asked} on the page")
        held = [agent.child.pid]
        held += map(int, open(f"/proc/{held[0]}/task/{held[0]}/children").read().split())
        for pid in held:
            for fd in closed:
                assert os.readlink(f"/proc/{pid}/fd/{fd}") == "/dev/null", f"{fd} of {pid}"
        assert agent.lock.stat().st_size < 100
        assert agent.stop()[0] == 0


def test_an_output_that_may_not_grow_is_told(nginx, tmp_path):
    log, theirs = small_pipe()
    with open(tmp_path / "out", "wb") as out, Printing(
            tmp_path, nginx.port, "--output", "json", prefix=["prlimit", "--fsize=0"], stdout=out,
            stderr=theirs) as agent:
        os.close(theirs)
        assert agent.child.wait(timeout=20) == 1
        assert "standard output: File too large" in os.fdopen(log).read()
