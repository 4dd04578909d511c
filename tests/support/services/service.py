"""A small service on python's own HTTP server (HTTP/1.1, keep-alive).

    service.py PORT [UPSTREAM_URL]

/ok; /slow?ms=N; /fail (500); /chunked?parts=N; /short (promises more than it sends); /call asks
the upstream; POST anywhere echoes how many bytes came.
"""
import http.client
import sys
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def answer(self, status, body, content_type="text/plain"):
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        target = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(target.query)
        if target.path == "/slow":
            time.sleep(float(query.get("ms", ["300"])[0]) / 1000)
            self.answer(200, b"slow\n")
        elif target.path == "/fail":
            self.answer(500, b"failed\n")
        elif target.path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for number in range(int(query.get("parts", ["5"])[0])):
                part = f"part {number}\n".encode()
                self.wfile.write(b"%x\r\n%s\r\n" % (len(part), part))
            self.wfile.write(b"0\r\n\r\n")
        elif target.path == "/short":
            self.send_response(200)
            self.send_header("Content-Length", "100000")
            self.end_headers()
            self.wfile.write(b"only this\n")
            self.close_connection = True
        elif target.path == "/call":
            upstream = urllib.parse.urlsplit(sys.argv[2])
            connection = http.client.HTTPConnection(upstream.netloc)
            connection.request("GET", query.get("path", ["/ok"])[0])
            reply = connection.getresponse()
            body = reply.read()
            connection.close()
            self.answer(reply.status, body)
        else:
            self.answer(200, b"ok\n")

    do_HEAD = do_GET

    def do_POST(self):
        if self.headers.get("Transfer-Encoding") == "chunked":
            length = 0
            while size := int(self.rfile.readline(), 16):
                length += len(self.rfile.read(size))
                self.rfile.readline()
            self.rfile.readline()
        else:
            length = len(self.rfile.read(int(self.headers.get("Content-Length", 0))))
        self.answer(201, b"%d\n" % length)

    do_PUT = do_POST

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 256


if __name__ == "__main__":
    Server(("127.0.0.1", int(sys.argv[1])), Service).serve_forever()
