"""HTTP/2 of servers and clients that nobody here wrote: each stream counts once at each end, as
often as the client itself says that it was answered."""
import collections
import contextlib
import re
import shutil
import subprocess

import pytest

from foreign import table
from foreign.applications import backend, built_by_go
from foreign.program import Program
from support import tls
from support.load import curl
from support.report import CLIENT, SERVER
from support.servers import SERVICES
from support.waiting import connections, eventually, free_port

HTTP2 = {"network.protocol.version": "2"}
URLS = 40


def nghttpd(folder, files):
    port, root = free_port(), folder / "files"
    root.mkdir()
    (root / "ok").write_text("ok\n")
    (root / "large").write_bytes(b"x" * 300_000)
    command = ["/usr/sbin/nghttpd", "-d", root, port]
    command += [files.key, files.certificate] if files else ["--no-tls"]
    return Program(folder, "nghttpd", port, command)


def node(folder, files):
    port = free_port()
    return Program(folder, "node", port, ["node", SERVICES / "http2_service.js", port,
                                          *([files.key, files.certificate] if files else [])])


CADDY = """\
{{
  admin off
  auto_https off
  servers {{
    protocols h1 h2 {h2c}
  }}
}}
{site}:{port} {{
  {tls}
  respond /ok "ok"
  respond /large 404
}}
"""


def caddy(folder, files):
    port, config = free_port(), folder / "Caddyfile"
    config.write_text(CADDY.format(
        port=port, h2c="" if files else "h2c", site="https://localhost" if files else "http://",
        tls=f"tls {files.certificate} {files.key}" if files else ""))
    return Program(folder, "caddy", port,
                   ["/usr/bin/caddy", "run", "--adapter", "caddyfile", "--config", config])


SERVERS = {"nghttpd": nghttpd, "node": node, "caddy": caddy}


def h2load(url):
    """Twenty streams at a time on each of four connections."""
    printed = subprocess.run(["h2load", "-n", "2000", "-c", "4", "-m", "20", url], check=True,
                             capture_output=True, text=True, timeout=60).stdout
    codes = re.search(r"status codes: (\d+) 2xx, (\d+) 3xx, (\d+) 4xx, (\d+) 5xx", printed)
    return collections.Counter({f"{i + 2}xx": int(codes[i + 1]) for i in range(4)}) + collections.Counter()


def one_by_one(url):
    if url.startswith("https"):
        done = curl("--insecure", "--http2", *[url] * URLS).transfers
    else:  # of several on one connection this curl loses all but the first
        done = [curl("--http2-prior-knowledge", url).transfers[0] for _ in range(URLS)]
    assert all(transfer["http_version"] == "2" for transfer in done)
    return collections.Counter(f"{transfer['response_code'] // 100}xx" for transfer in done)


def nghttp(url, *more, streams=URLS):
    """All at once on one connection; says what came of each."""
    printed = subprocess.run(["nghttp", "--no-verify-peer", *more, "-n", "-v", "-m", str(streams), url],
                             capture_output=True, text=True, timeout=60, check=True).stdout
    plain = re.sub(r"\x1b\[[0-9;]*m", "", printed)
    return collections.Counter(f"{status[0]}xx" for status in re.findall(r"\) :status: (\d+)", plain))


CLIENTS = {"h2load": h2load, "curl": one_by_one, "nghttp": nghttp}


def classes(report, metric, program):
    """Streams seen by the class of their status; of a cut one its error is told, too."""
    seen = collections.Counter()
    for line in report.series(metric, program, **HTTP2):
        attributes = line["attributes"]
        status, error = attributes.get("http.response.status_code", table.NONE), attributes.get("error.type")
        cut = error is not None and error != str(status)
        seen[f"{str(status)[0]}xx{' ' + error if cut else ''}"] += line["count"]
    return seen


@pytest.mark.parametrize("how", ["plain", "TLS"])
@pytest.mark.parametrize("server", SERVERS)
@pytest.mark.parametrize("client", CLIENTS)
def test_streams(start_agent, tmp_path, certificate, server, client, how):
    with SERVERS[server](tmp_path, certificate if how == "TLS" else None) as program:
        agent = start_agent(ports=[program.port])
        if how == "TLS":
            tls.wait_for_probes(agent, program)
        scheme, host = ("https", "localhost") if how == "TLS" else ("http", "127.0.0.1")
        said = CLIENTS[client](f"{scheme}://{host}:{program.port}/ok")
        said += CLIENTS[client](f"{scheme}://{host}:{program.port}/large")

        def all_seen():
            report = agent.report()
            return all(classes(report, metric, name).total() >= said.total()
                       for metric, name in ((SERVER, server), (CLIENT, client)))
        with contextlib.suppress(AssertionError):
            eventually(all_seen, within=8)
        report = agent.wait_for_windows(1)
        wrong = [f"{what}: {differs}"
                 for what, metric, name in (("server", SERVER, server), ("client", CLIENT, client))
                 if (differs := table.note(f"HTTP/2 {how} {client} to {server}, {what}", said,
                                           classes(report, metric, name)))]
        assert not wrong, "\n".join(wrong)


