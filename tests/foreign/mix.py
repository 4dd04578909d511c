"""The requests that every foreign server gets: a known mix from python's own client, over kept-alive
connections, connections of one request, and HTTP/1.0; half of them with a caller's context."""
import collections
import concurrent.futures
import http.client
import ssl

LARGE = 300_000  # bytes of /large
BODY = b"x" * 5000
# Kinds of a request besides its method.
HEADERS = {
    "EXPECT": {"Expect": "100-continue", "Content-Length": str(len(BODY))},
    "RANGE": {"Range": "bytes=0-1"},
    "IF": {"If-None-Match": "*"},
    "LONG": {"X-Long": "x" * 6000},
}
# Of one kept-alive connection; there are four at a time.
KEPT = [("GET", "/ok")] * 6 + [("HEAD", "/ok"), ("POST", "/ok"), ("GET", "/large"), ("EXPECT", "/ok"),
                               ("CHUNKED", "/ok"), ("RANGE", "/ok"), ("IF", "/ok"), ("LONG", "/ok"),
                               ("GET", "/fail"), ("GET", "/absent"), ("GET", "/absent"),
                               ("HEAD", "/absent"), ("GET", "/slow"), ("GET", "/ok")]
ONCE = [("GET", "/ok")] * 5 + [("GET", "/absent"), ("GET", "/fail"), ("GET", "/large"),
                               ("POST", "/ok"), ("GET", "/fail")]


class OldConnection(http.client.HTTPConnection):
    _http_vsn, _http_vsn_str = 10, "HTTP/1.0"


def context(number):
    """For every second request."""
    if number % 2:
        return {}
    return {"traceparent": f"00-{0xf0 << 64 | number + 1:032x}-{number + 1:016x}-01"}


def ask(connection, base, number, kind, path, headers):
    method = {"EXPECT": "POST", "CHUNKED": "POST"}.get(kind, kind if kind not in HEADERS else "GET")
    body = iter([BODY, BODY]) if kind == "CHUNKED" else BODY if method == "POST" else None
    connection.request(method, base + path, body=body,
                       headers={**headers, **HEADERS.get(kind, {}), **context(number)})
    reply = connection.getresponse()
    read = len(reply.read())
    assert path != "/large" or reply.status != 200 or read == LARGE, (kind, path, read)
    return f"{kind} {path}", reply.status


def drive(port, over_tls=False, paths=None, base="", without=()):
    """Sends the mix. How many answers had which status. Only `paths`, if given; `base` precedes each
    (a proxy is asked for whole URLs)."""
    def connect(kind=http.client.HTTPConnection):
        if over_tls:
            return http.client.HTTPSConnection("127.0.0.1", port, timeout=30,
                                               context=ssl._create_unverified_context())
        return kind("127.0.0.1", port, timeout=30)

    def wanted(requests):
        return [(method, path) for method, path in requests
                if (paths is None or path in paths) and method not in without]

    def kept(first):
        connection = connect()
        told = [ask(connection, base, first + i, *request, {})
                for i, request in enumerate(wanted(KEPT))]
        connection.close()
        return told

    def once(first, kind, headers):
        told = []
        for i, request in enumerate(wanted(ONCE)):
            connection = connect(kind)
            told.append(ask(connection, base, first + i, *request, headers))
            connection.close()
        return told

    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        jobs = [pool.submit(kept, 100 * i) for i in range(4)]
        jobs.append(pool.submit(once, 400, http.client.HTTPConnection, {"Connection": "close"}))
        # python's client speaks HTTP/1.0 only without TLS.
        jobs.append(pool.submit(once, 500, OldConnection, {"Host": f"127.0.0.1:{port}"}))
        told = [row for job in jobs for row in job.result()]
    return collections.Counter(status for _, status in told)
