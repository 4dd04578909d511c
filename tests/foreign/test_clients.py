"""Clients that nobody here wrote: what the agent counts of each is what it says itself, and what
nginx' access log says."""
import collections
import contextlib
import functools
import re
import socket

import pytest

from foreign import clients, proxies, table
from foreign.program import STATUS
from foreign.test_servers import compare
from support import tls
from support.agent import run_cli
from support.process import Process
from support.report import CLIENT, SERVER
from support.waiting import eventually

# How each asks, and how its executable is called.
CLIENTS = {
    "curl": (clients.curl, "curl"),
    "wget": (clients.wget, "wget"),
    "siege": (clients.siege, "siege"),
    "siege kept": (functools.partial(clients.siege, kept=True), "siege"),
    "hey": (clients.hey, "hey"),
    "hey closing": (functools.partial(clients.hey, kept=False), "hey"),
    "ab": (clients.ab, "ab"),
    "ab kept": (functools.partial(clients.ab, kept=True), "ab"),
    "requests": (functools.partial(clients.python, how="requests"), "python"),
    "urllib": (functools.partial(clients.python, how="urllib"), "python"),
    "node": (clients.node, "node"),
    "ruby": (clients.ruby, "ruby"),
    "perl": (clients.perl, "perl"),
    "php": (clients.php, "php"),
    "java": (clients.java, "java"),
}
# Programs with a TLS library of their own are probed within a second of their start. One that only
# waits lets that happen before the requests.
WAITING = {
    "hey": ["hey", "-z", "60s", "-c", "1", "-t", "60", "http://127.0.0.1:{port}/"],
    "node": ["node", "-e", "setTimeout(() => {{}}, 60000)"],
}
UNREAD = "Java: TLS is compiled at run time (JSSE)"
PATHS = ["/ok"] * 20 + ["/absent"] * 6 + ["/fail"] * 6 + ["/large"] * 8


@contextlib.contextmanager
def files_of_nginx(folder, certificate, over_tls):
    (folder / "files").mkdir()
    (folder / "files/ok").write_text("ok\n")
    (folder / "files/large").write_bytes(b"x" * 300_000)
    served = f"root {folder}/files; if ($uri = /fail) {{ return 500; }}"
    with proxies.nginx(folder, certificate, served, over_tls, asks=False) as server:
        yield server


@contextlib.contextmanager
def probed(agent, folder, executable):
    if executable not in WAITING:
        yield
        return
    with socket.create_server(("127.0.0.1", 0)) as silent:
        command = [part.format(port=silent.getsockname()[1]) for part in WAITING[executable]]
        with Process(command, log=folder / "waiting.log") as process:
            tls.wait_for_probes(agent, process)
            yield


def urls_of(server, over_tls):
    return [f"http{'s' if over_tls else ''}://127.0.0.1:{server.port}{path}" for path in PATHS]


@pytest.mark.parametrize("name, how", [(name, how) for name in CLIENTS for how in ("plain", "TLS")
                                       if (name, how) != ("java", "TLS")])
def test_client(start_agent, tmp_path, certificate, classes, name, how):
    ask, executable = CLIENTS[name]
    over_tls = how == "TLS"
    with files_of_nginx(tmp_path, certificate, over_tls) as server:
        agent = start_agent(ports=[server.port])
        with probed(agent, tmp_path, executable) if over_tls else contextlib.nullcontext():
            said = ask(urls_of(server, over_tls), folder=tmp_path, classes=classes)
        server.finish(0)
        compare(agent, f"{name} {how}", [("client", CLIENT, executable, said),
                                         ("nginx", SERVER, "nginx", server.served())])


def test_what_is_not_read_is_named(start_agent, tmp_path, certificate, classes):
    """Java's own client."""
    with files_of_nginx(tmp_path, certificate, True) as server:
        agent = start_agent(ports=[server.port])
        command = clients.java_command([*urls_of(server, True), "stay"], classes)
        with Process(command, log=tmp_path / "client.log") as client:
            def told():
                printed = run_cli("status", "--lock-file", agent.lock_path).stdout
                assert str(client.pid) in printed and UNREAD in printed, printed
                return True
            eventually(told, within=20)
            eventually(lambda: client.log().count("status ") == len(PATHS), what="its answers")
            said = collections.Counter(map(int, re.findall(STATUS, client.log(), re.M)))
        server.finish(0)
        compare(agent, "java TLS", [("nginx", SERVER, "nginx", server.served())])
        seen = table.of(agent.report(), CLIENT)
        table.note("java TLS, client", said, seen, UNREAD)
        assert not seen
