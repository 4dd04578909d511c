"""The real agent as a child of the test."""
import os
import pathlib
import subprocess
import time

from support.metrics_page import scrape
from support.process import Process, child_of
from support.report import Report
from support.waiting import eventually, free_port, http_status

ROOT = pathlib.Path(__file__).resolve().parents[2]


def binary():
    path = ROOT / os.environ.get("EXA_AGENT", "build/dev/exemplar-agent")
    assert path.is_file(), f"{path} is not built: scripts/build dev"
    return path


def run_cli(*arguments, within=20.0, env=None):
    """Runs the agent to its end: check, replay, version, or a run that must fail."""
    return subprocess.run([binary(), *map(str, arguments)], capture_output=True, text=True,
                          timeout=within, stdin=subprocess.DEVNULL, env=env)


class Agent:
    """A running agent that watches only what the test names."""

    def __init__(self, folder, *arguments, window="500ms", output="json", config=None,
                 ports=(), env=None, json_path=None, wrapper=(), lock_path=None):
        self.folder = folder
        self.metrics_port = free_port()
        self.json_path = json_path or folder / "agent.json"
        self.lock_path = lock_path or folder / "lock"  # beside an agent that may serve this host
        command = [*wrapper, binary(), "run", "--output", output, "--window", window,
                   "--openmetrics", f"127.0.0.1:{self.metrics_port}",
                   "--lock-file", self.lock_path]
        if config is not None:
            path = folder / "agent.yaml"
            path.write_text(config)
            command += ["--config", path]
        for port in ports:
            command += ["--include-port", port]
        self._start(command + list(arguments), env)

    def _start(self, command, env):
        self.process = Process(command, log=self.folder / "agent.log", stdout=self.json_path,
                               env=env)
        eventually(lambda: self.ready() or not self.process.running(), within=60,
                   what="the start of the agent")
        if not self.process.running():
            code = self.process.stop()
            raise AssertionError(f"the agent ended with {code} at its start; its log:\n"
                                 f"{self.process.log()}")

    def ready(self):
        return http_status(f"http://127.0.0.1:{self.metrics_port}/readyz") == 200

    @property
    def pid(self):
        return self.process.pid

    def pipeline_pid(self):
        """The process that reads captured bytes: the only child of the prober."""
        return child_of(self.pid)

    def scrape(self):
        return scrape(self.metrics_port)

    def report(self):
        return Report.parse(self.json_path.read_text())

    def log(self):
        return self.process.log()

    def wait_for_joined(self, client, server):
        """Spans of both ends, and each of the server's has one of the client's as its parent."""
        report = eventually(lambda: self.report() if self.report().find_spans(client) and
                            self.report().find_spans(server) else None, what="spans of both ends")
        asked = {span["span_id"]: span for span in report.find_spans(client, "CLIENT")}
        for span in report.find_spans(server, "SERVER"):
            assert asked[span["parent_span_id"]]["trace_id"] == span["trace_id"]

    def wait_for_count(self, metric, count, program=None, within=10.0, **attributes):
        """The report once the metric's series add up to count. More than that is an error at
        once; so is less at the deadline."""
        def reached():
            report = self.report()
            seen = report.count(metric, program, **attributes)
            assert seen >= count, f"{metric} {program or ''} {attributes}: {seen} of {count}"
            return report
        try:
            report = eventually(reached, within=within)
        except AssertionError as short:
            if not self.process.running():  # the shortfall is the news, not that nobody answers
                raise
            dropped = self.scrape().dropped_chunks()
            raise AssertionError(f"{short}; chunks dropped: {dropped or 'none'}") from short
        seen = report.count(metric, program, **attributes)
        assert seen == count, f"{metric} {program or ''} {attributes}: {seen}, not {count}"
        return report

    def wait_for_windows(self, number, within=10.0):
        """The report after so many more windows have closed."""
        before = len(self.report().windows)
        return eventually(lambda: self.report() if len(self.report().windows) >= before + number
                          else None, within=within, what=f"the close of {number} windows")

    def stop(self, within=5.0):
        """SIGTERM; the exit code."""
        begin = time.monotonic()
        code = self.process.stop(within=within + 5)
        took = time.monotonic() - begin
        assert took <= within, f"the agent took {took:.1f} s to end"
        return code
