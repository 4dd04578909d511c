"""Many more threads than processors that all call TLS libraries at once: probes are preempted in the
middle wherever the kernel can do that."""
from concurrent.futures import ThreadPoolExecutor

from support import tls
from support.load import h2load
from support.report import CLIENT, SERVER

CLIENTS, REQUESTS_EACH, CONNECTIONS_EACH = 6, 400, 8


def test_every_request_of_crowded_processors_is_counted_once(start_agent, tmp_path):
    certificate = tls.Certificate(tmp_path)
    with tls.nginx(tmp_path, certificate, workers=4) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent)
        with ThreadPoolExecutor(CLIENTS) as clients:
            results = [clients.submit(h2load, f"{server.url}/ok", REQUESTS_EACH, CONNECTIONS_EACH)
                       for _ in range(CLIENTS)]
        assert sum(result.result().failed for result in results) == 0

        sent = CLIENTS * REQUESTS_EACH
        https = {"http.response.status_code": 200, "url.scheme": "https"}
        report = agent.wait_for_count(SERVER, sent, "nginx", within=60)
        assert report.count(SERVER, "nginx", **https) == sent
        report = agent.wait_for_count(CLIENT, sent, "h2load", within=60)
        assert report.count(CLIENT, "h2load", **https) == sent
