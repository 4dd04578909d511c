"""Servers and proxies of Debian, each with a configuration of its own: how each is started on which
port, beside the backend that it passes requests on to."""
import contextlib
import os
import pathlib
import shutil
import tempfile

import pytest

from foreign.program import SERVICES, Program
from support.process import Process
from support.waiting import eventually, free_port

HAPROXY = """\
global
  maxconn 200
  log stdout format raw local0 info
defaults
  mode http
  log global
  log-format "status %ST asked %[var(txn.asked)] %s"
  timeout connect 5s
  timeout client 30s
  timeout server 30s
  option {splicing}
frontend front
  bind 127.0.0.1:{port} {tls}
  http-request return status 403 if {{ path /own }}
  use_backend nobody if {{ path /down }}
  http-response set-var(txn.asked) status
  default_backend behind
backend behind
  server one 127.0.0.1:{upstream}
backend nobody
  server none 127.0.0.1:9
"""


def haproxy(folder, files, backend, over_tls=False, splicing=False):
    port = free_port()
    tls = ""
    if over_tls:
        both = folder / "both.pem"
        both.write_text(files.certificate.read_text() + files.key.read_text())
        tls = f"ssl crt {both}"
    config = folder / "haproxy.cfg"
    config.write_text(HAPROXY.format(
        folder=folder, port=port, upstream=backend.port, tls=tls,
        splicing="splice-response\n  option splice-request" if splicing else "dontlognull"))
    return Program(folder, "haproxy", port, ["/usr/sbin/haproxy", "-db", "-f", config],
                   asked=r"^status \d+ asked (\d+)")


LIGHTTPD = """\
server.modules = ("mod_access", "mod_alias", "mod_cgi", "mod_accesslog"{more})
server.document-root = "{folder}/files"
server.port = {port}
server.bind = "127.0.0.1"
server.errorlog = "{folder}/error.log"
accesslog.filename = "{folder}/access.log"
accesslog.format = "status %s"
alias.url = ("/fail" => "{services}/fail.sh", "/slow" => "{services}/slow.sh")
cgi.assign = (".sh" => "/bin/sh")
{tls}
"""


def lighttpd(folder, files, over_tls=False):
    port = free_port()
    (folder / "files").mkdir()
    (folder / "files/ok").write_text("ok\n")
    (folder / "files/large").write_bytes(b"x" * 300_000)
    config = folder / "lighttpd.conf"
    tls = f'ssl.engine = "enable"\nssl.pemfile = "{files.certificate}"\n' \
          f'ssl.privkey = "{files.key}"' if over_tls else ""
    config.write_text(LIGHTTPD.format(folder=folder, port=port, services=SERVICES, tls=tls,
                                      more=', "mod_openssl"' if over_tls else ""))
    return Program(folder, "lighttpd", port, ["/usr/sbin/lighttpd", "-D", "-f", config],
                   access_log=folder / "access.log")


NGINX = """\
daemon off;
worker_processes 2;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  log_format plain 'status $status asked $upstream_status';
  access_log {folder}/access.log plain;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  server {{
    listen 127.0.0.1:{port} {tls};
    {certificate}
    location / {{ {passes} }}
  }}
}}
"""


def nginx(folder, files, passes, over_tls=False, asks=True):
    port = free_port()
    config = folder / "nginx.conf"
    config.write_text(NGINX.format(
        folder=folder, port=port, passes=passes, tls="ssl" if over_tls else "",
        certificate=f"ssl_certificate {files.certificate}; ssl_certificate_key {files.key};"
        if over_tls else ""))
    return Program(folder, "nginx", port,
                   ["/usr/sbin/nginx", "-e", folder / "error.log", "-c", config],
                   access_log=folder / "access.log",
                   asked=r"^status \d+ asked (\d+)" if asks else None)


def nginx_to(folder, files, backend, over_tls=False):
    """As it passes requests on by default: HTTP/1.0, one connection a request."""
    return nginx(folder, files, f"proxy_pass http://127.0.0.1:{backend.port};", over_tls)


PHP_FPM = "/usr/sbin/php-fpm8.2"


class PhpFpm(Process):
    """Speaks FastCGI to nginx, which logs."""

    def __init__(self, folder):
        if shutil.which(PHP_FPM) is None:
            pytest.skip(f"{PHP_FPM} is not installed: scripts/setup --foreign")
        self.socket = folder / "fpm.sock"
        config = folder / "fpm.conf"
        config.write_text(f"[global]\ndaemonize = no\nerror_log = {folder}/fpm-error.log\n[www]\n"
                          f"user = root\ngroup = root\nlisten = {self.socket}\npm = static\n"
                          "pm.max_children = 4\n")
        super().__init__([PHP_FPM, "--allow-to-run-as-root", "--fpm-config", config],
                         log=folder / "fpm.log")
        eventually(self.socket.exists, what="php-fpm")


