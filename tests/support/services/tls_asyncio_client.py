"""tls_asyncio_client.py PORT CONNECTIONS REQUESTS: kept connections, all in one thread; each request
has a path of its own and a trace context that says the same."""
import asyncio
import ssl
import sys


async def one(context, port, connection, requests):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
    for number in range(requests):
        trace_id = f"{connection + 1:016x}{number + 1:016x}"
        writer.write(f"GET /ok?{connection}.{number} HTTP/1.1\r\nHost: localhost:{port}\r\n"
                     f"traceparent: 00-{trace_id}-{connection + 1:016x}-03\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()


async def main():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port, connections, requests = map(int, sys.argv[1:4])
    await asyncio.gather(*(one(context, port, c, requests) for c in range(connections)))

asyncio.run(main())
