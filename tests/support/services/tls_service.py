"""The service of service.py over TLS: tls_service.py PORT CERTIFICATE KEY [TLSv1.2]

/big answers 1 MB in one write; /fail and what begins so answers 500.
"""
import pathlib
import ssl
import sys
from http.server import ThreadingHTTPServer

sys.path.insert(0, str(pathlib.Path(__file__).parent))
from service import Service  # noqa: E402


class TlsService(Service):
    def do_GET(self):
        if self.path.startswith("/big"):
            self.answer(200, b"x" * 1_000_000)
        elif self.path.startswith("/fail"):
            self.answer(500, b"failed\n")
        else:
            super().do_GET()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if "TLSv1.2" in sys.argv:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), TlsService)
    server.daemon_threads = True
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    server.serve_forever()


main()
