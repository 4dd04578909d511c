"""Asks another service what it was asked, and answers then; without one it sleeps. No header but
Host goes on, so that nothing but the path tells whose request is whose.

    relay.py PORT [--upstream PORT] [--loop] [--background]

GET /ID/MILLISECONDS. A thread for each connection, or one event loop for all; --background: it asks
/background/1 of the upstream as well, ten times a second, for nobody.
"""
import argparse
import asyncio
import http.client
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"
BACKGROUND = "/background/1"


def ask(port, path):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request("GET", path)
    connection.getresponse().read()
    connection.close()


def sleep_time(path):
    return int(path.rpartition("/")[2]) / 1000


class Relay(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    upstream = None

    def do_GET(self):
        if self.upstream:
            ask(self.upstream, self.path)
        else:
            time.sleep(sleep_time(self.path))
        self.wfile.write(OK)

    def log_message(self, *_):
        pass


def in_threads(port, upstream, background):
    Relay.upstream = upstream
    if background:
        threading.Thread(target=ask_forever, args=(upstream,), daemon=True).start()
    ThreadingHTTPServer(("127.0.0.1", port), Relay).serve_forever()


def ask_forever(port):
    while True:
        ask(port, BACKGROUND)
        time.sleep(0.1)


async def ask_in_loop(port, path):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: relay\r\n\r\n".encode())
    await reader.readexactly(len(OK))
    writer.close()


async def in_loop(port, upstream, background):
    async def answer(reader, writer):
        while request := await reader.readline():
            path = request.split()[1].decode()
            while (await reader.readline()).strip():
                pass
            await (ask_in_loop(upstream, path) if upstream else asyncio.sleep(sleep_time(path)))
            writer.write(OK)

    async with await asyncio.start_server(answer, "127.0.0.1", port):
        while background:
            await ask_in_loop(upstream, BACKGROUND)
            await asyncio.sleep(0.1)
        await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("port", type=int)
    parser.add_argument("--upstream", type=int)
    parser.add_argument("--loop", action="store_true")
    parser.add_argument("--background", action="store_true")
    options = parser.parse_args()
    if options.loop:
        asyncio.run(in_loop(options.port, options.upstream, options.background))
    else:
        in_threads(options.port, options.upstream, options.background)
