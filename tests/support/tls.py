"""TLS servers and clients of every library that the agent reads."""
import json
import os
import pathlib
import shutil
import subprocess
import tempfile

from support.process import Process
from support.servers import SERVICES
from support.tool_cache import TOOL_CACHE
from support.waiting import accepts, eventually, free_port

NGINX = """\
daemon off;
worker_processes {workers};
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  access_log {folder}/access.log combined buffer=256k flush=1s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  keepalive_requests 100000000;
  ssl_certificate {certificate};
  ssl_certificate_key {key};
  ssl_protocols {protocols};
  ssl_early_data on;
  ssl_session_cache shared:sessions:1m;
  server {{
    listen 127.0.0.1:{port} ssl{protocol};
    location /ok {{ return 200 "ok\\n"; }}
    location /fail {{ return 500 "failed\\n"; }}
    location /files/ {{ alias {folder}/files/; }}
  }}
}}
"""

APACHE = """\
ServerRoot {folder}
PidFile {folder}/apache.pid
ErrorLog {folder}/error.log
ServerName localhost
Listen 127.0.0.1:{port}
LoadModule mpm_event_module /usr/lib/apache2/modules/mod_mpm_event.so
LoadModule authz_core_module /usr/lib/apache2/modules/mod_authz_core.so
LoadModule alias_module /usr/lib/apache2/modules/mod_alias.so
DocumentRoot {folder}/files
User www-data
Group www-data
RedirectMatch 404 ^/absent
Alias /text /usr/share/common-licenses/BSD
"""

APACHE_TLS = """LoadModule socache_shmcb_module /usr/lib/apache2/modules/mod_socache_shmcb.so
LoadModule ssl_module /usr/lib/apache2/modules/mod_ssl.so
SSLEngine on
SSLCertificateFile {certificate}
SSLCertificateKeyFile {key}
"""

APACHE_HTTP2 = """LoadModule http2_module /usr/lib/apache2/modules/mod_http2.so
Protocols h2 h2c http/1.1
H2Upgrade on
"""

APACHE_TUNNEL = """LoadModule proxy_module /usr/lib/apache2/modules/mod_proxy.so
LoadModule proxy_connect_module /usr/lib/apache2/modules/mod_proxy_connect.so
ProxyRequests on
AllowCONNECT {port}
"""


DEBIAN_NODE = ("nodejs=18.*", "libnode108", "libc-ares2", "node-acorn", "node-busboy",
               "node-cjs-module-lexer", "node-undici")


class Certificate:
    """Self-signed, for localhost."""

    def __init__(self, folder):
        self.certificate, self.key = folder / "certificate.pem", folder / "key.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2",
                        "-keyout", self.key, "-out", self.certificate, "-subj", "/CN=localhost",
                        "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"],
                       check=True, capture_output=True)


class TlsServer(Process):
    def __init__(self, name, command, log, port, env=None):
        self.port = port
        self.url = f"https://127.0.0.1:{port}"
        super().__init__(command, log=log, env={**os.environ, **env} if env else None)
        eventually(lambda: accepts(port), what=name)


def nginx(folder, files, protocols="TLSv1.2 TLSv1.3", workers=1, http2=False):
    port, home = free_port(), folder / "nginx-tls"
    (home / "files").mkdir(parents=True, exist_ok=True)
    with (home / "files" / "big").open("wb") as file:
        file.write(b"x" * 1_000_000)
    config = home / "nginx.conf"
    config.write_text(NGINX.format(folder=home, port=port, certificate=files.certificate,
                                   key=files.key, protocols=protocols, workers=workers,
                                   protocol=" http2" if http2 else ""))
    return TlsServer("nginx", ["/usr/sbin/nginx", "-e", home / "error.log", "-c", config],
                     folder / "nginx-tls.log", port)


def apache(folder, files=None, http2=False, tunnel_to=None):
    """Plain without a certificate; HTTP/2 is then what a client may ask to go on in. With a port
    it is a proxy that lets clients connect to it."""
    port, home = free_port(), folder / "apache"
    (home / "files").mkdir(parents=True, exist_ok=True)
    for path in (folder, home, home / "files"):
        path.chmod(0o755)
    (home / "files" / "ok").write_text("ok\n")
    config = home / "apache.conf"
    text = APACHE.format(folder=home, port=port)
    if files:
        text += APACHE_TLS.format(certificate=files.certificate, key=files.key)
    if tunnel_to:
        text += APACHE_TUNNEL.format(port=tunnel_to)
    config.write_text(text + (APACHE_HTTP2 if http2 else ""))
    server = TlsServer("apache", ["/usr/sbin/apache2", "-DFOREGROUND", "-f", config],
                       folder / "apache.log", port)
    if not files:
        server.url = f"http://127.0.0.1:{port}"
    return server


