"""A foreign server as a child of the test, and what it says itself of the requests that it served."""
import collections
import pathlib
import re
import shutil

import pytest

from support.process import Process
from support.waiting import accepts, eventually

SERVICES = pathlib.Path(__file__).parent / "services"
STATUS = r"\bstatus (\d+)"


class Program(Process):
    """Its access log has a line a request, in a file of its own or among its output."""

    def __init__(self, folder, name, port, command, access_log=None, status=STATUS, asked=None,
                 env=None, cwd=None):
        if shutil.which(str(command[0])) is None:
            pytest.skip(f"{command[0]} is not installed: scripts/setup --foreign")
        self.name, self.port = name, port
        self._access_log, self._status, self._asked = access_log, status, asked
        super().__init__(command, log=folder / f"{name}.log", env=env, cwd=cwd)
        try:
            eventually(lambda: accepts(port) or not self.running(), within=30, what=name)
            assert self.running(), f"{name} ended at its start:\n{self.log()}"
        except AssertionError:
            self.stop()
            raise

    def _logged(self):
        path = self._access_log or self.log_path
        return path.read_text(errors="replace") if path.exists() else ""

    def served(self):
        """How many answers had which status. Whole only once it has ended."""
        return collections.Counter(map(int, re.findall(self._status, self._logged(), re.M)))

    def asked(self):
        """Of those that it passed on, what its upstream answered; None where it passes none on."""
        if self._asked is None:
            return None
        return collections.Counter(map(int, re.findall(self._asked, self._logged(), re.M)))

    def finish(self, made):
        """Ends it, after so many requests."""
        self.stop()

    def __exit__(self, *_):
        if self.running():
            self.stop()
