"""Proxies that pass calls of gRPC on, HTTP/2 without TLS on both sides."""
from foreign.program import Program
from support.waiting import free_port

HAPROXY = """\
defaults
  mode http
  timeout connect 5s
  timeout client 30s
  timeout server 30s
frontend front
  bind 127.0.0.1:{port} proto h2
  default_backend back
backend back
  server one 127.0.0.1:{upstream} proto h2
"""

NGINX = """\
daemon off;
worker_processes 1;
user root;
pid {folder}/nginx.pid;
error_log {folder}/error.log warn;
events {{ worker_connections 1024; }}
http {{
  access_log off;
  client_body_temp_path {folder}/body;
  upstream backend {{ server 127.0.0.1:{upstream}; keepalive 4; }}
  server {{
    listen 127.0.0.1:{port} http2;
    location / {{ grpc_pass grpc://backend; }}
  }}
}}
"""


def start(name, folder, upstream):
    port, config = free_port(), folder / f"{name}.conf"
    text = {"haproxy": HAPROXY, "nginx": NGINX}[name]
    config.write_text(text.format(folder=folder, port=port, upstream=upstream))
    command = {"haproxy": ["/usr/sbin/haproxy", "-db", "-f", config],
               "nginx": ["/usr/sbin/nginx", "-e", folder / "error.log", "-c", config]}[name]
    return Program(folder, name, port, command)
