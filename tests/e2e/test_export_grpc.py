"""OTLP over gRPC, to gRPC's own core: what HTTP does, with gRPC's statuses."""
import pathlib
import shutil
import tempfile

import grpc
import pytest

from support.accounting import assert_identities
from support.load import curl
from support.otlp_backend import ask, integrity
from support.otlp_grpc import CallAnswer, GrpcBackend
from support.report import CLIENT, SERVER
from support.tls import Certificate
from support.waiting import eventually

GRPC = "otlp: {protocol: grpc}\n"


def test_spans_and_metrics_reach_the_backend(start_agent, nginx):
    with GrpcBackend() as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port],
                            config="otlp: {protocol: grpc, headers: {x-tenant: shop}}\n")
        ask(nginx, 3)
        eventually(lambda: backend.count(SERVER) == 33, what="33 server requests")
        eventually(lambda: backend.count(CLIENT) == 33, what="33 client requests")
        assert_identities(agent, spans=True)
        with_ids, found = integrity(backend)
        assert with_ids == found > 0
        assert agent.stop() == 0
        for metadata in backend.calls.metadata:
            assert metadata["x-tenant"] == "shop"
            assert metadata["user-agent"].startswith("exemplar-agent/")


@pytest.mark.parametrize("code", ["CANCELLED", "DEADLINE_EXCEEDED", "ABORTED", "OUT_OF_RANGE",
                                  "UNAVAILABLE", "DATA_LOSS"])
def test_calls_that_may_be_repeated_are(start_agent, nginx, code):
    def answer(path, number):
        return CallAnswer(code if path == "/v1/traces" and number <= 2 else "OK", "not now")

    with GrpcBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=GRPC)
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11, within=20, what="11 server requests")
        eventually(backend.spans, within=20, what="the spans that were tried again")
        assert f"answered {code}: not now" in agent.log()
        assert_identities(agent, spans=True, within=20)
        assert agent.stop() == 0
        with_ids, found = integrity(backend)
        assert with_ids == found


@pytest.mark.parametrize("answer", [
    CallAnswer("RESOURCE_EXHAUSTED", "quota"), CallAnswer("INTERNAL"), CallAnswer("UNKNOWN"),
    CallAnswer("UNAUTHENTICATED"), CallAnswer("INVALID_ARGUMENT"), CallAnswer("UNIMPLEMENTED")])
def test_what_the_backend_refuses_is_dropped_and_leaves_no_ids(start_agent, nginx, answer):
    with GrpcBackend(lambda path, _: answer if path == "/v1/traces" else CallAnswer()) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=GRPC)
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11, what="11 server requests")
        agent.wait_for_windows(2)
        assert_identities(agent, spans=True)
        assert integrity(backend) == (0, 0) and not backend.spans()
        assert agent.stop() == 0


def test_a_quota_with_a_delay_is_waited_for(start_agent, nginx):
    def answer(path, number):
        busy = path == "/v1/traces" and number == 1
        return CallAnswer("RESOURCE_EXHAUSTED", "slow down", retry_delay_s=1.5) if busy else CallAnswer()

    with GrpcBackend(answer) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=GRPC)
        ask(nginx)
        eventually(backend.spans, within=20, what="the spans that were tried again")
        first, second = [at for path, at in backend.calls.arrivals if path == "/v1/traces"][:2]
        assert second - first >= 1.5
        assert agent.stop() == 0


def test_what_is_too_large_is_sent_in_pieces(start_agent, nginx):
    """The core refuses the message itself, before anybody sees the call: 60 spans in a window."""
    with GrpcBackend(options=[("grpc.max_receive_message_length", 20_000)]) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port],
                            window="2s",
                            config="otlp: {protocol: grpc, compression: none}\nexemplars: {floor: 1}\n")
        for _ in range(10):
            curl(*[f"{nginx.url}/ok?{'x' * 200}", f"{nginx.url}/broken", f"{nginx.url}/missing"] * 2)
        eventually(backend.spans, within=20, what="spans")
        eventually(lambda: backend.count(SERVER) == 60, within=20, what="60 server requests")
        eventually(lambda: agent.scrape().sum("exemplar_agent_export_attempts_total",
                                              reason="retry") > 0, what="a piece that was too large")
        assert agent.stop() == 0


def test_a_partial_success_is_counted_and_not_repeated(start_agent, nginx):
    with GrpcBackend(lambda path, number: CallAnswer(reject_spans=1)) as backend:
        agent = start_agent("--otlp-endpoint", backend.url, ports=[nginx.port], config=GRPC)
        ask(nginx)
        eventually(lambda: backend.count(SERVER) == 11, what="11 server requests")
        assert_identities(agent, spans=True)
        assert "rejected 1 items" in agent.log()
        with_ids, found = integrity(backend)
        assert with_ids == found
        assert agent.stop() == 0


def test_a_backend_that_comes_back_gets_all_counts(start_agent, nginx):
    first = GrpcBackend()
    agent = start_agent("--otlp-endpoint", first.url, ports=[nginx.port], config=GRPC)
    ask(nginx)
    eventually(lambda: first.count(SERVER) == 11, what="11 server requests")
    first.stop()
    ask(nginx)
    with GrpcBackend(port=first.port) as backend:
        eventually(lambda: backend.count(SERVER) == 22, within=20, what="all counts")
        assert agent.stop() == 0


def test_both_ends_show_certificates(start_agent, nginx):
    with tempfile.TemporaryDirectory() as name:  # that others may search
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        ends = []
        for end in ("backend", "agent"):
            (folder / end).mkdir()
            ends.append(Certificate(folder / end))
            ends[-1].key.chmod(0o644)
        server, client = ends
        credentials = grpc.ssl_server_credentials(
            [(server.key.read_bytes(), server.certificate.read_bytes())],
            root_certificates=client.certificate.read_bytes(), require_client_auth=True)
        with GrpcBackend(credentials=credentials) as backend:
            agent = start_agent(
                "--otlp-endpoint", backend.url, ports=[nginx.port],
                config=f"otlp: {{protocol: grpc, certificate: {server.certificate}, "
                       f"client_certificate: {client.certificate}, client_key: {client.key}}}\n")
            ask(nginx)
            eventually(lambda: backend.count(SERVER) == 11, within=20, what="11 server requests")
            assert agent.stop() == 0


def test_an_authority_that_is_replaced_is_read_anew(start_agent, nginx):
    with tempfile.TemporaryDirectory() as name:  # that others may search
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        ends = []
        for end in ("old", "new"):
            (folder / end).mkdir()
            ends.append(Certificate(folder / end))
        old, new = ends
        authority, fresh = folder / "authority.pem", folder / "fresh.pem"
        shutil.copy(old.certificate, authority)

        def backend(files, port=0):
            return GrpcBackend(port=port, credentials=grpc.ssl_server_credentials(
                [(files.key.read_bytes(), files.certificate.read_bytes())]))

        first = backend(old)
        agent = start_agent("--otlp-endpoint", first.url, ports=[nginx.port],
                            config=f"otlp: {{protocol: grpc, certificate: {authority}}}\n")
        ask(nginx)
        eventually(lambda: first.count(SERVER) == 11, within=20, what="11 server requests")
        first.stop()
        shutil.copy(new.certificate, fresh)
        fresh.rename(authority)
        ask(nginx)
        with backend(new, first.port) as second:
            eventually(lambda: second.count(SERVER) == 22, within=20, what="all counts")
            assert agent.stop() == 0
