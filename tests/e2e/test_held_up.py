"""Processes whose files or memory hold up whoever reads them, and processes that map more than
their share: the others keep their view, and the agent its manners."""
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from support import tls
from support.agent import binary
from support.fuse_server import FuseMount
from support.load import curl
from support.report import SERVER
from support.servers import SERVICES
from support.waiting import eventually, http_status

LIBRARY = "/usr/lib/x86_64-linux-gnu/libssl.so.3"
NOBODY = 65534


@pytest.fixture
def open_folder():
    """Where other users may read and write."""
    with tempfile.TemporaryDirectory() as folder:
        pathlib.Path(folder).chmod(0o777)
        yield pathlib.Path(folder)


class Mapper:
    """A process that maps files."""

    def __init__(self, *arguments, user=None, env=None):
        self.child = subprocess.Popen(
            [sys.executable, SERVICES / "maps_files.py", *map(str, arguments)], text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=user, group=user, env=env)

    @property
    def pid(self):
        return self.child.pid

    def __enter__(self):
        assert self.child.stdout.readline() == "mapped\n"
        return self

    def unmap(self):
        self.child.stdin.write("\n")
        self.child.stdin.flush()

    def __exit__(self, *_):
        self.child.kill()
        self.child.wait()
        self.child.stdin.close()
        self.child.stdout.close()


def reasons(agent, pid):
    told = tls.whole_status(agent) or {"processes": []}
    return [use["reason"] for row in told["processes"] if row["pid"] == pid for use in row["tls"]]


def figures(agent):
    return tls.whole_status(agent)["figures"]


def assert_ends_in_time(agent, within=5.0):
    begin = time.monotonic()
    assert agent.process.stop(within=within) == 0, agent.log()
    assert time.monotonic() - begin < within


def serve_with_own_library(tmp_path, certificate, port=None):
    """A TLS server that has a libssl of its own, which must be read before it can be probed."""
    folder = tmp_path / "own"
    folder.mkdir()
    shutil.copy(LIBRARY, folder / "libssl.so.3")
    return tls.python_server(tmp_path, certificate, port=port,
                             env={"LD_LIBRARY_PATH": str(folder)})


def expect_to_see(agent, server, requests=10):
    tls.wait_for_probes(agent, server)
    curl("--insecure", *[f"{server.url}/ok"] * requests)
    agent.wait_for_count(SERVER, requests, "python")


def test_a_file_that_is_never_answered_for_holds_nobody_up(start_agent, tmp_path, certificate):
    with (FuseMount(tmp_path / "fuse", "/bin/true") as files, Mapper(files.program) as stranger,
          serve_with_own_library(tmp_path, certificate) as server):
        files.hang()
        agent = start_agent(ports=[server.port])
        expect_to_see(agent, server)
        reason = eventually(lambda: reasons(agent, stranger.pid), what="the reason")
        assert reason == ["its file is on a file system in user space (fuse): probing it could "
                          "stall the whole host"]
        assert figures(agent)["files_refused"] >= 1
        assert_ends_in_time(agent)


@pytest.mark.parametrize("layers", ["plain", "overlay"])
def test_a_file_in_user_space_is_never_probed(start_agent, tmp_path, certificate, layers):
    """Not even one whose server is well, and whatever it is seen through."""
    with FuseMount(tmp_path / "fuse", LIBRARY) as files, tls.nginx(tmp_path, certificate) as server:
        program = files.program
        if layers == "overlay":
            (tmp_path / "empty").mkdir()
            (tmp_path / "all").mkdir()
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                            f"lowerdir={files.directory}:{tmp_path / 'empty'}", tmp_path / "all"],
                           check=True)
            program = tmp_path / "all" / "prog"
        try:
            with Mapper(program) as stranger:
                agent = start_agent(ports=[server.port])
                tls.wait_for_probes(agent, server)
                told = eventually(lambda: reasons(agent, stranger.pid), what="the reason")
                assert "file system in user space (fuse)" in " ".join(told)
                assert not any(use["probes"] for use in tls.status(agent)[stranger.pid])
                assert_ends_in_time(agent)
        finally:
            if layers == "overlay":
                subprocess.run(["umount", "--lazy", tmp_path / "all"], check=True)


def slowest_fork(enough):
    """Forks until it is enough; the longest of them in seconds."""
    worst = 0.0
    while not enough.wait(0.01):
        begin = time.monotonic()
        child = os.fork()
        if child == 0:
            os._exit(0)
        worst = max(worst, time.monotonic() - begin)
        os.waitpid(child, 0)
    return worst


