"""A hundred thousand encrypted exchanges at once, of every library, each with an id of its own."""
import collections
import subprocess

from support import tls
from support.report import CLIENT, SERVER
from support.servers import SERVICES

PYTHON = "/usr/bin/python3"


def failing(requests):
    """How many of a connection's requests ask for a path that fails."""
    return sum(number % 7 == 3 for number in range(requests))


class Crowd:
    """Clients at work at the same time, and what they have asked for."""

    def __init__(self, folder):
        self.folder = folder
        self.running = []
        self.expected = collections.Counter()  # (metric, program, status) -> exchanges
        self.port_of = {}  # client id -> port of its server

    def add(self, program, server, server_program, command, connections, requests):
        client = len(self.running) + 1
        self.port_of[client] = server.port
        for metric, side in ((CLIENT, program), (SERVER, server_program)):
            failed = connections * failing(requests)
            self.expected[metric, side, 500] += failed
            self.expected[metric, side, 200] += connections * requests - failed
        log = (self.folder / f"client{client}.log").open("wb")
        self.running.append(subprocess.Popen(
            [str(part) for part in command(server, client, connections, requests)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT))

    def add_h2load(self, server, server_program, connections, requests):
        """Sends no trace context; every connection asks for the same paths in turn."""
        def command(server, client, connections, requests):
            paths = self.folder / "paths"
            paths.write_text("".join(
                f"{server.url}/{'fail' if number % 7 == 3 else 'ok'}/{client}/0/{number}\n"
                for number in range(requests)))
            return ["h2load", "--h1", "-i", paths, "-n", connections * requests, "-c", connections]
        self.add("h2load", server, server_program, command, connections, requests)

    def add_curl(self, server, server_program, requests):
        def command(server, client, _, requests):
            urls = self.folder / "urls"
            urls.write_text("insecure\nsilent\nshow-error\n" + "".join(
                f'url = "{server.url}/{"fail" if number % 7 == 3 else "ok"}/{client}/0/{number}"\n'
                "output = /dev/null\n" for number in range(requests)))
            return ["curl", "--config", urls]
        self.add("curl", server, server_program, command, 1, requests)

    def wait(self, within):
        for number, client in enumerate(self.running, 1):
            assert client.wait(timeout=within) == 0, \
                (self.folder / f"client{number}.log").read_text()[-2000:]

    def end(self):
        for client in self.running:
            if client.poll() is None:
                client.kill()
                client.wait()


def identity(span):
    """(client, connection, number) of the path, and the status that path asks for."""
    _, kind, *numbers = span["attributes"]["url.path"].split("/")
    return tuple(map(int, numbers)), {"ok": 200, "fail": 500}[kind]


def check_spans(spans, crowd, without_context):
    """No head stands on another connection's bytes: path, trace context, answer and addresses of
    each span say the same."""
    assert len({(span["trace_id"], span["kind"]) for span in spans}) == len(spans), "seen twice"
    connections = {}
    for span in spans:
        (client, connection, number), status = identity(span)
        attributes = span["attributes"]
        assert attributes["http.response.status_code"] == status, span
        if client not in without_context:
            told = (int(span["trace_id"][:4], 16), int(span["trace_id"][4:8], 16),
                    int(span["trace_id"][8:16], 16))
            assert told == (client, connection, number), span
        port = attributes.get("network.peer.port")
        if port is None:
            continue
        if span["kind"] == "CLIENT":
            assert port == crowd.port_of[client], span
        elif client not in without_context:
            connections.setdefault((crowd.port_of[client], port), set()).add((client, connection))
    assert all(len(owners) == 1 for owners in connections.values()), connections
    owners = [next(iter(owners)) for owners in connections.values()]
    assert len(owners) == len(set(owners)), "two sockets for one connection"
    return len(connections)


def test_a_hundred_thousand_mixed_exchanges(start_agent, tmp_path, certificate):
    go = tls.build_go(tmp_path, stripped=True)
    with tls.nginx(tmp_path, certificate) as nginx, \
            tls.go_server(tmp_path, certificate, go) as go_server, \
            tls.node_server(tmp_path, certificate) as node, \
            tls.python_server(tmp_path, certificate) as python:
        agent = start_agent(ports=[server.port for server in (nginx, go_server, node, python)],
                            window="2s", config="exemplars:\n  budget: 2000\n  floor: 0.2\n")
        for server in (go_server, node, python):
            tls.wait_for_probes(agent, server)

        crowd = Crowd(tmp_path)
        mixed = SERVICES / "tls_mixed.py"
        try:
            crowd.add_h2load(nginx, "nginx", 8, 6000)
            crowd.add("tls_go", go_server, "tls_go",
                      lambda s, *rest: [go, "mixed", s.port, *rest], 8, 2500)
            crowd.add("tls_go", nginx, "nginx",
                      lambda s, *rest: [go, "mixed", s.port, *rest], 4, 2000)
            crowd.add("node", node, "node",
                      lambda s, *rest: ["node", SERVICES / "tls_mixed.js", s.port, *rest], 8, 1000)
            crowd.add("python", nginx, "nginx",
                      lambda s, *rest: [PYTHON, mixed, "asyncio", s.port, *rest], 20, 400)
            crowd.add("python", python, "python",
                      lambda s, *rest: [PYTHON, mixed, "blocking", s.port, *rest], 4, 1000)
            crowd.add_curl(node, "node", 4000)
            assert sum(n for (metric, *_), n in crowd.expected.items() if metric == CLIENT) \
                == 100_000
            crowd.wait(within=300)
        finally:
            crowd.end()

        for (metric, program, status), count in crowd.expected.items():
            agent.wait_for_count(metric, count, program,
                                 **{"http.response.status_code": status, "url.scheme": "https"})
        report = agent.wait_for_windows(2)
        assert report.count(SERVER) == report.count(CLIENT) == 100_000
        page = agent.scrape()
        assert page.sum("exemplar_agent_kernel_tls_dropped_total") == 0

        assert len(report.spans) > 2000
        kinds = {(span["kind"], span["resource"]["process.executable.name"].rsplit("/", 1)[-1])
                 for span in report.spans}
        assert len(kinds) >= 9, kinds
        assert check_spans(report.spans, crowd, without_context={1, 7}) > 20
