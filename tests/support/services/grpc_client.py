"""Calls grpc_service.py in every way, sixteen at a time, and prints how often each call of a method
ended in which status, as its library says: grpc_client.py PORT"""
import collections
import json
import sys
from concurrent import futures

import grpc

channel = grpc.insecure_channel(f"127.0.0.1:{sys.argv[1]}")
add = channel.unary_unary("/shop.Cart/Add")
nope = channel.unary_unary("/shop.Cart/Nope")
listed = channel.unary_stream("/shop.Cart/List")
put = channel.stream_unary("/shop.Cart/Put")
chat = channel.stream_stream("/shop.Cart/Chat")
ended = collections.Counter()


def call(method, ask):
    try:
        ask()
        ended[f"{method} OK"] += 1
    except grpc.RpcError as error:
        ended[f"{method} {error.code().name}"] += 1


def some(number):
    call("Add", lambda: add(b"%d" % number))
    call("List", lambda: list(listed(b"")))
    call("Put", lambda: put(iter([b"a" * 1000] * 20)))
    call("Chat", lambda: list(chat(iter([b"a"] * 5))))


with futures.ThreadPoolExecutor(16) as pool:
    list(pool.map(some, range(50)))
for _ in range(4):
    call("Add", lambda: add(b"missing"))
    call("Add", lambda: add(b"broken"))
    call("Nope", lambda: nope(b""))
    call("Add", lambda: add(b"slow", timeout=0.2))
print(json.dumps(ended))
