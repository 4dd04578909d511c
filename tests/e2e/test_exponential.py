"""Exponential histograms over OTLP: the same requests as the explicit ones of the endpoint."""
import math

from support.load import curl
from support.otlp_backend import OtlpBackend, attributes
from support.report import SERVER
from support.waiting import eventually


def newest_points(backend, metric):
    newest = {}
    for item in backend.sink.query("/metrics"):
        if item["metric"]["name"] == metric:
            assert item["metric"]["kind"] == "exponential_histogram", item["metric"]
            newest[str(sorted(attributes(item["point"]).items()))] = item["point"]
    return list(newest.values())


def counted(point):
    return [int(count) for count in point.get("positive", {}).get("bucket_counts", [])]


def test_every_request_is_in_its_bucket(start_agent, nginx):
    with OtlpBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port],
                            config="metrics: {histograms: exponential}\n")
        curl(*[f"{nginx.url}/ok", f"{nginx.url}/moved", f"{nginx.url}/broken"] * 10)
        eventually(lambda: sum(int(point["count"]) for point in newest_points(backend, SERVER)) == 30,
                   what="30 server requests")
        for point in newest_points(backend, SERVER):
            base = 2 ** 2 ** -point.get("scale", 0)
            offset, counts = point["positive"].get("offset", 0), counted(point)
            lowest, highest = base ** offset, base ** (offset + len(counts))
            assert lowest <= point["min"] * (1 + 1e-9) and point["max"] <= highest * (1 + 1e-9), point
            # The middle of each bucket is at most half its width off.
            middle = sum(count * base ** (offset + i + 0.5) for i, count in enumerate(counts))
            assert math.isclose(middle, point["sum"], rel_tol=base - 1), point
            for exemplar in point.get("exemplars", []):
                assert point["min"] <= exemplar["as_double"] <= point["max"]
        assert agent.stop() == 0