def python_server(folder, files, *arguments, prefix=(), port=None, env=None):
    port = port or free_port()
    return TlsServer("python", [*prefix, "/usr/bin/python3", SERVICES / "tls_service.py", port,
                                files.certificate, files.key, *arguments],
                     folder / "tls_service.py.log", port, env)


def node_server(folder, files, node=("node",)):
    port = free_port()
    return TlsServer("node", [*node, SERVICES / "tls_service.js", port, files.certificate,
                              files.key], folder / "tls_service.js.log", port)


def s_server(folder, files):
    """openssl s_server: answers every request with a page about the connection."""
    port = free_port()
    return TlsServer("s_server", ["openssl", "s_server", "-quiet", "-www", "-accept", port,
                                  "-cert", files.certificate, "-key", files.key],
                     folder / "s_server.log", port)


def debian_node():
    """How to run Debian's own node, which needs no place among the installed packages: what it
    ships is unpacked into a cache, and laid over /usr/share for it alone. None if it cannot be."""
    root = TOOL_CACHE / "debian-node"
    if not (root / "usr/bin/node").exists():
        with tempfile.TemporaryDirectory() as folder:
            downloaded = subprocess.run(["apt-get", "download", "-qq", *DEBIAN_NODE], cwd=folder,
                                        capture_output=True, check=False)
            if downloaded.returncode != 0:
                return None
            for package in sorted(pathlib.Path(folder).glob("*.deb")):
                subprocess.run(["dpkg", "-x", package, pathlib.Path(folder) / "root"], check=True)
            TOOL_CACHE.mkdir(parents=True, exist_ok=True)
            shutil.copytree(pathlib.Path(folder) / "root", root, symlinks=True, dirs_exist_ok=True)
    libraries = root / "usr/lib/x86_64-linux-gnu"
    command = ["unshare", "--mount", "sh", "-c",
               f"mount -t overlay overlay -o lowerdir={root}/usr/share:/usr/share /usr/share && "
               f'LD_LIBRARY_PATH={libraries} exec {root}/usr/bin/node "$@"', "sh"]
    runs = subprocess.run([*command, "--version"], capture_output=True, check=False)
    return command if runs.returncode == 0 else None


def build_go(folder, stripped, flags=()):
    program = folder / ("tls_go_stripped" if stripped else "tls_go")
    go = shutil.which("go") or "/usr/local/go/bin/go"
    flags = [*(["-ldflags=-s -w"] if stripped else []), *flags]
    subprocess.run([go, "build", *flags, "-o", program, "."],
                   cwd=SERVICES / "tls_go", check=True, capture_output=True, timeout=300)
    return program


def go_server(folder, files, program, kind="server"):
    port = free_port()
    return TlsServer("go", [program, kind, port, files.certificate, files.key],
                     folder / "tls_go.log", port)


def slow_answers(folder, files, how, program=None):
    """Tells how long each of its answers took to leave: blocking, asyncio, node or go."""
    port = free_port()
    command = {"go": [program, "slow"], "node": ["node", SERVICES / "tls_slow_answers.js"]}.get(
        how, ["/usr/bin/python3", SERVICES / "tls_slow_answers.py"])
    arguments = [port, files.certificate, files.key] + ([how] if how in ("blocking", "asyncio") else [])
    return TlsServer(how, [*command, *arguments], folder / "slow_answers.log", port)


def ruby_server(folder, files):
    port = free_port()
    return TlsServer("ruby", ["ruby", SERVICES / "tls_service.rb", port, files.certificate,
                              files.key], folder / "tls_service.rb.log", port)


def handshake_server(folder, files, how):
    """Python, whose handshake happens explicitly, inside a read, or before a fork."""
    port = free_port()
    return TlsServer("python", ["/usr/bin/python3", SERVICES / "tls_handshakes.py", port,
                                files.certificate, files.key, how],
                     folder / "tls_handshakes.py.log", port)


def run(*command, within=60.0):
    result = subprocess.run([str(part) for part in command], capture_output=True, text=True,
                            timeout=within, stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def whole_status(agent):
    """What the agent tells of TLS; none before the host's libraries have their probes."""
    path = agent.lock_path.with_name(agent.lock_path.name + ".status")
    return json.loads(path.read_text()) if path.exists() else None


def status(agent):
    """What the agent tells of each process: {pid: [use, ...]}; none before it has looked at all."""
    told = whole_status(agent)
    if told is None or not told["looked_at_all"]:
        return None
    return {row["pid"]: row["tls"] for row in told["processes"]}


def wait_for_probes(agent, process=None):
    """Every running process was looked at, and this one's TLS is read."""
    def probed():
        known = status(agent)
        if known is None or process is None:
            return known is not None
        return any(use["probes"] for use in known.get(process.pid, []))
    eventually(probed, within=15, what="the TLS probes")
