"""OTLP out of the agent, and the promise under faults: an exemplar with ids always opens a span
that the backend has."""
import pathlib
import shutil
import socket
import subprocess
import tempfile
import threading

import pytest

from support.accounting import assert_identities
from support.otlp_backend import Answer, OtlpBackend, ask, integrity
from support.report import CLIENT, SERVER
from support.sink_process import SinkProcess
from support.tls import Certificate
from support.waiting import eventually, free_port


def test_spans_and_metrics_reach_the_backend(start_agent, nginx):
    with OtlpBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port])
        ask(nginx, 3)
        eventually(lambda: backend.count(SERVER) == 33, what="33 server requests")
        eventually(lambda: backend.count(CLIENT) == 33, what="33 client requests")
        assert_identities(agent, spans=True)
        with_ids, found = integrity(backend)
        assert with_ids == found > 0
        spans = {span["span_id"]: span for span in backend.spans()}
        for point in backend.points(SERVER):
            for one in point["exemplars"]:
                span = spans[one["span_id"]]
                assert (span["end_unix_ns"] - span["start_unix_ns"]) / 1e9 == one["value"]
        assert agent.stop() == 0


@pytest.mark.parametrize("status, headers", [
    (429, {"Retry-After": "1"}), (503, {}), (503, {"Retry-After": "soon"}), (502, {}), (504, {})])
def test_a_busy_backend_is_tried_again(start_agent, nginx, status, headers):
    def answer(path, number):
        busy = path == "/v1/traces" and number <= 2
        return Answer(status=status, headers=headers) if busy else Answer()

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port])
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11, within=20, what="11 server requests")
        eventually(backend.spans, within=20, what="the spans that were tried again")
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 22 and integrity(backend)[0], within=20,
                   what="exemplars with ids after the trouble")
        assert_identities(agent, spans=True, within=20)
        assert agent.stop() == 0
        with_ids, found = integrity(backend)
        assert with_ids == found > 0


@pytest.mark.parametrize("status", [400, 404, 500])
def test_what_the_backend_refuses_is_dropped_and_leaves_no_ids(start_agent, nginx, status):
    with OtlpBackend(lambda path, _: Answer(status=status if path == "/v1/traces" else 200)) \
            as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port])
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11, what="11 server requests")
        agent.wait_for_windows(2)
        page = assert_identities(agent, spans=True)
        assert page.sum("exemplar_agent_export_spans_dropped_total", reason="refused") > 0
        assert page.sum("exemplar_agent_exemplars_total", reason="with_ids") == 0
        assert page.sum("exemplar_agent_exemplars_total", reason="without_ids") > 0
        assert agent.stop() == 0
        assert integrity(backend) == (0, 0)
        assert backend.requests["/v1/traces"] >= 1


def test_a_partial_success_lets_no_unstored_span_into_a_metric(start_agent, nginx):
    def answer(path, number):
        return Answer(reject_spans=1 if path == "/v1/traces" and number == 1 else 0)

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port])
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11, what="11 server requests")
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 22 and integrity(backend)[0],
                   what="exemplars with ids")
        page = assert_identities(agent, spans=True)
        assert page.sum("exemplar_agent_export_spans_rejected_total") == 1
        assert agent.stop() == 0
        with_ids, found = integrity(backend)
        assert with_ids == found > 0


def test_an_answer_lost_on_the_way_is_tried_again(start_agent, nginx):
    def answer(path, number):
        return Answer(reset=True, accept=False) if number == 1 else Answer()

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port])
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11 and backend.spans(), within=20,
                   what="requests and spans")
        assert agent.stop() == 0
        with_ids, found = integrity(backend)
        assert with_ids == found


def test_an_outage_costs_no_count(start_agent, nginx):
    """The backend is not there when the agent starts, and comes later."""
    port = free_port()
    agent = start_agent("--otlp-endpoint", f"http://127.0.0.1:{port}", ports=[nginx.port])
    ask(nginx, 2)
    agent.wait_for_count(SERVER, 22, "nginx", within=20)
    assert agent.stop(within=5) == 0
    warnings = [line for line in agent.log().splitlines() if "127.0.0.1" in line]
    assert 1 <= len(warnings) <= 6, agent.log()


