"""Requests of every kind that the dashboards show, until told to stop."""
import threading

from support.load import curl


class Traffic:
    """Through nginx to the service: quick, slow, failing, with and without a trace context."""

    def __init__(self, url):
        self.url, self.rounds, self.failure = url, 0, None
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._run)
        self.thread.start()

    def _run(self):
        try:
            while not self.ended.is_set():
                self.rounds += 1
                curl(*[f"{self.url}/backend/ok"] * 20, *[f"{self.url}/ok"] * 5,
                     f"{self.url}/backend/slow?ms=60", *[f"{self.url}/backend/fail"] * 2)
                curl(f"{self.url}/backend/slow?ms=120", "-H",
                     f"traceparent: 00-{0xdecade << 40 | self.rounds:032x}-{self.rounds:016x}-01")
        except Exception as error:  # what a thread raises would be lost
            self.failure = error

    def stop(self):
        self.ended.set()
        self.thread.join()
        assert self.failure is None, self.failure

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
