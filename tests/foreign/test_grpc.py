"""Calls of gRPC between libraries: each counts once at each end, in the status that the client's own
library says, also where a proxy stands in between."""
import collections
import contextlib
import functools
import json
import shutil
import subprocess
import sys

import pytest

from foreign import grpc_proxies, table
from foreign.applications import BUILT, built_by_go
from foreign.program import SERVICES, Program
from support import tls
from support.report import RPC_CLIENT, RPC_SERVER
from support.servers import SERVICES as OWN_SERVICES
from support.waiting import eventually, free_port

CALLS = 216
LIBRARIES = ["go", "python", "node", "java"]


@pytest.fixture(scope="session", name="grpc_go")
def built_of_go():
    """Built once, of the modules that the proxy has."""
    return built_by_go("grpc_go", "build", "-o", BUILT / "grpc_go", ".", cwd=SERVICES / "grpc_go")


def node_command(*arguments):
    """The modules are found beside build/foreign/npm, from wherever the script lies."""
    modules = BUILT / "npm/node_modules"
    if not (modules / "@grpc/grpc-js").exists():
        pytest.skip("no grpc-js: scripts/setup --foreign")
    return ["env", f"NODE_PATH={modules}", "node", SERVICES / "grpc_node.js", *arguments]


@functools.cache
def java_classes():
    """Compiled once, beside the library."""
    library = BUILT / "grpc_java"
    if shutil.which("javac") is None or not list(library.glob("grpc-netty-shaded-*.jar")):
        pytest.skip("no javac, or no grpc-java: scripts/setup --foreign")
    path = f"{library}/classes:{library}/*"
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", library / "classes",
                    SERVICES / "Grpc.java"], check=True, capture_output=True, timeout=120)
    return path


def java_command(*arguments):
    return ["java", "-Xmx128m", "-cp", java_classes(), "Grpc", *arguments]


def server_command(library, grpc_go, port, files):
    if library == "python":
        return [sys.executable, OWN_SERVICES / "grpc_service.py", port]
    if library == "node":
        return node_command("server", port)
    if library == "java":
        return java_command("server", port)
    return [grpc_go, "server", port, *([files.certificate, files.key] if files else [])]


def client_command(library, grpc_go, port, over_tls):
    if library == "python":
        return [sys.executable, OWN_SERVICES / "grpc_client.py", port]
    if library == "node":
        return node_command("client", port)
    if library == "java":
        return java_command("client", port)
    return [grpc_go, "client", port, *(["tls"] if over_tls else [])]


def calls_of(report, metric, program=None):
    """How many calls of a method had which status, as a client says it."""
    seen = collections.Counter()
    for line in report.series(metric, program):
        method = line["attributes"].get("rpc.method", "?").removeprefix("shop.Cart/")
        seen[f"{method} {line['attributes'].get('rpc.status_code', table.NONE)}"] += line["count"]
    return seen


def comparable(calls, metric):
    """Caller and server both know the deadline of a call. Whoever is first decides what the caller
    says; at the server, and at a proxy, it may be that there was no status any more. A server does
    not name what it does not implement."""
    told = collections.Counter()
    for call, number in calls.items():
        method, status = call.split(" ")
        if method in ("_OTHER", "Nope") and metric == RPC_SERVER:
            told["_OTHER UNIMPLEMENTED"] += number
        elif method == "Add" and status not in ("OK", "NOT_FOUND", "UNKNOWN"):
            told["Add too late"] += number
        else:
            told[call] += number
    return told


def compare(agent, name, said, ends):
    """Rows of (what, metric, program)."""
    def all_seen():
        report = agent.report()
        return all(calls_of(report, metric, program).total() >= CALLS for _, metric, program in ends)
    with contextlib.suppress(AssertionError):
        eventually(all_seen, within=10)
    report = agent.wait_for_windows(1)
    wrong = []
    for what, metric, program in ends:
        differs = table.note(f"{name}, {what}", comparable(said, metric),
                             comparable(calls_of(report, metric, program), metric))
        wrong += [f"{what}: {differs}"] if differs else []
    assert not wrong, "\n".join(wrong)


def call(library, grpc_go, port, over_tls=False):
    printed = subprocess.run(list(map(str, client_command(library, grpc_go, port, over_tls))),
                             capture_output=True, text=True, timeout=90, check=True)
    said = collections.Counter(json.loads(printed.stdout))
    assert said.total() == CALLS
    return said


@pytest.mark.parametrize("client", LIBRARIES)
@pytest.mark.parametrize("server", LIBRARIES)
def test_libraries(start_agent, tmp_path, grpc_go, server, client):
    port = free_port()
    with Program(tmp_path, "grpc", port, server_command(server, grpc_go, port, None)):
        agent = start_agent(ports=[port])
        said = call(client, grpc_go, port)
        compare(agent, f"gRPC {client} to {server}", said,
                [("server", RPC_SERVER, None), ("client", RPC_CLIENT, None)])


def test_over_tls(start_agent, tmp_path, grpc_go, certificate):
    port = free_port()
    with Program(tmp_path, "grpc", port, server_command("go", grpc_go, port, certificate)) as server:
        agent = start_agent(ports=[port])
        tls.wait_for_probes(agent, server)
        said = call("go", grpc_go, port, over_tls=True)
        compare(agent, "gRPC go TLS", said,
                [("server", RPC_SERVER, None), ("client", RPC_CLIENT, None)])


@pytest.mark.parametrize("proxy", ["haproxy", "nginx"])
def test_through_a_proxy(start_agent, tmp_path, grpc_go, proxy):
    port = free_port()
    with Program(tmp_path, "grpc", port, server_command("go", grpc_go, port, None)), \
            grpc_proxies.start(proxy, tmp_path, port) as between:
        agent = start_agent(ports=[port, between.port])
        said = call("go", grpc_go, between.port)
        compare(agent, f"gRPC through {proxy}", said,
                [("client", RPC_CLIENT, "grpc_go"), ("as server", RPC_SERVER, proxy),
                 ("as client", RPC_CLIENT, proxy), ("server", RPC_SERVER, "grpc_go")])
