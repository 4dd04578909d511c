"""The oracle: at a fixed high rate, every request in nginx' access log is in the histogram."""
from support.accounting import assert_identities
from support.load import h2load
from support.report import CLIENT, SERVER

RATE, SECONDS = 10_000, 30


def test_ten_thousand_requests_a_second_for_thirty_seconds(start_agent, nginx):
    agent = start_agent(window="5s", ports=[nginx.port])

    load = h2load(f"{nginx.url}/ok", RATE * SECONDS, clients=10, rps=RATE)
    logged = nginx.finish()

    assert load.failed == 0
    assert len(logged) == RATE * SECONDS
    report = agent.wait_for_count(SERVER, len(logged), "nginx", within=20)
    assert report.count(SERVER, "nginx", **{"http.response.status_code": 200}) == len(logged)
    agent.wait_for_count(CLIENT, len(logged), "h2load", within=20)
    page = assert_identities(agent)
    assert page.sum("exemplar_agent_kernel_dropped_total") == 0
    assert page.sum("exemplar_agent_kernel_lost_total") == 0
