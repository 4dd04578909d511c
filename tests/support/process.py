"""A child process that is always ended, by its own id."""
import pathlib
import signal
import subprocess


def child_of(pid):
    """The only child of a process; none yet is an AssertionError."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    assert len(children) == 1, f"{pid} has the children {children}"
    return int(children[0])


class Process:
    """Runs a program in the background. Output goes to files; leaving the block ends it."""

    def __init__(self, command, log, stdout=None, env=None, cwd=None):
        self.command = [str(part) for part in command]
        self.log_path = log
        self._log = open(log, "ab")
        self._stdout = open(stdout, "ab") if stdout else self._log
        self.child = subprocess.Popen(self.command, stdin=subprocess.DEVNULL, stdout=self._stdout,
                                      stderr=self._log, env=env, cwd=cwd)

    @property
    def pid(self):
        return self.child.pid

    def running(self):
        return self.child.poll() is None

    def log(self):
        return self.log_path.read_text(errors="replace")

    def send(self, number):
        if self.running():
            self.child.send_signal(number)

    def wait(self, within=10.0):
        """The exit code; negative for the signal that ended it."""
        return self.child.wait(timeout=within)

    def stop(self, number=signal.SIGTERM, within=10.0):
        self.send(number)
        try:
            code = self.wait(within)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()
            raise AssertionError(
                f"{self.command[0]} did not end within {within} s; its log:\n{self.log()}")
        finally:
            self._close()
        return code

    def _close(self):
        self._log.close()
        if self._stdout is not self._log:
            self._stdout.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