def nghttpx(folder, upstream):
    port = free_port()
    return Program(folder, "nghttpx", port,
                   ["/usr/sbin/nghttpx", "--conf=/dev/null", "--single-process", "--workers=1",
                    f"--frontend=127.0.0.1,{port};no-tls", f"--backend=127.0.0.1,{upstream}"])


def test_upgrades_to_h2c(start_agent, tmp_path):
    """Each request counts once at both ends of the connection that goes on in HTTP/2, also the one
    that asked for it, and its 101 is none."""
    with backend(tmp_path) as upstream, nghttpx(tmp_path, upstream.port) as server:
        agent = start_agent(ports=[server.port])
        by_curl, by_nghttp = collections.Counter(), collections.Counter()
        for path in ("ok", "absent", "large", "fail") * 4:
            url = f"http://127.0.0.1:{server.port}/{path}"
            by_nghttp += nghttp(url, "--upgrade", streams=20)
            if path != "large":  # no place in this curl's buffer if it comes with the 101
                transfer = curl("--http2", url).transfers[0]
                assert transfer["http_version"] == "2"
                by_curl[f"{transfer['response_code'] // 100}xx"] += 1
        assert by_nghttp == {"2xx": 160, "4xx": 80, "5xx": 80}
        ends = ((CLIENT, "curl", by_curl), (CLIENT, "nghttp", by_nghttp),
                (SERVER, "nghttpx", by_curl + by_nghttp))
        for metric, program, said in ends:
            agent.wait_for_count(metric, said.total(), program)
        report = agent.wait_for_windows(1)
        wrong = [f"{program}: {differs}" for metric, program, said in ends
                 if (differs := table.note(f"HTTP/2 after an upgrade, {program}", said,
                                           classes(report, metric, program)))]
        assert not wrong, "\n".join(wrong)
        for metric, program, said in ends:
            assert report.count(metric, program) == said.total()  # none in another version


@pytest.fixture(scope="session", name="h2spec")
def built_of_go():
    """Built once, of the module that the proxy has."""
    return built_by_go("h2spec", "install",
                       "github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible")


@pytest.mark.parametrize("server", ["nghttpd", "node"])
def test_what_no_peer_may_send(start_agent, tmp_path, h2spec, server):
    """A hundred and more connections that break every rule: nothing breaks here, nothing is lost
    unsaid, and who keeps the rules is counted as before."""
    with SERVERS[server](tmp_path, None) as program:
        agent = start_agent(ports=[program.port])
        told = subprocess.run([h2spec, "--host", "127.0.0.1", "--port", str(program.port), "--path",
                               "/ok", "--timeout", "1"], capture_output=True, text=True, timeout=400)
        assert re.search(r"1\d\d tests, \d+ passed", told.stdout), told.stdout[-500:]
        before = agent.wait_for_windows(2).count(SERVER, server)
        assert before > 20
        said = one_by_one(f"http://127.0.0.1:{program.port}/ok")
        agent.wait_for_count(SERVER, before + said.total(), server)
        agent.wait_for_count(CLIENT, said.total(), "curl")
        assert agent.scrape().sum("exemplar_agent_kernel_dropped_total") == 0


@pytest.mark.parametrize("how", ["plain", "TLS"])
def test_go_joined_late(start_agent, tmp_path, certificate, how):
    """Go's servers read each header of a frame by itself, over TLS too. What both ends saw since
    they were joined is the same but for what was under way then."""
    with caddy(tmp_path, certificate if how == "TLS" else None) as server:
        url = f"https://localhost:{server.port}/" if how == "TLS" else f"http://127.0.0.1:{server.port}/"
        client = ["hey", "-h2", "-host", "localhost", "-c", "6", "-q", "40", "-z", "8s"] if how == "TLS" \
            else ["h2load", "-c", "6", "-m", "4", "-D", "8", "--rps", "40"]
        if shutil.which(client[0]) is None:
            pytest.skip(f"no {client[0]}: scripts/setup --foreign")
        with subprocess.Popen([*client, f"{url}ok"], stdout=subprocess.DEVNULL) as running:
            # hey's workers share what connection there is by the time they ask.
            eventually(lambda: connections(server.port) >= (1 if how == "TLS" else 6),
                       what="the client's connections")
            agent = start_agent(ports=[server.port])
            assert running.wait(timeout=60) == 0
        agent.wait_for_windows(2)
        report = agent.report()
        served, asked = (report.count(metric, program, **HTTP2, **{"http.response.status_code": 200})
                         for metric, program in ((SERVER, "caddy"), (CLIENT, client[0])))
        assert served > 100 and abs(served - asked) <= 6 * 4
        paths = {span["attributes"].get("url.path") for span in report.spans}
        assert paths <= {"/ok", None}