def nginx_to_php(folder, files, fpm):
    return nginx(folder, files, f"fastcgi_pass unix:{fpm.socket}; include /etc/nginx/fastcgi_params; "
                 f"fastcgi_param SCRIPT_FILENAME {SERVICES}/service.php;", asks=False)


VARNISH = """\
vcl 4.1;
backend one {{ .host = "127.0.0.1"; .port = "{upstream}"; }}
sub vcl_recv {{
  if (req.url == "/own") {{ return (synth(403)); }}
}}
sub vcl_backend_response {{
  if (bereq.url == "/ok") {{ set beresp.ttl = 60s; set beresp.http.Cache-Control = "max-age=60"; }}
}}
"""


class Varnish(Program):
    """varnishncsa, a program of its own, writes what the clients got and what the backend said."""

    def __init__(self, folder, backend):
        port, home = free_port(), folder / "varnish"
        config = folder / "varnish.vcl"
        config.write_text(VARNISH.format(upstream=backend.port))
        super().__init__(folder, "varnishd", port,
                         ["/usr/sbin/varnishd", "-F", "-n", home, "-a", f"127.0.0.1:{port}", "-f",
                          config, "-s", "malloc,16m", "-p", "thread_pool_min=20", "-j", "none"],
                         access_log=folder / "ncsa.out", status=r"^c (\d+)", asked=r"^b (\d+)")
        self._ncsa = Process(["/usr/bin/varnishncsa", "-n", home, "-c", "-b", "-F",
                              "%{Varnish:side}x %s", "-t", "20"],
                             log=folder / "ncsa.log", stdout=folder / "ncsa.out")

    def finish(self, made):
        eventually(lambda: sum(self.served().values()) >= made, what="varnish's log")
        super().finish(made)

    def stop(self, *arguments, **named):
        try:
            return super().stop(*arguments, **named)
        finally:
            if self._ncsa.running():
                self._ncsa.stop()


SQUID = """\
http_port 127.0.0.1:{port} {mode}
pid_filename {folder}/squid.pid
cache_log {folder}/cache.log
cache_mem 8 MB
cache deny all
memory_cache_shared off
logformat plain status %>Hs asked %<Hs
access_log stdio:{folder}/access.log plain
buffered_logs off
coredump_dir {folder}
visible_hostname test
shutdown_lifetime 0 seconds
cache_effective_user proxy
max_filedescriptors 1024
pinger_enable off
netdb_filename none
{more}
"""


@contextlib.contextmanager
def squid(folder, backend, accelerates):
    """It is never root: a folder that its user can reach."""
    with tempfile.TemporaryDirectory() as home:
        shutil.chown(home, "proxy")
        with start_squid(folder, pathlib.Path(home), backend, accelerates) as server:
            yield server


def start_squid(folder, home, backend, accelerates):
    port = free_port()
    more = "http_access allow all"
    if accelerates:
        more = f"cache_peer 127.0.0.1 parent {backend.port} 0 no-query no-digest originserver name=one\n" \
               "never_direct allow all\n" + more
    config = home / "squid.conf"
    config.write_text(SQUID.format(folder=home, port=port, more=more, mode="accel defaultsite=test" if accelerates else ""))
    return Program(folder, "squid", port, ["/usr/sbin/squid", "-N", "-n", f"test{port}", "-f", config],
                   access_log=home / "access.log", asked=r"^status \d+ asked ([1-9]\d+)")


CADDY = """\
{{
  admin off
  auto_https off
  storage file_system {folder}/caddy
}}
{scheme}://127.0.0.1:{port} {{
  {tls}
  log {{
    output file {folder}/access.log
    format json
  }}
  reverse_proxy 127.0.0.1:{upstream}
}}
"""


def caddy(folder, files, backend, over_tls=False):
    port = free_port()
    config = folder / "Caddyfile"
    config.write_text(CADDY.format(
        folder=folder, port=port, upstream=backend.port, scheme="https" if over_tls else "http",
        tls=f"tls {files.certificate} {files.key}" if over_tls else ""))
    return Program(folder, "caddy", port,
                   ["/usr/bin/caddy", "run", "--config", config, "--adapter", "caddyfile"],
                   access_log=folder / "access.log", status=r'"status":(\d+)',
                   asked=r'"status":(\d+)', env={**os.environ, "HOME": str(folder)})
