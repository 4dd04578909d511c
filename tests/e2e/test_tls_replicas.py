"""Containers whose images share a layer: every one has an overlay of its own over the same files, and
a probe lands on the one file under all of them."""
import contextlib
import os
import shutil
import subprocess
import sys

import pytest

from support import tls
from support.load import curl
from support.report import CLIENT, SERVER
from support.waiting import free_port

LIBRARY = "/usr/lib/x86_64-linux-gnu/libssl.so.3"


class Image:
    """A layer with a TLS library, and containers made of it."""

    def __init__(self, folder):
        self.folder = folder
        (folder / "layer").mkdir()
        (folder / "empty").mkdir()
        shutil.copy(LIBRARY, folder / "layer" / "libssl.so.3")

    @contextlib.contextmanager
    def container(self, name):
        """The environment of a program that runs on the image."""
        root = self.folder / name
        root.mkdir()
        subprocess.run(["mount", "-t", "overlay", "overlay", "-o",
                        f"lowerdir={self.folder / 'layer'}:{self.folder / 'empty'}", root],
                       check=True)
        try:
            yield {**os.environ, "LD_LIBRARY_PATH": str(root)}
        finally:
            subprocess.run(["umount", "--lazy", root], check=True)

    @contextlib.contextmanager
    def idle_replica(self, name):
        with self.container(name) as env:
            child = subprocess.Popen(
                [sys.executable, "-c", "import ssl, sys; print(flush=True); sys.stdin.read()"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env)
            try:
                assert child.stdout.readline() == b"\n"
                yield child
            finally:
                child.communicate()


@pytest.fixture
def image(tmp_path):
    return Image(tmp_path)


def ask(url, env, times):
    curl("--insecure", *[url] * times, prefix=["env", f"LD_LIBRARY_PATH={env['LD_LIBRARY_PATH']}"])


def expect_exactly(agent, times):
    for metric, program in ((CLIENT, "curl"), (SERVER, "python")):
        report = agent.wait_for_count(metric, times, program, **{"url.scheme": "https"})
        assert report.count(metric, program) == times, "no surplus, of errors either"
        assert report.count(metric, program, **{"http.response.status_code": 200}) == times


@pytest.mark.parametrize("idle", [0, 1, 2, 4])
def test_exchanges_count_once_however_many_replicas_there_are(start_agent, tmp_path, certificate,
                                                              image, idle):
    with contextlib.ExitStack() as stack:
        for number in range(idle):
            stack.enter_context(image.idle_replica(f"idle{number}"))
        service = stack.enter_context(image.container("service"))
        client = stack.enter_context(image.container("client"))
        server = stack.enter_context(tls.python_server(tmp_path, certificate, env=service))
        agent = start_agent(ports=[server.port])
        tls.wait_for_probes(agent, server)
        ask(f"{server.url}/ok", client, 10)
        expect_exactly(agent, 10)
        agent.wait_for_windows(2)
        expect_exactly(agent, 10)


def test_replicas_that_come_and_go(start_agent, tmp_path, certificate, image):
    """The file has its probes once, and as long as one of them is left."""
    port = free_port()
    with (image.container("service") as service, image.container("client") as client,
          tls.python_server(tmp_path, certificate, env=service) as server):
        agent = start_agent(ports=[server.port, port])
        tls.wait_for_probes(agent, server)
        asked = 0
        for number in range(4):
            with (image.container(f"replica{number}") as env,
                  tls.python_server(tmp_path, certificate, port=port, env=env) as replica):
                ask(f"{replica.url}/ok", client, 5)
                tls.wait_for_probes(agent, replica)
                ask(f"{replica.url}/ok", client, 5)
                ask(f"{server.url}/ok", client, 5)
            ask(f"{server.url}/ok", client, 5)
            asked += 20
            expect_exactly(agent, asked)