def test_totals_are_exact_after_an_outage(start_agent, nginx):
    down = True

    def answer(path, number):
        return Answer(status=503) if down else Answer()

    with OtlpBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port])
        ask(nginx, 2)
        agent.wait_for_count(SERVER, 22, "nginx", within=20)
        down = False
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 33, within=30, what="the exact total")
        assert agent.stop() == 0
        with_ids, found = integrity(backend)
        assert with_ids == found


# A program in mounts of its own, with an /etc that only it sees.
OWN_ETC = """\
mount -t tmpfs tmpfs "$0" && mkdir "$0/upper" "$0/work" &&
mount -t overlay -o lowerdir=/etc,upperdir="$0/upper",workdir="$0/work" overlay /etc &&
echo "hosts: files dns" >/etc/nsswitch.conf && echo "nameserver 127.0.0.1" >/etc/resolv.conf &&
exec "$@\"
"""
NAME_SERVER = "127.94.64.53"  # nobody else's


def answer_names(listener):
    """Every name is 127.0.0.1, and nothing is IPv6."""
    while True:
        question, sender = listener.recvfrom(512)
        if not question:
            return
        name_end = question.index(b"\0", 12) + 1
        is_ipv4 = question[name_end:name_end + 2] == b"\0\1"
        address = b"\xc0\x0c\0\1\0\1\0\0\0\0\0\4\x7f\0\0\1" if is_ipv4 else b""
        listener.sendto(question[:2] + b"\x81\x80\0\1\0" + (b"\1" if is_ipv4 else b"\0") +
                        b"\0\0\0\0" + question[12:name_end + 4] + address, sender)


@pytest.fixture
def name_server():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as listener:
        listener.bind((NAME_SERVER, 53))
        thread = threading.Thread(target=answer_names, args=(listener,))
        thread.start()
        yield
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as last:
            last.sendto(b"", (NAME_SERVER, 53))
        thread.join()


@pytest.mark.parametrize("path, line", [
    ("/etc/hosts", "127.0.0.1 backend.test"),
    ("/etc/resolv.conf", f"nameserver {NAME_SERVER}")])
def test_a_backend_is_found_by_the_name_that_a_replaced_file_gives_it(
        start_agent, nginx, tmp_path, name_server, path, line):
    layer = tmp_path / "layer"
    layer.mkdir()
    with OtlpBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url.replace("127.0.0.1", "backend.test"),
                            ports=[nginx.port], wrapper=["unshare", "--mount", "--propagation",
                                                         "private", "sh", "-c", OWN_ETC, layer])
        ask(nginx)
        eventually(lambda: "resolve" in agent.log(), what="a name that nobody knows yet")
        subprocess.run(["nsenter", f"--target={agent.pid}", "--mount", "sh", "-c",
                        f"echo {line} >/etc/next && mv /etc/next {path}"], check=True)
        eventually(lambda: backend.count(SERVER) == 11, within=30, what="11 server requests")
        assert agent.stop() == 0


def test_an_authority_that_kubernetes_replaces_is_trusted_from_then_on(start_agent, nginx, tmp_path):
    authorities = {}
    for name in ("wrong", "right"):
        (tmp_path / name).mkdir()
        authorities[name] = Certificate(tmp_path / name)
    served = authorities["right"]

    def sink(*command, **options):
        return subprocess.Popen([*map(str, command), "--tls-cert", served.certificate, "--tls-key",
                                 served.key], text=True, **options)

    with tempfile.TemporaryDirectory() as name:  # that others may search
        secret = pathlib.Path(name)
        secret.chmod(0o755)

        def publish(authority):
            folder = secret / f"..{authority}"
            folder.mkdir()
            shutil.copy(authorities[authority].certificate, folder / "ca.crt")
            (secret / "..next").symlink_to(folder.name)
            (secret / "..next").rename(secret / "..data")

        publish("wrong")
        (secret / "ca.crt").symlink_to("..data/ca.crt")
        backend = SinkProcess(sink, "127.0.0.1", tmp_path)
        try:
            agent = start_agent("--otlp-endpoint", backend.url.replace("http:", "https:"),
                                ports=[nginx.port],
                                config=f"otlp: {{certificate: {secret}/ca.crt}}\n")
            ask(nginx)
            eventually(lambda: "certificate" in agent.log(), what="a backend that is not trusted")
            assert not backend.points()
            publish("right")
            eventually(backend.points, within=30, what="metrics")
            assert agent.stop() == 0
        finally:
            backend.stop()
