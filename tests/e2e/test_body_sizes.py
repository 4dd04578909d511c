"""Sizes of bodies, which are recorded where that is asked for: what was transferred of the content,
without heads and without the framing of chunks."""
from support.load import curl
from support.report import REQUEST_SIZE, RESPONSE_SIZE, SERVER
from support.servers import Service

SIZES_ON = "metrics:\n  body_size: true\n"


def sizes(report, metric, program, **attributes):
    """(count, sum) of one method's series."""
    lines = report.series(metric, program, **attributes)
    return sum(line["count"] for line in lines), sum(line["sum"] for line in lines)


def test_sizes_are_those_that_the_service_read_and_wrote(start_agent, tmp_path):
    with Service(tmp_path, "service.py") as service:
        agent = start_agent(ports=[service.port], config=SIZES_ON)
        curl("--data", "x" * 1000, f"{service.url}/post")                      # answers "1000\n"
        curl("--header", "Transfer-Encoding: chunked", "--data", "y" * 300,
             f"{service.url}/post")                                            # answers "300\n"
        curl(f"{service.url}/ok", f"{service.url}/chunked?parts=9")            # "ok\n", 9 x "part N\n"
        curl("--head", f"{service.url}/ok")
        report = agent.wait_for_count(SERVER, 5, "python")

        def of(metric, method):
            return sizes(report, metric, "python", **{"http.request.method": method})

        assert of(REQUEST_SIZE, "POST") == (2, 1000 + 300)
        assert of(RESPONSE_SIZE, "POST") == (2, 5 + 4)
        assert of(REQUEST_SIZE, "GET") == (2, 0)
        assert of(RESPONSE_SIZE, "GET") == (2, 3 + 9 * 7)
        assert of(RESPONSE_SIZE, "HEAD") == (1, 0)
        line, = report.series(REQUEST_SIZE, "python", **{"http.request.method": "POST"})
        assert (line["min"], line["max"]) == (300, 1000)
        page = agent.scrape()
        assert page.sum("http_server_request_body_size_bytes_sum") == 1300
        assert page.sum("http_server_response_body_size_bytes_count") == 5


def test_a_large_file_counts_to_the_byte(start_agent, nginx):
    nginx.add_file("large", 7_000_001)  # sent by sendfile
    agent = start_agent(ports=[nginx.port], config=SIZES_ON)
    curl(f"{nginx.url}/files/large", f"{nginx.url}/empty")
    report = agent.wait_for_count(SERVER, 2, "nginx")
    assert sizes(report, RESPONSE_SIZE, "nginx", **{"http.response.status_code": 200}) == (1, 7_000_001)
    assert sizes(report, RESPONSE_SIZE, "nginx", **{"http.response.status_code": 204}) == (1, 0)


def test_without_the_setting_there_are_none(start_agent, nginx):
    agent = start_agent(ports=[nginx.port])
    curl(f"{nginx.url}/ok")
    report = agent.wait_for_count(SERVER, 1, "nginx")
    assert report.series(REQUEST_SIZE) == report.series(RESPONSE_SIZE) == []