def test_a_process_that_holds_its_memory_holds_no_fork_up(start_agent, tmp_path, certificate):
    """To place a probe the kernel waits for the memory of all who map the file, and forks wait for
    that. A munmap holds it until the server of a file system in user space has answered."""
    library = tmp_path / "own" / "libssl.so.3"
    with (FuseMount(tmp_path / "fuse", "/bin/true") as files,
          serve_with_own_library(tmp_path, certificate) as server,
          Mapper("--unmap", files.program, library) as holder, ThreadPoolExecutor() as beside):
        files.hang()
        holder.unmap()
        assert files.process.stdout.readline() == "never answered: 16\n"
        enough = threading.Event()
        forks = beside.submit(slowest_fork, enough)
        try:
            agent = start_agent(ports=[server.port])
            told, *_ = eventually(lambda: [r for r in reasons(agent, server.pid) if "lock" in r],
                                  what="the reason", within=15)
        finally:
            enough.set()
        assert forks.result() < 1.0
        assert f"process {holder.pid} holds its memory lock" in told
        files.process.kill()  # frees it

        def joined():
            curl("--insecure", f"{server.url}/ok")
            return any(use["probes"] for use in (tls.status(agent) or {}).get(server.pid, []))
        eventually(joined, within=30, what="the probes")
        assert_ends_in_time(agent)


def write_sparse_elf(path, symbols=17_000_000):
    """A few KiB on disk, and a symbol table of empty entries that takes a second to walk."""
    strings, table = 0x1000, 0x2000
    sections = table + 24 * symbols

    def section(kind, offset, size, link=0, entry=0):
        return struct.pack("<IIQQQQIIQQ", 0, kind, 0, offset, offset, size, link, 0, 1, entry)

    header = (b"\x7fELF\x02\x01\x01" + bytes(9) +
              struct.pack("<HHIQQQIHHHHHH", 3, 62, 1, 0, 64, sections, 0, 64, 56, 1, 64, 4, 3))
    segment = struct.pack("<IIQQQQQQ", 1, 5, 0, 0, 0, 0x1000, 0x1000, 0x1000)
    tables = (section(0, 0, 0) + section(2, table, 24 * symbols, 2, 24) +
              section(3, strings, 256) + section(3, strings, 256))
    with open(path, "wb") as file:
        file.write(header + segment)
        file.seek(strings)
        file.write(b"\0SSL_read\0")
        file.truncate(sections + len(tables))
        file.seek(sections)
        file.write(tables)


@pytest.mark.parametrize("user", [None, NOBODY], ids=["same user", "another user"])
def test_slow_files_of_a_few_processes_keep_nobody_waiting(start_agent, tmp_path, certificate,
                                                           open_folder, user):
    """A process may take 5 s, and the agent is ready after 10 at the latest: four outlast it."""
    with ExitStack() as running:
        strangers = []
        for number in range(4):
            paths = [open_folder / f"slow{number}-{part}" for part in range(40)]
            for path in paths:
                write_sparse_elf(path)
            strangers.append(running.enter_context(Mapper(*paths, user=user)))
        agent = start_agent()
        eventually(lambda: any("waiting to be read" in reason for stranger in strangers
                               for reason in reasons(agent, stranger.pid)),
                   what="the slow files' turn")
        with serve_with_own_library(tmp_path, certificate) as server:
            curl("--insecure", f"{server.url}/ok")  # tells that it speaks TLS
            eventually(lambda: any(use["probes"] for use in
                                   (tls.status(agent) or {}).get(server.pid, [])),
                       within=3, what="the probes of the other")
        assert_ends_in_time(agent)


def test_one_process_does_not_use_up_the_places_of_all(start_agent, tmp_path, certificate,
                                                       open_folder):
    with (Mapper("--copies", 600, LIBRARY, open_folder, user=NOBODY) as stranger,
          serve_with_own_library(tmp_path, certificate) as server):
        agent = start_agent(ports=[server.port])
        expect_to_see(agent, server)
        reason = eventually(lambda: [one for one in reasons(agent, stranger.pid)
                                     if "share of 16 probed files" in one], within=20,
                            what="the reason")
        assert reason
        assert figures(agent)["files_over_share"] > 0
        eventually(lambda: agent.scrape().sum("exemplar_agent_files_unprobed_total",
                                              reason="share") > 0, what="the counter")
        assert_ends_in_time(agent)


def test_replicas_of_one_image_are_one_file(start_agent, tmp_path, certificate):
    """Several overlays over one library: probed once, counted once."""
    lower = tmp_path / "lower"
    lower.mkdir()
    shutil.copy(LIBRARY, lower / "libssl.so.3")
    (tmp_path / "empty").mkdir()
    mounts = []
    try:
        for number in range(3):
            mounts.append(tmp_path / f"replica{number}")
            mounts[-1].mkdir()
            subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                            f"lowerdir={lower}:{tmp_path / 'empty'}", mounts[-1]], check=True)
        with (Mapper(mounts[0] / "libssl.so.3") as first,
              Mapper(mounts[1] / "libssl.so.3") as second,
              tls.python_server(tmp_path, certificate,
                                env={"LD_LIBRARY_PATH": str(mounts[2])}) as server):
            agent = start_agent(ports=[server.port])
            expect_to_see(agent, server)
            for replica in (first, second):
                tls.wait_for_probes(agent, replica)
            assert figures(agent)["attached_files"] == 3  # the host's two, and this one
            assert_ends_in_time(agent)
    finally:
        for mount in mounts:
            subprocess.run(["umount", "--lazy", mount], check=False)


