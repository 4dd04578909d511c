"""Programs that somebody else's interpreter runs have names of their own."""
import os
import pathlib
import shutil
import subprocess

import pytest

from support.load import curl
from support.process import Process
from support.report import SERVER
from support.waiting import accepts, eventually, free_port

PYTHON = "/usr/bin/python3"

# Serves on $PORT whatever words it was started with.
PYTHON_SERVER = """\
import http.server, os
class Ok(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()
if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Ok).serve_forever()
"""
SPAWNING_SERVER = """\
import multiprocessing, os, runpy, threading
def serve():
    parent = multiprocessing.parent_process()
    threading.Thread(target=lambda: (parent.join(), os._exit(0)), daemon=True).start()
    runpy.run_path("server.py", run_name="__main__")
if __name__ == "__main__":
    worker = multiprocessing.get_context("spawn").Process(target=serve, daemon=True)
    worker.start()
    worker.join()
"""
NODE_SERVER = """\
require('http').createServer((request, answer) => answer.end('ok'))
  .listen(+process.env.PORT, '127.0.0.1');
"""
PERL_SERVER = """\
use IO::Socket::INET;
my $listener = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => $ENV{PORT},
                                     Listen => 5, ReuseAddr => 1) or die;
while (my $socket = $listener->accept) {
  while (<$socket>) { last if $_ eq "\\r\\n" }
  syswrite $socket, "HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\nConnection: close\\r\\n\\r\\n";
  close $socket;
}
"""
JAVA_SERVER = """\
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
public class Main {
  public static void main(String[] words) throws Exception {
    var port = Integer.parseInt(System.getenv("PORT"));
    var server = HttpServer.create(new InetSocketAddress("127.0.0.1", port), 8);
    server.createContext("/", exchange -> { exchange.sendResponseHeaders(200, -1); exchange.close(); });
    server.start();
  }
}
"""


@pytest.fixture
def project(tmp_path):
    """A folder called shop with a server in it for every interpreter."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for name in ("server.py", "__main__.py", "manage.py", "gunicorn", "orders.pyz"):
        (folder / name).write_text(PYTHON_SERVER)
    (folder / "spawning.py").write_text(SPAWNING_SERVER)
    (folder / ".env").write_text("A=B\n")
    (folder / "package.json").write_text('{"name": "unread", "main": "checkout.js"}')
    for name in ("server.js", "checkout.js"):
        (folder / name).write_text(NODE_SERVER)
    (folder / "billing.pl").write_text(PERL_SERVER)
    return folder


class Named(Process):
    def __init__(self, folder, command, env=None):
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        environment = {**os.environ, **(env or {}), "PORT": str(self.port)}
        super().__init__(command, log=folder / f"{self.port}.log", env=environment, cwd=folder)
        eventually(lambda: accepts(self.port), within=20, what=str(command))


def titled(title):
    """As setproctitle leaves the words of a process: one, and none behind it."""
    return ["bash", "-c", f'exec -a "{title}" {PYTHON} <server.py']


def check(start_agent, cases):
    """cases: (name, folder, command, environment) each."""
    servers = []
    try:
        for _, *how in cases:
            servers.append(Named(*how))
        agent = start_agent(ports=[server.port for server in servers])
        for server in servers:
            curl(server.url)
        report = agent.wait_for_count(SERVER, len(servers))
        told = sorted(line["service"] for line in report.series(SERVER))
        assert told == sorted(name for name, *_ in cases)
    finally:
        for server in servers:
            server.stop()


def test_what_python_runs(start_agent, project):
    check(start_agent, [(name, project, command) for command, name in [
        ([PYTHON, "-W", "ignore", "server.py", "8000"], "server"),
        ([PYTHON, "__main__.py"], "shop"),
        ([PYTHON, project], "shop"),
        ([PYTHON, "manage.py", "runserver", "0.0.0.0:8000"], "shop"),
        ([PYTHON, "-uX", "utf8", "orders.pyz"], "orders"),
        ([PYTHON, "gunicorn", "-w", "4", "-b", "0.0.0.0:8000", "shop.wsgi"], "shop.wsgi"),
        ([PYTHON, "gunicorn", "orders.web:app"], "orders.web"),
        ([PYTHON, "spawning.py"], "spawning"),
        (titled("gunicorn: worker [billing.wsgi]"), "billing.wsgi"),
    ]])


def test_what_node_and_perl_run(start_agent, project):
    check(start_agent, [(name, project, command) for command, name in [
        (["node", "--env-file", ".env", "server.js"], "server"),
        (["node", "."], "shop"),
        (["node", "-r", "./package.json", "--title", "orders", "server.js"], "orders"),
        (["perl", "-Ilib", "-w", "billing.pl", "http://*:3000"], "billing"),
    ]])


@pytest.mark.skipif(not shutil.which("javac"), reason="no Java compiler")
def test_what_java_runs(start_agent, project):
    (project / "Main.java").write_text(JAVA_SERVER)
    subprocess.run(["javac", "Main.java"], cwd=project, check=True)
    subprocess.run(["jar", "cfe", "orders-service-1.2.jar", "Main", "Main.class"], cwd=project,
                   check=True)
    (project / "arguments").write_text("-cp . Main")
    check(start_agent, [(name, project, command) for command, name in [
        (["java", "--add-opens", "java.base/java.lang=ALL-UNNAMED", "-Xmx64m", "-jar",
          "orders-service-1.2.jar", "8080"], "orders-service"),
        (["java", "-Xmx64m", "-cp", ".", "Main"], "Main"),
        (["java", "-Xmx64m", "@arguments", "8080"], "java"),
    ]])


def test_interpreters_that_are_not_here(start_agent, project):
    """python under their names: the kernel and the agent cannot tell the difference."""
    cases = [
        ("bun.exe", ["run", "orders.ts"], "orders"),
        ("deno", ["run", "--allow-net", "billing.ts"], "billing"),
        ("dotnet", ["Orders.Api.dll", "--urls", "http://0.0.0.0:80"], "Orders.Api"),
        ("php8.2", ["-S", "0.0.0.0:8000", "-t", "public"], "shop"),
        ("ruby3.1", ["puma", "-b", "tcp://0.0.0.0:9292"], "shop"),
    ]
    environment = {"PYTHONHOME": "/usr", "PYTHONDONTWRITEBYTECODE": "1"}
    started = []
    for interpreter, words, name in cases:
        folder = project.parent / interpreter / "shop"
        folder.mkdir(parents=True)
        program = folder.parent / interpreter
        shutil.copy(pathlib.Path(PYTHON).resolve(), program)
        for word in words[:2]:
            if not word.startswith("-"):
                (folder / word).write_text(PYTHON_SERVER)
        started.append((name, folder, [program, *words], environment))
    check(start_agent, started)
