"""Processes of one parent, each of which connects to itself as often as told and leaves a request
unanswered on each connection. Says "done", and ends with its input.
usage: many_connections.py PROCESSES PAIRS_EACH LISTENER_FD ..."""
import os
import socket
import sys

PROCESSES, PAIRS = int(sys.argv[1]), int(sys.argv[2])
LISTENERS = [socket.socket(fileno=int(fd)) for fd in sys.argv[3:]]
REQUEST = b"GET /kept HTTP/1.1\r\nHost: many\r\n\r\n"


def open_connections(listener):
    kept = []
    for _ in range(PAIRS):
        client = socket.create_connection(listener.getsockname())
        server, _ = listener.accept()
        client.sendall(REQUEST)
        server.recv(len(REQUEST))
        kept += [client, server]
    return kept


for number in range(PROCESSES):
    done, child_done = os.pipe()
    if os.fork() == 0:
        connections = open_connections(LISTENERS[number % len(LISTENERS)])
        os.write(child_done, b"done")
        sys.stdin.read()
        os._exit(0)
    os.close(child_done)
    os.read(done, 4)
print("done", flush=True)
sys.stdin.read()
for _ in range(PROCESSES):
    os.wait()
