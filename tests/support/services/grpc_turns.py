"""For each line of its input ten calls of grpc_service.py in each of two ways, on one connection for
good, and then a line: grpc_turns.py PORT"""
import sys

import grpc

channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
add = channel.unary_unary("/shop.Cart/Add")
listed = channel.unary_stream("/shop.Cart/List")
for _ in sys.stdin:
    for _ in range(10):
        add(b"1")
        list(listed(b""))
    print("done", flush=True)
