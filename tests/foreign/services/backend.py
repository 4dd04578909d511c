#!/usr/bin/python3
"""backend.py PORT: python's own HTTP server, that proxies ask; HTTP/1.1, its large answers chunked.
A line with the status of each answer on its output."""
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Backend(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                self.rfile.read(size + 2)
            self.rfile.readline()
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        status = {"/absent": 404, "/fail": 500}.get(self.path, 200)
        if self.path == "/slow":
            time.sleep(0.2)
        self.send_response(status)
        self.send_header("Cache-Control", "no-store")
        if self.path == "/large":
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for _ in range(15):
                self.wfile.write(b"4e20\r\n" + b"x" * 20_000 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
            return
        self.send_header("Content-Length", "5")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(b"told\n")

    do_HEAD = do_POST = do_GET

    def log_request(self, code="-", size="-"):
        os.write(1, b"status %d\n" % code)  # whole lines: there are many threads


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256

    def handle_error(self, *_):
        """A proxy that closes is none."""


Server(("127.0.0.1", int(sys.argv[1])), Backend).serve_forever()
