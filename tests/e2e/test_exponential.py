"""Exponential histograms over OTLP: the same requests as the explicit ones of the endpoint."""
import math

from support.load import curl
from support.otlp_backend import OtlpBackend, attributes
from support.report import SERVER
from support.waiting import eventually


def all_points(backend, metric):
    """Of each window one of each series, the newest last."""
    for item in backend.sink.query("/metrics"):
        if item["metric"]["name"] == metric:
            assert item["metric"]["kind"] == "exponential_histogram", item["metric"]
            yield item["point"]


def newest_points(backend, metric):
    return list({str(sorted(attributes(point).items())): point
                 for point in all_points(backend, metric)}.values())


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
        # A point has those of its own window.
        exemplars = [(point, exemplar) for point in all_points(backend, SERVER)
                     for exemplar in point.get("exemplars", [])]
        assert exemplars
        for point, exemplar in exemplars:
            assert point["min"] <= exemplar["as_double"] <= point["max"]
        assert agent.stop() == 0
