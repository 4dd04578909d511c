"""A TLS answer lasts until its last byte has left, whatever the library's write means: its length is
given to the library at once, and the socket, or what lies between, takes its time."""
import pytest

from support import tls
from support.load import curl
from support.report import CLIENT, SERVER


@pytest.mark.parametrize("how, path", [("blocking", "/"), ("asyncio", "/"), ("node", "/whole"),
                                       ("node", "/piped"), ("go", "/")])
def test_an_answer_to_a_slow_reader(start_agent, tmp_path, certificate, go, how, path):
    program = {"go": "tls_go", "node": "node"}.get(how, "python")
    with tls.slow_answers(tmp_path, certificate, how, go) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        seen = [curl("--insecure", "--limit-rate", "60M", f"{server.url}{path}").transfers[0]
                for _ in range(3)]
        series, = agent.wait_for_count(SERVER, 3, program).series(SERVER, program)
        agent.wait_for_count(CLIENT, 3, "curl")
        told = [float(line) for line in server.log().splitlines() if line[:1].isdigit()]

    assert series["attributes"]["http.response.status_code"] == 200
    assert "error.type" not in series["attributes"]
    assert len(told) == 3 and max(told) > 0.2, told
    if how == "asyncio":  # tells when the transport has it, which keeps some to itself
        took = sum(transfer["time_total"] - transfer["time_pretransfer"] for transfer in seen)
        assert sum(told) <= series["sum"] + 0.06 and series["sum"] <= took + 0.06
    else:
        assert abs(series["max"] - max(told)) < 0.03, (series["max"], told)
        assert abs(series["sum"] - sum(told)) < 0.06, (series["sum"], told)


def test_an_answer_whose_client_gives_up(start_agent, tmp_path, certificate):
    with tls.slow_answers(tmp_path, certificate, "blocking") as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        result = curl("--insecure", "--limit-rate", "2M", "--max-time", "0.7", f"{server.url}/",
                      check=False)
        assert result.returncode == 28  # its own time limit
        series, = agent.wait_for_count(SERVER, 1, "python").series(SERVER, "python")
    assert series["attributes"]["error.type"], series["attributes"]


def test_answers_that_ruby_writes_in_parts(start_agent, tmp_path, certificate):
    """What is left of one lies in the same place as what was written."""
    lengths = [10, 16_000, 16_384, 20_000, 32_768, 100_000]
    with tls.ruby_server(tmp_path, certificate) as server:
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        curl("--insecure", *[f"{server.url}/{length}" for length in lengths * 2])
        for metric, program in ((SERVER, "ruby"), (CLIENT, "curl")):
            report = agent.wait_for_count(metric, 12, program)
            assert report.count(metric, program, **{"http.response.status_code": 200}) == 12
            assert all("error.type" not in row["attributes"]
                       for row in report.series(metric, program))
