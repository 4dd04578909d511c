"""Servers that nobody here wrote: what the agent counts of each is what its own access log says, and
what the client and the backend beside it say; what is not read is named by `status`."""
import contextlib
import re

import pytest

from foreign import applications, mix, proxies, table
from support import tls
from support.agent import run_cli
from support.load import curl
from support.report import CLIENT, SERVER
from support.waiting import eventually


def losses(agent):
    """Where to look when requests are missing."""
    kinds = ("orphan", "lost", "dropped", "no_state", "malformed")
    return [f"{sample.name} {sample.labels} {sample.value}" for sample in agent.scrape().samples
            if sample.value and any(kind in str((sample.name, sample.labels)) for kind in kinds)]


def compare(agent, name, expected):
    """Rows of (what, metric, program, what that says itself). The agent may need a window or two to
    see all; less than all at the deadline is a row that differs."""
    def all_seen():
        report = agent.report()
        return all(sum(table.of(report, metric, program).values()) >= sum(said.values())
                   for _, metric, program, said in expected)
    with contextlib.suppress(AssertionError):
        eventually(all_seen, within=6)
    report = agent.wait_for_windows(1)
    wrong = [f"{what}: {differs}" for what, metric, program, said in expected
             if (differs := table.note(f"{name}, {what}", said, table.of(report, metric, program)))]
    assert not wrong, "\n".join(wrong + losses(agent))


def observe(start_agent, name, server, executable, behind=None, over_tls=False, base="", **mixed):
    """Sends the mix to the server and compares all ends that are read."""
    agent = start_agent(ports=[server.port] + ([behind.port] if behind else []))
    if over_tls:
        tls.wait_for_probes(agent, server)
    said = mix.drive(server.port, over_tls, base=base, **mixed)
    server.finish(sum(said.values()))
    expected = [("server", SERVER, executable, server.served()), ("its client", CLIENT, "python", said)]
    assert sum(server.served().values()) == sum(said.values()), server.log()
    if behind:
        behind.finish(0)
        expected += [("as client", CLIENT, executable, server.asked()),
                     ("its backend", SERVER, "python", behind.served())]
    compare(agent, name, expected)


@pytest.mark.parametrize("how", ["plain", "splicing", "TLS"])
def test_haproxy(start_agent, tmp_path, certificate, how):
    with applications.backend(tmp_path) as backend, \
            proxies.haproxy(tmp_path, certificate, backend, over_tls=how == "TLS",
                            splicing=how == "splicing") as server:
        # Of an answer behind a 100 this haproxy now and then passes on the head alone.
        observe(start_agent, f"haproxy {how}", server, "haproxy", behind=backend,
                over_tls=how == "TLS", without=("EXPECT",))


@pytest.mark.parametrize("how", ["plain", "TLS"])
def test_nginx(start_agent, tmp_path, certificate, how):
    """As it passes requests on by default, to `python3 -m http.server`."""
    with applications.python_files(tmp_path) as backend, \
            proxies.nginx_to(tmp_path, certificate, backend, how == "TLS") as server:
        observe(start_agent, f"nginx {how}", server, "nginx", behind=backend, over_tls=how == "TLS")


@pytest.mark.parametrize("how", ["plain", "TLS"])
def test_caddy(start_agent, tmp_path, certificate, how):
    with applications.backend(tmp_path) as backend, \
            proxies.caddy(tmp_path, certificate, backend, how == "TLS") as server:
        observe(start_agent, f"caddy {how}", server, "caddy", behind=backend, over_tls=how == "TLS")


def test_varnish(start_agent, tmp_path):
    with applications.backend(tmp_path) as backend, proxies.Varnish(tmp_path, backend) as server:
        observe(start_agent, "varnish", server, "varnishd", behind=backend)


@pytest.mark.parametrize("how", ["forward", "accelerator"])
def test_squid(start_agent, tmp_path, how):
    with applications.backend(tmp_path) as backend, \
            proxies.squid(tmp_path, backend, how == "accelerator") as server:
        observe(start_agent, f"squid {how}", server, "squid", behind=backend,
                base="" if how == "accelerator" else f"http://127.0.0.1:{backend.port}")


def test_what_a_tunnel_through_squid_carries(start_agent, tmp_path):
    with applications.backend(tmp_path) as backend, proxies.squid(tmp_path, backend, False) as server:
        agent = start_agent(ports=[server.port, backend.port])
        for _ in range(5):
            curl("--proxytunnel", "--proxy", f"127.0.0.1:{server.port}",
                 *(f"http://127.0.0.1:{backend.port}/{path}" for path in ("ok", "missing")))
        for metric, program, tunnels in ((CLIENT, "curl", 5), (SERVER, "squid", 5), (CLIENT, "squid", 0)):
            report = agent.wait_for_count(metric, 10 + tunnels, program)
            assert report.count(metric, program, **{"http.request.method": "CONNECT"}) == tunnels
            assert report.count(metric, program, **{"http.request.method": "GET"}) == 10


