"""An agent that is restarted: connections that live on go on under the names they had."""
import signal
import subprocess
import sys

import pytest

from support.process import Process
from support.report import RPC_CLIENT, RPC_SERVER
from support.servers import SERVICES
from support.waiting import accepts, eventually, free_port

METHODS = ("shop.Cart/Add", "shop.Cart/List")


@pytest.fixture(name="calls")
def calls_of_one_connection(tmp_path):
    """(port, function that makes ten calls of each method)"""
    port = free_port()
    with Process([sys.executable, SERVICES / "grpc_service.py", port], log=tmp_path / "service.log"):
        eventually(lambda: accepts(port), what="the service")
        with subprocess.Popen([sys.executable, SERVICES / "grpc_turns.py", str(port)], text=True,
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE) as client:
            def turn():
                client.stdin.write("\n")
                client.stdin.flush()
                assert client.stdout.readline() == "done\n"
            yield port, turn
            client.stdin.close()


def counts(agent, metric, method):
    return agent.report().count(metric, **{"rpc.method": method, "rpc.status_code": "OK"})


def expect_names(agent, number):
    for metric in (RPC_SERVER, RPC_CLIENT):
        agent.wait_for_count(metric, 2 * number)
        assert [counts(agent, metric, method) for method in METHODS] == [number, number]


def unseen(agent):
    return agent.scrape().sum("exemplar_agent_head_tables_total", reason="unseen")


def test_the_next_agent_knows_what_the_last_one_knew(start_agent, tmp_path, calls):
    """Over any number of restarts."""
    port, turn = calls
    for _ in range(3):
        agent = start_agent(ports=[port], lock_path=tmp_path / "lock")
        turn()
        expect_names(agent, 10)
        assert unseen(agent) == 0
        agent.wait_for_windows(2)  # the library's last pings are over
        assert agent.stop() == 0
        left = tmp_path / "lock.connections"
        assert left.stat().st_mode & 0o777 == 0o600
        assert b"/shop.Cart/Add" in left.read_bytes()


def test_a_connection_that_was_used_in_between_is_not_known(start_agent, tmp_path, calls):
    port, turn = calls
    agent = start_agent(ports=[port], lock_path=tmp_path / "lock")
    turn()
    expect_names(agent, 10)
    agent.wait_for_windows(2)
    assert agent.stop() == 0
    turn()
    agent = start_agent(ports=[port], lock_path=tmp_path / "lock")
    turn()
    agent.wait_for_count(RPC_SERVER, 20)
    assert unseen(agent) > 0


def test_an_agent_that_is_killed_leaves_nothing(start_agent, tmp_path, calls):
    port, turn = calls
    agent = start_agent(ports=[port], lock_path=tmp_path / "lock")
    turn()
    expect_names(agent, 10)
    assert agent.process.stop(signal.SIGKILL) == -signal.SIGKILL
    assert (tmp_path / "lock.connections").read_bytes() == b""
    agent = start_agent(ports=[port], lock_path=tmp_path / "lock")
    turn()
    agent.wait_for_count(RPC_SERVER, 20)
    assert unseen(agent) > 0
