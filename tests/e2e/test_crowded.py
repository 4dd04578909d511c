"""Many more threads than processors, which preempt one another in the middle of the kernel's work
wherever a kernel lets them: every request counts once, encrypted or not. Where the kernel kept calls from
the programs (Linux 7, and seldom: see the spares in bpf/capture_socket_length.bpf.c), that is told."""
from concurrent.futures import ThreadPoolExecutor

from support import tls
from support.load import h2load
from support.report import CLIENT, SERVER
from support.waiting import eventually

CLIENTS, CONNECTIONS_EACH = 8, 8


def assert_each_counts_once(agent, server, requests_each, scheme):
    with ThreadPoolExecutor(CLIENTS) as clients:
        results = [clients.submit(h2load, f"{server.url}/ok", requests_each, CONNECTIONS_EACH)
                   for _ in range(CLIENTS)]
    assert sum(result.result().failed for result in results) == 0

    sent = CLIENTS * requests_each
    expected = {"http.response.status_code": 200, "url.scheme": scheme}
    for metric, program in ((SERVER, "nginx"), (CLIENT, "h2load")):
        def all_there(metric=metric, program=program):
            seen = agent.report().count(metric, program, **expected)
            page = agent.scrape()
            skipped = page.sum("exemplar_agent_kernel_skipped_total")
            lost = {name: page.sum(f"exemplar_agent_{name}_total") for name in
                    ("kernel_dropped", "kernel_lost", "kernel_tls_dropped", "orphans")}
            assert sent - skipped <= seen <= sent, \
                f"{metric}: {seen} of {sent}, skipped {skipped}, lost {lost}"
            later = agent.wait_for_windows(2, within=30).count(metric, program)
            assert later == seen, f"{metric}: {seen}, and then {later}"
            return True
        eventually(all_there, within=90)


def test_every_plain_request_counts_once(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    assert_each_counts_once(agent, nginx, 2000, "http")


def test_every_encrypted_request_counts_once(start_agent, tmp_path):
    with tls.nginx(tmp_path, tls.Certificate(tmp_path), workers=4) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent)
        assert_each_counts_once(agent, server, 300, "https")