@pytest.mark.parametrize("how", ["plain", "TLS"])
def test_lighttpd(start_agent, tmp_path, certificate, how):
    with proxies.lighttpd(tmp_path, certificate, how == "TLS") as server:
        # Over TLS it now and then answers a chunked request, and goes, before it has come.
        observe(start_agent, f"lighttpd {how}", server, "lighttpd", over_tls=how == "TLS",
                without=("CHUNKED",) if how == "TLS" else ())


def test_php_fpm(start_agent, tmp_path, certificate):
    with proxies.PhpFpm(tmp_path) as fpm, proxies.nginx_to_php(tmp_path, certificate, fpm) as server:
        observe(start_agent, "nginx, php-fpm", server, "nginx")


# How each is started, and how its executable is called.
APPLICATIONS = {
    "http.server": (lambda folder, *_: applications.python_files(folder), "python"),
    "gunicorn sync": (lambda folder, files, _: applications.gunicorn(folder, files, "sync"), "python"),
    "gunicorn gthread": (lambda folder, files, _: applications.gunicorn(folder, files, "gthread"),
                         "python"),
    "gunicorn TLS": (lambda folder, files, _: applications.gunicorn(folder, files, "gthread", True),
                     "python"),
    "uvicorn": (lambda folder, files, _: applications.uvicorn(folder, files), "python"),
    "uvicorn TLS": (lambda folder, files, _: applications.uvicorn(folder, files, True), "python"),
    "granian": (lambda folder, files, _: applications.granian(folder, files), "python"),
    "webrick": (lambda folder, files, _: applications.webrick(folder, files), "ruby"),
    "webrick TLS": (lambda folder, files, _: applications.webrick(folder, files, True), "ruby"),
    "puma": (lambda folder, files, _: applications.puma(folder, files), "ruby"),
    "puma TLS": (lambda folder, files, _: applications.puma(folder, files, True), "ruby"),
    "HTTP::Daemon": (lambda folder, *_: applications.http_daemon(folder), "perl"),
    "starman": (lambda folder, *_: applications.starman(folder), "perl"),
    "php -S": (lambda folder, *_: applications.php(folder), "php"),
    "node": (lambda folder, files, _: applications.node(folder, files), "node"),
    "node TLS": (lambda folder, files, _: applications.node(folder, files, over_tls=True), "node"),
    "express": (lambda folder, files, _: applications.node(folder, files, "express"), "node"),
    "express TLS": (lambda folder, files, _: applications.node(folder, files, "express", True), "node"),
    "java": (lambda folder, files, classes: applications.java(folder, files, classes), "java"),
    "tomcat": (lambda folder, _, classes: applications.tomcat(folder, classes), "java"),
    "hyper": (lambda folder, *_: applications.hyper(folder), "hyper-service"),
}


@pytest.mark.parametrize("name", APPLICATIONS)
def test_application(start_agent, tmp_path, certificate, classes, name):
    start, executable = APPLICATIONS[name]
    with start(tmp_path, certificate, classes) as server:
        observe(start_agent, name, server, executable, over_tls=name.endswith("TLS"))


# How each is started, and what `status` says of it.
UNREAD = {
    "java TLS": (lambda folder, files, classes: applications.java(folder, files, classes, True),
                 "java", r"Java: TLS is compiled at run time \(JSSE\)"),
    "granian TLS": (lambda folder, files, _: applications.granian(folder, files, True), "python",
                    r"rustls: Rust inlines its functions"),
}


@pytest.mark.parametrize("name", UNREAD)
def test_what_is_not_read_is_named(start_agent, tmp_path, certificate, classes, name):
    start, executable, reason = UNREAD[name]
    with start(tmp_path, certificate, classes) as server:
        agent = start_agent(ports=[server.port])
        said = mix.drive(server.port, over_tls=True)

        def told():
            printed = run_cli("status", "--lock-file", agent.lock_path)
            assert re.search(reason, printed.stdout), printed.stdout + printed.stderr
            return True
        eventually(told, within=20)
        server.finish(sum(said.values()))
        agent.wait_for_count(CLIENT, sum(said.values()), "python")
        report = agent.report()
        table.note(f"{name}, its client", said, table.of(report, CLIENT, "python"))
        seen = table.of(report, SERVER, executable)
        table.note(f"{name}, server", server.served(), seen, unread=reason.replace("\\", ""))
        assert not seen
