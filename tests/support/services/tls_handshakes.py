"""tls_handshakes.py PORT CERTIFICATE KEY HOW: answers every request of every connection with 200.

HOW the handshake happens: explicit (before anything is read), implicit (inside the first read), forked
(a child answers, the parent keeps its copy), forked-freed (a child answers, the parent frees its copy
before that), memory (asyncio: the library never sees a socket).
"""
import asyncio
import os
import signal
import socket
import ssl
import sys
import threading

ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n"


def answer(connection):
    while connection.recv(65536):
        connection.sendall(ANSWER)
    connection.close()


def serve(listener, context, how):
    kept = []
    while True:
        plain, _ = listener.accept()
        try:
            connection = context.wrap_socket(plain, server_side=True,
                                             do_handshake_on_connect=how != "implicit")
        except OSError:  # somebody who only looked whether the port is open
            continue
        if not how.startswith("forked"):
            threading.Thread(target=answer, args=(connection,), daemon=True).start()
            continue
        begin, freed = os.pipe()
        if os.fork() == 0:
            os.read(begin, 1)
            answer(connection)
            os._exit(0)
        socket.socket(fileno=connection.detach()).close()
        if how == "forked":
            kept.append(connection)
        connection = None
        os.write(freed, b".")
        os.close(begin)
        os.close(freed)


async def serve_from_memory(port, context):
    async def talk(reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(ANSWER)
        except (asyncio.IncompleteReadError, OSError):
            writer.close()
    server = await asyncio.start_server(talk, "127.0.0.1", port, ssl=context)
    await server.serve_forever()


def main():
    port, how = int(sys.argv[1]), sys.argv[4]
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if how == "memory":
        asyncio.run(serve_from_memory(port, context))
    listener = socket.create_server(("127.0.0.1", port))
    serve(listener, context, how)


main()
