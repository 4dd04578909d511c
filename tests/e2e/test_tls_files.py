"""The library is found by what a process has mapped: in its own mount namespace, replaced on disk,
deleted; and probes come and go under load."""
import json
import shutil
import subprocess

import pytest

from support import tls
from support.agent import binary
from support.load import curl, h2load
from support.report import SERVER

LIBRARY = "/usr/lib/x86_64-linux-gnu/libssl.so.3"


@pytest.fixture
def private_library(tmp_path):
    """A folder with a libssl of its own."""
    folder = tmp_path / "private"
    folder.mkdir()
    shutil.copy(LIBRARY, folder / "libssl.so.3")
    return folder / "libssl.so.3"


def ask(server, times):
    curl("--insecure", *[f"{server.url}/ok"] * times)


def counted(agent, times):
    agent.wait_for_count(SERVER, times, "python", **{"http.response.status_code": 200})


@pytest.mark.parametrize("started", ["before", "after"])
def test_a_process_in_its_own_mount_namespace(start_agent, tmp_path, certificate, private_library,
                                              started):
    """Under the same path as on the host there lies another file."""
    namespace = ["unshare", "--mount", "sh", "-c",
                 f'mount --bind {private_library} {LIBRARY} && exec "$@"', "sh"]
    port = tls.free_port()
    agent = None
    if started == "after":
        agent = start_agent(ports=[port])
        tls.wait_for_probes(agent)
    with tls.python_server(tmp_path, certificate, prefix=namespace, port=port) as server:
        agent = agent or start_agent(ports=[port])
        if started == "after":  # its first connection tells that it speaks TLS
            curl("--insecure", f"{server.url}/fail")
        tls.wait_for_probes(agent, server)
        ask(server, 10)
        counted(agent, 10)


def test_a_library_that_is_replaced_while_it_is_in_use(start_agent, tmp_path, certificate,
                                                       private_library):
    environment = {"LD_LIBRARY_PATH": str(private_library.parent)}

    def replace():
        """As a package manager does: another file under the name, the old one is deleted."""
        fresh = private_library.with_name("fresh")
        shutil.copy(LIBRARY, fresh)
        fresh.rename(private_library)

    ports = [tls.free_port(), tls.free_port()]
    with tls.python_server(tmp_path, certificate, env=environment, port=ports[0]) as old:
        replace()  # before the agent has ever seen it
        agent = start_agent(ports=ports)
        tls.wait_for_probes(agent, old)
        ask(old, 5)
        counted(agent, 5)
        replace()  # while it is probed
        ask(old, 5)
        counted(agent, 10)
        with tls.python_server(tmp_path, certificate, env=environment, port=ports[1]) as new:
            curl("--insecure", f"{new.url}/fail")
            tls.wait_for_probes(agent, new)
            ask(new, 5)
            ask(old, 5)
            counted(agent, 20)


def test_a_program_that_is_copied_over(start_agent, tmp_path, certificate, go):
    """The file stays, its code moves: as cp, rsync --inplace and compilers write. A probe left where
    it was would stand in the middle of an instruction, and the program die of it."""
    other = tls.build_go(tmp_path, stripped=False, flags=["-gcflags=crypto/tls=-l"])
    program = tmp_path / "program"
    shutil.copy(go, program)
    inode = program.stat().st_ino
    agent = start_agent()
    for turn in range(6):
        with tls.go_server(tmp_path, certificate, program) as server:
            ask(server, 1)
            if turn % 3 == 0:
                tls.wait_for_probes(agent, server)
                ask(server, 1)
            assert server.running()
        shutil.copy(other if turn % 2 == 0 else go, program)
        assert program.stat().st_ino == inode
    assert tls.whole_status(agent)["figures"]["files_written"] >= 2


def test_a_thousand_attachments_under_load_fail_no_request(tmp_path, certificate):
    tool = binary().parent / "tests" / "bpf" / "attach_cycles"
    with tls.nginx(tmp_path, certificate) as server:
        cycles = subprocess.Popen([tool, LIBRARY, "250"], stdout=subprocess.PIPE, text=True)
        try:
            rounds = 0
            while cycles.poll() is None:
                load = h2load(f"{server.url}/ok", 5000, clients=8)
                assert load.failed == 0, load.text
                curl("--insecure", "--fail", f"{server.url}/ok")
                rounds += 1
        finally:
            cycles.kill()
            told, _ = cycles.communicate()
        assert cycles.returncode == 0
        told = json.loads(told)
        assert told["cycles"] * told["places"] >= 1000, told
        assert rounds > 1
        assert server.running()
