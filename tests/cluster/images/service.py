"""An application of the cluster tests: answers with the name of its pod, so that a caller knows who
it was. `service.py PORT [tls]`; /slow?ms=N waits, /fail answers 500."""
import os
import ssl
import sys
import time
import signal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

NAME = os.environ.get("POD_NAME", os.uname().nodename).encode()


class Reply(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urlsplit(self.path)
        if url.path == "/slow":
            time.sleep(int(parse_qs(url.query)["ms"][0]) / 1000)
        self.send_response(500 if url.path == "/fail" else 200)
        self.send_header("Content-Length", str(len(NAME)))
        self.end_headers()
        self.wfile.write(NAME)

    def log_message(self, *_):
        pass


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


def main():
    server = Server(("", int(sys.argv[1])), Reply)
    if "tls" in sys.argv[2:]:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain("/srv/tls.crt", "/srv/tls.key")
        server.socket = context.wrap_socket(server.socket, server_side=True,
                                            do_handshake_on_connect=False)
    # A pod that ends goes on serving until its service has forgotten it.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server.serve_forever(0.05)


if __name__ == "__main__":
    main()
