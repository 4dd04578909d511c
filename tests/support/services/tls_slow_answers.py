"""tls_slow_answers.py PORT CERTIFICATE KEY blocking|asyncio: answers with 60 MB in one write, which is
more than the buffers of both sockets hold (33 MB at most for the reader), and prints
for each request how many seconds passed until its last byte had left.
"""
import asyncio
import ssl
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

BODY = b"x" * 60_000_000
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(BODY)


def tell(began):
    print(time.monotonic() - began, flush=True)


class Service(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        began = time.monotonic()
        self.wfile.write(HEAD + BODY)
        tell(began)

    def log_message(self, *_):
        pass


async def talk(reader, writer):
    writer.transport.set_write_buffer_limits(0)  # drain() waits until all has left
    try:
        while await reader.readuntil(b"\r\n\r\n"):
            began = time.monotonic()
            writer.write(HEAD + BODY)
            await writer.drain()
            tell(began)
    except (asyncio.IncompleteReadError, OSError):
        writer.close()


async def serve(port, context):
    server = await asyncio.start_server(talk, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if sys.argv[4] == "asyncio":
        asyncio.run(serve(int(sys.argv[1]), context))
    server = ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Service)
    server.socket = context.wrap_socket(server.socket, server_side=True,
                                        do_handshake_on_connect=False)
    server.serve_forever()


main()