def who_reads(folder, but=None):
    """The status of every other process that has a file of the folder open: not only its place."""
    o_path = 0o10000000
    files = {path.stat().st_ino for path in folder.iterdir()}
    found = []
    for link in pathlib.Path("/proc").glob("[0-9]*/fd/*"):
        if link.parts[2] == str(but):
            continue
        try:
            if os.stat(link).st_ino not in files:  # wherever its namespace has the folder
                continue
            flags = (link.parents[1] / "fdinfo" / link.name).read_text().split("flags:")[1].split()
            if not int(flags[0], 8) & o_path:
                found.append((link.parents[1] / "status").read_text())
        except OSError:
            pass  # it is gone
    return found


def assert_without_power(status):
    for capabilities in ("CapEff", "CapPrm", "CapInh", "CapAmb"):
        assert f"{capabilities}:\t0000000000000000\n" in status
    assert "Seccomp:\t2\n" in status
    assert "Uid:\t0" not in status


def test_no_process_with_a_capability_reads_a_foreign_file(start_agent, tmp_path):
    folder = tmp_path / "foreign"
    folder.mkdir()
    paths = [folder / f"slow{number}" for number in range(10)]
    for path in paths:
        write_sparse_elf(path)
    with Mapper(*paths) as stranger, ThreadPoolExecutor(max_workers=1) as watch:
        # The agent is ready, and start_agent() returns, only when they have been read.
        readers = watch.submit(eventually, lambda: who_reads(folder, stranger.pid), within=30,
                               what="a reader of the files")
        start_agent()
        for status in readers.result():
            assert_without_power(status)


def test_check_reads_no_library_with_a_capability(tmp_path):
    folder = tmp_path / "libraries"
    folder.mkdir()
    write_sparse_elf(folder / "libssl.so.1.1")
    check = subprocess.Popen(
        ["unshare", "--mount", "sh", "-c", 'mount --bind "$1" /usr/local/lib && exec "$2" check',
         "sh", folder, binary()], stdout=subprocess.PIPE, text=True)
    try:
        for status in eventually(lambda: who_reads(folder), within=20, what="a reader"):
            assert_without_power(status)
    finally:
        told, _ = check.communicate(timeout=20)
    assert check.returncode == 0
    assert "/usr/local/lib/libssl.so.1.1" in told


def ended(pid):
    """A zombie has ended: whoever inherited it may take its time to say so."""
    try:
        return "State:\tZ" in pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return True


def stop_process(pid):
    os.kill(pid, signal.SIGSTOP)
    eventually(lambda: "State:\tT" in pathlib.Path(f"/proc/{pid}/status").read_text(),
               what="the stop")


def test_a_stopped_pipeline_holds_no_signal_up(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    stop_process(agent.pipeline_pid())
    for _ in range(100):  # announcements that nobody takes, more than a socket holds
        curl(f"{nginx.url}/ok")
    agent.process.send(signal.SIGTERM)
    eventually(lambda: "shutting down: exporting" in agent.log(), within=1, what="the first signal")
    begin = time.monotonic()
    agent.process.send(signal.SIGTERM)
    assert agent.process.wait(within=2) == 1
    assert time.monotonic() - begin < 1


def test_a_stopped_pipeline_ends_with_the_agent(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    pipeline = agent.pipeline_pid()
    stop_process(pipeline)
    agent.process.send(signal.SIGTERM)
    assert agent.process.wait(within=5) == 1, "what it had is lost, and that is said"
    assert "does not exit" in agent.log()
    eventually(lambda: ended(pipeline), within=1, what="the end of the pipeline")


def test_a_stopped_pipeline_ends_with_a_killed_prober(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    pipeline = agent.pipeline_pid()
    stop_process(pipeline)
    agent.process.send(signal.SIGKILL)
    agent.process.wait()
    eventually(lambda: ended(pipeline), within=1, what="the end of the pipeline")


def test_readiness_is_lost_and_found_with_capture(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    url = f"http://127.0.0.1:{agent.metrics_port}/readyz"
    assert http_status(url) == 200
    stop_process(agent.pid)
    try:
        eventually(lambda: http_status(url) == 503, within=8, what="the loss of readiness")
    finally:
        os.kill(agent.pid, signal.SIGCONT)
    eventually(lambda: http_status(url) == 200, within=2, what="readiness")
