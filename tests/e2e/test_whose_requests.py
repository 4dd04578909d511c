"""Whose requests are whose: rules that hold before anybody was judged, answers to clients that have
left, and a noisy neighbour."""
import os
import signal
import socket
import threading

from support.load import curl, h2load
from support.process import Process
from support.report import CLIENT, SERVER
from support.servers import SERVICES
from support.waiting import eventually, free_port


def curl_while_the_prober_is_behind(agent, nginx):
    """Five processes that are gone before anybody looks at them; two seconds later it goes on."""
    os.kill(agent.pid, signal.SIGSTOP)
    try:
        for _ in range(5):
            curl(f"{nginx.url}/ok")
        agent.wait_for_windows(5)
    finally:
        os.kill(agent.pid, signal.SIGCONT)


def test_an_excluded_program_stays_unseen_while_the_prober_is_behind(start_agent, nginx):
    agent = start_agent("--exclude-exe", "*/curl", ports=[nginx.port])
    curl_while_the_prober_is_behind(agent, nginx)
    agent.wait_for_count(SERVER, 5, "nginx")
    eventually(lambda: agent.scrape().sum("exemplar_agent_exchanges_filtered_total",
                                          reason="target_excluded") == 5, what="the verdicts")
    assert agent.wait_for_windows(2).count(CLIENT) == 0


def test_an_included_program_is_counted_once_the_prober_has_judged_it(start_agent, nginx):
    agent = start_agent("--include-exe", "*/curl", ports=[nginx.port])
    curl_while_the_prober_is_behind(agent, nginx)
    agent.wait_for_count(CLIENT, 5, "curl")
    assert agent.report().count(SERVER) == 0


def test_what_no_rule_can_decide_is_left_out_and_counted(start_agent, nginx):
    agent = start_agent("--exclude-exe", "/opt/secret/*", ports=[nginx.port])
    curl_while_the_prober_is_behind(agent, nginx)
    agent.wait_for_count(SERVER, 5, "nginx")
    eventually(lambda: agent.scrape().sum("exemplar_agent_exchanges_filtered_total",
                                          reason="target_unjudged") == 5, what="the verdicts")
    assert agent.wait_for_windows(2).count(CLIENT) == 0


def test_an_answer_to_a_client_that_has_left_was_given(start_agent):
    """On loopback the client's reset is taken up inside the server's send."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        agent = start_agent(ports=[port])
        gone = threading.Semaphore(0)

        def serve():
            for _ in range(200):
                connection, _ = listener.accept()
                connection.recv(4096)
                gone.acquire()
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
                connection.close()
        server = threading.Thread(target=serve)
        server.start()
        for _ in range(200):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(b"GET /g HTTP/1.1\r\nHost: h\r\n\r\n")
            gone.release()
        server.join()
        agent.wait_for_count(SERVER, 200, **{"http.response.status_code": 200})
        agent.wait_for_count(CLIENT, 200)
    page = agent.scrape()
    assert page.sum("exemplar_agent_orphans_total") == 0
    assert page.sum("exemplar_agent_connections_tracked") == 0


def test_a_noisy_process_costs_the_others_nothing(start_agent, nginx, tmp_path):
    port = free_port()
    agent = start_agent(ports=[nginx.port, port], config="capture: {ring_size: 512KiB}")
    with Process(["/usr/bin/python3", SERVICES / "flood.py", port, 6], tmp_path / "flood.log"):
        eventually(lambda: agent.scrape().sum("exemplar_agent_kernel_dropped_total",
                                              reason="chunk_over_share"), what="a crowded ring")
        assert h2load(f"{nginx.url}/ok", 400, rps=200).failed == 0
    agent.wait_for_count(SERVER, 400, "nginx")
    agent.wait_for_count(CLIENT, 400, "h2load")
    assert agent.scrape().sum("exemplar_agent_kernel_dropped_total", reason="chunk_ring_full") == 0
    eventually(lambda: "exceeds its share of data ring" in agent.log(), what="the name of the noisy one")
