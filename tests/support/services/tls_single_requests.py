"""tls_single_requests.py PORT CONNECTIONS: asyncio, one request on each connection, one at a time."""
import asyncio
import ssl
import sys


async def main():
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    port, connections = map(int, sys.argv[1:3])
    for number in range(connections):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context)
        writer.write(b"GET /ok/%d HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
                     % number)
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()

asyncio.run(main())
