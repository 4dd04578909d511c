"""Servers that nobody here wrote, each with a configuration of its own in a folder of its own."""
import pathlib
import signal

from support.process import Process
from support.waiting import accepts, eventually, free_port

SERVICES = pathlib.Path(__file__).parent / "services"

NGINX = """\
daemon off;
worker_processes {workers};
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 4096; }}
http {{
  log_format plain '$request_method $status $request_time $uri $connection_requests';
  access_log {folder}/access.log plain buffer=256k flush=1s;
  client_body_temp_path {folder}/body;
  proxy_temp_path {folder}/proxy;
  fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi;
  scgi_temp_path {folder}/scgi;
  sendfile on;
  keepalive_requests 100000000;
  client_max_body_size 64m;
  reset_timedout_connection on;
  upstream backend {{ server 127.0.0.1:{upstream}; keepalive 16; }}
  server {{
    listen {address}{protocol};
    location = /ok {{ return 200 "ok\\n"; }}
    location = /empty {{ return 204; }}
    location = /broken {{ return 503 "broken\\n"; }}
    location = /moved {{ return 302 /ok; }}
    location /files/ {{ alias {folder}/files/; }}
    location /default/ {{ proxy_pass http://127.0.0.1:{upstream}/; }}
    location /backend/ {{
      proxy_pass http://backend/;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
    }}
  }}
}}
"""


class Nginx(Process):
    """Debian's nginx: /ok, /empty (204), /broken (503), /files/ by sendfile, /backend/ proxied."""

    def __init__(self, folder, host="127.0.0.1", upstream=9, workers=1, prefix=(), protocol=""):
        folder.mkdir(exist_ok=True)
        (folder / "files").mkdir(exist_ok=True)
        self.folder, self.port = folder, free_port(host)
        bracketed = f"[{host}]" if ":" in host else host
        self.url = f"http://{bracketed}:{self.port}"
        config = folder / "nginx.conf"
        config.write_text(NGINX.format(folder=folder, address=f"{bracketed}:{self.port}",
                                       upstream=upstream, workers=workers,
                                       protocol=protocol and f" {protocol}"))
        super().__init__([*prefix, "/usr/sbin/nginx", "-e", folder / "error.log", "-c", config],
                         log=folder / "nginx.log")
        eventually(lambda: accepts(self.port, host), what="nginx")

    def add_file(self, name, size_bytes):
        path = self.folder / "files" / name
        with path.open("wb") as file:
            file.truncate(size_bytes)
        return path

    def access_log(self):
        """(method, status, seconds, path) of each request, whole only once nginx has ended."""
        rows = []
        for line in (self.folder / "access.log").read_text().splitlines():
            method, status, seconds, path, _ = line.split(" ")
            rows.append((method, int(status), float(seconds), path))
        return rows

    def finish(self):
        """Lets open requests end, flushes the access log, and returns it."""
        self.stop(signal.SIGQUIT)
        return self.access_log()


class PythonFileServer(Process):
    """`python3 -m http.server`: HTTP/1.0 answers, ends by close."""

    def __init__(self, folder):
        folder.mkdir(exist_ok=True)
        self.folder, self.port = folder, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        super().__init__(["/usr/bin/python3", "-u", "-m", "http.server", "--bind", "127.0.0.1",
                          "--directory", folder, self.port], log=folder.parent / "http.server.log")
        eventually(lambda: accepts(self.port), what="python's http.server")


class Service(Process):
    """One of tests/support/services: a small service on python's or node's own HTTP server."""

    def __init__(self, folder, name, env=None, port=None, arguments=()):
        self.port = port or free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        interpreter = "node" if name.endswith(".js") else "/usr/bin/python3"
        super().__init__([interpreter, SERVICES / name, self.port, *arguments],
                         log=folder / f"{name}.log", env=env)
        eventually(lambda: accepts(self.port), what=name)
