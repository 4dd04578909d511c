"""tls_mixed.py blocking|asyncio PORT CLIENT CONNECTIONS REQUESTS: kept connections, REQUESTS on each.

Each request says in its path and in its trace context which client, connection and request it is.
Blocking connections have a thread each, those of asyncio share one and go through memory.
"""
import asyncio
import http.client
import ssl
import sys
import threading


def context():
    trusting = ssl.create_default_context()
    trusting.check_hostname = False
    trusting.verify_mode = ssl.CERT_NONE
    return trusting


def path_of(client, connection, number):
    return f"/{'fail' if number % 7 == 3 else 'ok'}/{client}/{connection}/{number}"


def traceparent_of(client, connection, number):
    mixed = (number * 0x9E3779B97F4A7C15 + connection * 0xC2B2AE3D27D4EB4F) % 2 ** 64
    return f"00-{client:04x}{connection:04x}{number:08x}{mixed:016x}-{number + 1:016x}-03"


def blocking(port, client, connection, requests):
    kept = http.client.HTTPSConnection("127.0.0.1", port, context=context())
    for number in range(requests):
        kept.request("GET", path_of(client, connection, number),
                     headers={"traceparent": traceparent_of(client, connection, number)})
        kept.getresponse().read()
    kept.close()


async def streaming(port, client, connection, requests):
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=context())
    for number in range(requests):
        writer.write(f"GET {path_of(client, connection, number)} HTTP/1.1\r\n"
                     f"Host: localhost:{port}\r\ntraceparent: "
                     f"{traceparent_of(client, connection, number)}\r\n\r\n".encode())
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
        await reader.readexactly(length)
    writer.close()
    await writer.wait_closed()


async def all_streaming(port, client, connections, requests):
    await asyncio.gather(*(streaming(port, client, c, requests) for c in range(connections)))


def main():
    kind = sys.argv[1]
    port, client, connections, requests = map(int, sys.argv[2:6])
    if kind == "asyncio":
        asyncio.run(all_streaming(port, client, connections, requests))
        return
    threads = [threading.Thread(target=blocking, args=(port, client, c, requests))
               for c in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
