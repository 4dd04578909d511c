"""Programs that leave a TLS library otherwise than by its return: they must run as if nobody
watched, and are seen all the same."""
import subprocess

import pytest

from support import tls
from support.report import CLIENT
from support.servers import SERVICES
from support.waiting import eventually

PROGRAM = "unwinding"


@pytest.fixture(scope="module")
def program(tmp_path_factory):
    path = tmp_path_factory.mktemp("unwinding") / PROGRAM
    subprocess.run(["g++", "-std=c++20", "-O1", "-pthread", "-o", path,
                    SERVICES / "tls_unwinding.cc", "-l:libssl.so.3", "-l:libcrypto.so.3"],
                   check=True)
    return path


@pytest.fixture
def server(tmp_path):
    with tls.nginx(tmp_path, tls.Certificate(tmp_path)) as nginx:
        yield nginx


def output(program, *arguments):
    done = subprocess.run([program, *map(str, arguments)], capture_output=True, text=True,
                          timeout=60)
    assert done.returncode == 0, (done.returncode, done.stdout, done.stderr)
    return done.stdout


@pytest.mark.parametrize("how, connections", [("coroutines", 8), ("throw", 1), ("jump", 1)])
def test_a_program_that_leaves_the_library_by_another_way(start_agent, program, server, how,
                                                          connections):
    agent = start_agent(ports=[server.port])
    tls.wait_for_probes(agent, server)
    assert output(program, how, server.port, 100) == "100 answers\n" * connections
    agent.wait_for_count(CLIENT, 100 * connections, PROGRAM)
    report = agent.report()
    assert report.count(CLIENT, PROGRAM) == 100 * connections
    assert report.count(CLIENT, PROGRAM, **{"error.type": None}) == 100 * connections


def test_a_thread_that_is_cancelled_in_the_library_cleans_up(start_agent, program, server):
    agent = start_agent(ports=[server.port])
    tls.wait_for_probes(agent, server)
    assert output(program, "cancel", server.port, 1) == "destructor cancelled\n"


def test_a_program_that_the_rules_exclude_is_not_harmed(start_agent, program, server):
    """Probes stand in the library, in every process that maps it."""
    agent = start_agent(ports=[server.port], config=f"targets:\n  exclude:\n    exe: ['*/{PROGRAM}']\n")
    tls.wait_for_probes(agent, server)
    assert output(program, "coroutines", server.port, 50) == "50 answers\n" * 8


def test_probes_may_come_and_go_while_calls_are_under_way(start_agent, program, server):
    """Connections that wait within the library when the agent begins, and when it ends."""
    with subprocess.Popen([program, "coroutines", str(server.port), "20000"],
                          stdout=subprocess.PIPE, text=True) as running:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        eventually(lambda: agent.report().count(CLIENT, PROGRAM) >= 100, within=15,
                   what="requests over connections that were there before")
        agent.stop()
        assert running.communicate(timeout=60)[0] == "20000 answers\n" * 8
        assert running.returncode == 0
