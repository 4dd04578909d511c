"""Waiting for a condition with a deadline: the only clock of the tests."""
import socket
import time
import urllib.error
import urllib.request


def eventually(condition, within=10.0, what="the condition"):
    """Calls condition until its result is true, and returns that result. An AssertionError inside
    means not yet; at the deadline it is raised as it is."""
    deadline = time.monotonic() + within
    while True:
        try:
            result = condition()
            if result:
                return result
            failure = None
        except AssertionError as error:
            failure = error
        if time.monotonic() > deadline:
            if failure is not None:
                raise failure
            raise AssertionError(f"{what} did not come within {within} s")
        time.sleep(0.05)


def free_port(host="127.0.0.1"):
    """A TCP port that nobody listens on. The kernel hands out others for a while."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.bind((host, 0))
        return probe.getsockname()[1]


def accepts(port, host="127.0.0.1"):
    """True if something listens. Looks into the kernel's table: no connection is made."""
    table = "/proc/net/tcp6" if ":" in host else "/proc/net/tcp"
    for path in {table, "/proc/net/tcp6"}:
        with open(path, encoding="ascii") as rows:
            for row in rows:
                columns = row.split()
                if columns[3] == "0A" and int(columns[1].rsplit(":", 1)[1], 16) == port:
                    return True
    return False


def connections(port):
    """How many of a server's are established, by the kernel's tables."""
    number = 0
    for path in ("/proc/net/tcp", "/proc/net/tcp6"):
        with open(path, encoding="ascii") as rows:
            columns = (row.split() for row in rows)
            number += sum(column[3] == "01" and int(column[1].rsplit(":", 1)[1], 16) == port
                          for column in columns)
    return number


def http_status(url, timeout=2.0):
    """The status of a GET, 0 if there is no answer."""
    try:
        with urllib.request.urlopen(url, timeout=timeout) as reply:
            return reply.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return 0
