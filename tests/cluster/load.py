"""Steady requests, each with a traceparent of its own; a line of JSON for each: its trace id, its
status (0: it failed), and what the answer says of who answered. Runs inside the node's network,
until its standard input ends.

  load.py URL RATE_PER_SECOND TRACE_PREFIX
"""
import http.client
import json
import ssl
import sys
import threading
import time
from urllib.parse import urlsplit


def request(url, trace_id):
    context = ssl._create_unverified_context() if url.scheme == "https" else None
    kind = http.client.HTTPSConnection if context else http.client.HTTPConnection
    arguments = {"context": context} if context else {}
    connection = kind(url.hostname, url.port, timeout=10, **arguments)
    try:
        connection.request("GET", f"{url.path or '/'}{'?' if url.query else ''}{url.query}", headers={
            "traceparent": f"00-{trace_id}-00f067aa0ba902b7-01"})
        reply = connection.getresponse()
        return {"status": reply.status, "pod": reply.read().decode(errors="replace"),
                "front": reply.getheader("Front-Pod")}
    except (OSError, http.client.HTTPException) as error:
        return {"status": 0, "pod": None, "error": repr(error)}
    finally:
        connection.close()


def main():
    url, rate, prefix = urlsplit(sys.argv[1]), float(sys.argv[2]), sys.argv[3]
    ended, lock, threads = threading.Event(), threading.Lock(), []

    def one(number):
        trace_id = f"{prefix}{number:016x}"
        result = {"trace_id": trace_id, **request(url, trace_id)}
        with lock:
            print(json.dumps(result), flush=True)

    threading.Thread(target=lambda: (sys.stdin.read(), ended.set()), daemon=True).start()
    begin, number = time.monotonic(), 1
    while not ended.wait(max(0.0, begin + number / rate - time.monotonic())):
        thread = threading.Thread(target=one, args=(number,))
        thread.start()
        threads = [one for one in threads if one.is_alive()] + [thread]
        number += 1
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
