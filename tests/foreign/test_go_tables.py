"""Connections of gRPC between programs of Go that are older than the agent: the programs tell what was
said before, and the names of calls are known after a few of them; never a wrong one."""
import collections
import subprocess

import pytest

from foreign.applications import BUILT, built_by_go
from foreign.program import SERVICES, Program
from support import tls
from support.report import RPC_CLIENT, RPC_SERVER
from support.waiting import eventually, free_port

METHODS = {"shop.Cart/Add": 10, "shop.Cart/List": 20}  # calls a turn, each on a connection of its own


@pytest.fixture(scope="module", name="programs")
def whole_and_stripped():
    folder = SERVICES / "grpc_go"
    return {"whole": built_by_go("grpc_go", "build", "-o", BUILT / "grpc_go", ".", cwd=folder),
            "stripped": built_by_go("grpc_go_stripped", "build", "-ldflags", "-s -w", "-o",
                                    BUILT / "grpc_go_stripped", ".", cwd=folder)}


def seen(agent, metric):
    """How many calls had which method; None: not known, nor what became of the call."""
    calls = collections.Counter()
    for line in agent.report().series(metric):
        told = line["attributes"]
        known = told.get("rpc.status_code") == "OK"
        calls[told.get("rpc.method") if known else None] += line["count"]
    return calls


@pytest.mark.parametrize("over_tls", [False, True], ids=["plain", "TLS"])
@pytest.mark.parametrize("kind", ["whole", "stripped"])
@pytest.mark.parametrize("clients", [1, 5])
def test_names_are_known_after_a_few_calls(start_agent, tmp_path, certificate, programs, kind,
                                           over_tls, clients):
    port, files = free_port(), [certificate.certificate, certificate.key] if over_tls else []
    command = [programs[kind], "turns", str(port), *(["tls"] if over_tls else [])]
    with Program(tmp_path, "grpc", port, [programs[kind], "server", port, *files]) as server:
        running = [subprocess.Popen(command, text=True, stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE) for _ in range(clients)]

        def turn():
            for client in running:
                client.stdin.write("\n")
                client.stdin.flush()
            for client in running:
                assert client.stdout.readline() == "done\n"
        try:
            turn()  # before there is an agent
            agent = start_agent(ports=[port])
            if over_tls:
                tls.wait_for_probes(agent, server)
            for _ in range(3):
                turn()
            calls = 3 * sum(METHODS.values()) * clients
            # A read of TLS that had begun before it was probed brings nothing: one a connection.
            least = calls - 2 * clients if over_tls else calls
            for metric in (RPC_SERVER, RPC_CLIENT):
                eventually(lambda m=metric: calls >= sum(seen(agent, m).values()) >= least,
                           what="all calls")
                calls_seen = seen(agent, metric)
                for method, calls_a_turn in METHODS.items():
                    asked = calls_a_turn * clients
                    assert 2 * asked <= calls_seen[method] <= 3 * asked
                assert set(calls_seen) <= {*METHODS, None}, "a name is right, or there is none"
            taught = agent.scrape().sum("exemplar_agent_head_tables_total", reason="learned")
            assert taught == 2 * 2 * 2 * clients, "both directions at both ends of two connections"
        finally:
            for client in running:
                client.stdin.close()
                client.wait(timeout=10)
                client.stdout.close()
