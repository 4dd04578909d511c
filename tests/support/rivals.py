"""Programs that want what others have."""
import contextlib
import os
import subprocess
import sys


@contextlib.contextmanager
def beside_a_rival(pid):
    """All threads of the process on one CPU, beside an endless loop."""
    cpu = {min(os.sched_getaffinity(0))}
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), cpu)
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as rival:
        os.sched_setaffinity(rival.pid, cpu)
        try:
            yield
        finally:
            rival.kill()
