"""A service of gRPC without generated code, each kind of call by its name: grpc_service.py PORT"""
import sys
import time
from concurrent import futures

import grpc


def add(request, context):
    if request == b"slow":
        time.sleep(1)
    if request == b"missing":
        context.abort(grpc.StatusCode.NOT_FOUND, "no such thing")
    if request == b"broken":
        raise ValueError("broken")
    return b"added"


def listed(_request, _context):
    for _ in range(5):
        yield b"x" * 1000


def put(requests, _context):
    return b"%d" % sum(len(request) for request in requests)


def chat(requests, _context):
    yield from requests


class Cart(grpc.GenericRpcHandler):
    def service(self, details):
        return {
            "/shop.Cart/Add": grpc.unary_unary_rpc_method_handler(add),
            "/shop.Cart/List": grpc.unary_stream_rpc_method_handler(listed),
            "/shop.Cart/Put": grpc.stream_unary_rpc_method_handler(put),
            "/shop.Cart/Chat": grpc.stream_stream_rpc_method_handler(chat),
        }.get(details.method)


server = grpc.server(futures.ThreadPoolExecutor(8))
server.add_generic_rpc_handlers((Cart(),))
server.add_insecure_port(f"127.0.0.1:{sys.argv[1]}")
server.start()
server.wait_for_termination()
