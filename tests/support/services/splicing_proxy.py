"""A TCP proxy that never sees a byte of what it forwards: splicing_proxy.py PORT UPSTREAM_PORT"""
import os
import socket
import sys
import threading


def forward(source, sink):
    read_end, write_end = os.pipe()
    while count := os.splice(source.fileno(), write_end, 65536):
        while count:
            count -= os.splice(read_end, sink.fileno(), count)
    sink.shutdown(socket.SHUT_WR)


def serve(client, upstream_port):
    with client, socket.create_connection(("127.0.0.1", upstream_port)) as upstream:
        back = threading.Thread(target=forward, args=(upstream, client), daemon=True)
        back.start()
        forward(client, upstream)
        back.join()


def main():
    listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
    while True:
        client, _ = listener.accept()
        threading.Thread(target=serve, args=(client, int(sys.argv[2])), daemon=True).start()


main()
