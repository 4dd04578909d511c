"""A process that wants more than its share loses its own, others lose nothing, and the status names it."""
import os
import pathlib
import signal
import socket
import subprocess
import sys

from support.load import h2load
from support.report import CLIENT, SERVER
from support.waiting import eventually

from support.agent import run_cli

SERVICES = pathlib.Path(__file__).parents[1] / "support" / "services"
ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


def over_share(agent):
    """The rows of the status below its second heading: pid, command, share of, refused."""
    printed = run_cli("status", "--lock-file", agent.lock_path).stdout
    _, _, rows = printed.partition("SHARE OF")
    return [line for line in rows.splitlines()[1:] if line]


def parent_of(pid):
    return int(pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def listener():
    made = socket.create_server(("127.0.0.1", 0), backlog=64)
    return made, made.getsockname()[1]


def test_who_fills_a_ring_is_named_by_the_status(start_agent, nginx):
    agent = start_agent(ports=[nginx.port], config="capture: {ring_size: 256KiB}\n")
    assert not over_share(agent)

    def named():
        # Whose reader keeps up leaves nobody over his share.
        os.kill(agent.pipeline_pid(), signal.SIGSTOP)
        try:
            h2load(f"{nginx.url}/ok", 5000, 16)
        finally:
            os.kill(agent.pipeline_pid(), signal.SIGCONT)
        rows = over_share(agent)
        assert any(" nginx " in row and " data ring " in row for row in rows), rows
        return rows
    rows = eventually(named, within=30)
    refused = sum(int(row.split()[-1]) for row in rows)
    assert refused > 0
    # The page is as old as the last window, the status is not.
    eventually(lambda: refused <= agent.scrape().sum("exemplar_agent_kernel_dropped_total",
                                                     reason="chunk_over_share"))


def test_too_many_connections_cost_others_none(start_agent):
    """The table has 65,536 places; processes of one parent take 80,000 while another one waits for its
    answers."""
    (ours, our_port), (first, first_port), (second, second_port) = (listener() for _ in range(3))
    agent = start_agent(ports=[our_port, first_port, second_port])
    waiting = []
    for number in range(20):
        client = socket.create_connection(("127.0.0.1", our_port))
        server, _ = ours.accept()
        client.sendall(b"GET /waits HTTP/1.1\r\nHost: quiet\r\n\r\n")
        assert server.recv(100)
        waiting.append((client, server))
    flood = subprocess.Popen(
        [sys.executable, SERVICES / "many_connections.py", "5", "8000", str(first.fileno()),
         str(second.fileno())], pass_fds=(first.fileno(), second.fileno()),
        stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    try:
        assert flood.stdout.readline() == b"done\n"
        eventually(lambda: agent.scrape().sum("exemplar_agent_connections_total",
                                              reason="over_share") > 14000, within=30,
                   what="the end of the flood")
        for client, server in waiting:
            server.sendall(ANSWER)
            assert client.recv(100) == ANSWER
        expected = {"http.response.status_code": 200}
        agent.wait_for_count(SERVER, 20, **expected)
        agent.wait_for_count(CLIENT, 20, **expected)
        rows = eventually(lambda: [row for row in over_share(agent) if " connections " in row],
                          what="the rows of the status")
        assert all(parent_of(int(row.split()[0])) == flood.pid for row in rows)
        eventually(lambda: sum(int(row.split()[-1]) for row in over_share(agent)
                               if " connections " in row) > 14000, what="what they lost")
    finally:
        flood.stdin.close()
        flood.wait(timeout=60)
