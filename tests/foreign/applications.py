"""Application servers, each with a small application of tests/foreign/services."""
import functools
import os
import pathlib
import shutil
import subprocess
import sys

import pytest

from foreign.program import SERVICES, Program
from support.agent import ROOT
from support.waiting import free_port

BUILT = ROOT / "build/foreign"  # what scripts/setup --foreign brings, and what is compiled here


def python_files(folder):
    """`python3 -m http.server`, HTTP/1.0: 404 and 200; 501 for methods that it does not know."""
    port = free_port()
    (folder / "files").mkdir()
    for path, size in (("ok", 5), ("slow", 5), ("large", 300_000)):
        (folder / "files" / path).write_bytes(b"x" * size)
    return Program(folder, "http.server", port,
                   ["/usr/bin/python3", "-u", "-m", "http.server", "--bind", "127.0.0.1",
                    "--directory", folder / "files", port], status=r'" (\d{3}) ')


def backend(folder):
    port = free_port()
    return Program(folder, "backend", port, ["/usr/bin/python3", SERVICES / "backend.py", port])


def gunicorn(folder, files, kind, over_tls=False):
    port = free_port()
    tls = ["--certfile", files.certificate, "--keyfile", files.key] if over_tls else []
    return Program(folder, "gunicorn", port,
                   ["/usr/bin/gunicorn", "--bind", f"127.0.0.1:{port}", "--workers", "2",
                    "--worker-class", kind, *(["--threads", "4"] if kind == "gthread" else []), *tls,
                    "--access-logfile", folder / "access.log", "--access-logformat", "status %(s)s",
                    "--worker-tmp-dir", folder, "--graceful-timeout", "5", "application:wsgi"],
                   access_log=folder / "access.log", cwd=SERVICES,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def uvicorn(folder, files, over_tls=False):
    port = free_port()
    tls = ["--ssl-certfile", files.certificate, "--ssl-keyfile", files.key] if over_tls else []
    return Program(folder, "uvicorn", port,
                   ["/usr/bin/uvicorn", "--host", "127.0.0.1", "--port", port, "--no-use-colors",
                    *tls, "application:asgi"], status=r'HTTP/1\.\d" (\d+)', cwd=SERVICES,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def granian(folder, files, over_tls=False):
    """hyper in a shared object, rustls for TLS."""
    port = free_port()
    tls = ["--ssl-certificate", files.certificate, "--ssl-keyfile", files.key] if over_tls else []
    return Program(folder, "granian", port,
                   [pathlib.Path(sys.executable).parent / "granian", "--interface", "wsgi", "--host",
                    "127.0.0.1", "--port", port, "--http", "1", "--workers", "1", "--access-log",
                    "--access-log-fmt", "status %(status)d", *tls, "application:wsgi"],
                   status=r"status (\d+)$", cwd=SERVICES,
                   env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"})


def webrick(folder, files, over_tls=False):
    port = free_port()
    tls = [files.certificate, files.key] if over_tls else []
    return Program(folder, "webrick", port, ["ruby", SERVICES / "webrick.rb", port, *tls])


def puma(folder, files, over_tls=False):
    port, log = free_port(), folder / "access.log"
    address = f"ssl://127.0.0.1:{port}?key={files.key}&cert={files.certificate}" if over_tls \
        else f"tcp://127.0.0.1:{port}"
    return Program(folder, "puma", port,
                   ["/usr/bin/puma", "--bind", address, "--threads", "4:4", "--environment",
                    "production", SERVICES / "puma.ru"], access_log=log,
                   env={**os.environ, "STATUS_LOG": str(log)})


def http_daemon(folder):
    port = free_port()
    return Program(folder, "HTTP::Daemon", port, ["perl", SERVICES / "daemon.pl", port])


def starman(folder):
    port, log = free_port(), folder / "access.log"
    return Program(folder, "starman", port,
                   ["/usr/bin/starman", "--listen", f"127.0.0.1:{port}", "--workers", "4",
                    "--env", "deployment", "--access-log", log, SERVICES / "starman.psgi"],
                   access_log=log, status=r'HTTP/1\.\d" (\d+)')


def php(folder):
    """One script behind several folders: with a router there would be no log."""
    port = free_port()
    for path in ("ok", "slow", "large", "fail"):
        (folder / "served" / path).mkdir(parents=True)
        (folder / "served" / path / "index.php").symlink_to(SERVICES / "service.php")
    return Program(folder, "php", port,
                   ["/usr/bin/php", "-S", f"127.0.0.1:{port}", "-t", folder / "served"],
                   status=r"\[(\d{3})\]: ")


def node(folder, files, kind="node", over_tls=False):
    port = free_port()
    if kind == "express":
        kind = BUILT / "npm/node_modules/express"
        if not kind.exists():
            pytest.skip("express is not there: scripts/setup --foreign")
    tls = [files.certificate, files.key] if over_tls else []
    return Program(folder, "node", port, ["node", SERVICES / "service.js", port, kind, *tls])


@functools.cache
def java_classes(folder):
    """Compiled once; with Tomcat's where its library is."""
    if shutil.which("javac") is None:
        pytest.skip("no javac: scripts/setup --foreign")
    path = "/usr/share/java/tomcat10-embed-core.jar:/usr/share/java/jakarta-annotation-api.jar"
    has_tomcat = all(pathlib.Path(jar).exists() for jar in path.split(":"))
    sources = ["Service.java", "Client.java"] + (["TomcatService.java"] if has_tomcat else [])
    subprocess.run(["javac", "-nowarn", "-cp", path, "-d", folder,
                    *[SERVICES / source for source in sources]], check=True, capture_output=True,
                   timeout=120)
    return f"{folder}:{path}"


def java(folder, files, classes, over_tls=False):
    port = free_port()
    arguments = []
    if over_tls:
        store = folder / "store.p12"
        subprocess.run(["openssl", "pkcs12", "-export", "-in", files.certificate, "-inkey", files.key,
                        "-out", store, "-passout", "pass:secret"], check=True)
        arguments = [store]
    return Program(folder, "java", port,
                   ["java", "-Xmx64m", "-cp", java_classes(classes), "Service", port, *arguments])


def tomcat(folder, classes):
    port, path = free_port(), java_classes(classes)
    if not (classes / "TomcatService.class").exists():
        pytest.skip("no Tomcat: scripts/setup --foreign")
    return Program(folder, "tomcat", port,
                   ["java", "-Xmx128m", "-cp", path, "TomcatService", port, folder],
                   access_log=folder / "access.log")


def built_by_go(name, *arguments, cwd=None):
    """The program of that name, built of modules that the proxy has; `go install` puts it there, too."""
    go = shutil.which("go") or "/usr/local/go/bin/go"
    BUILT.mkdir(parents=True, exist_ok=True)
    try:
        built = subprocess.run([go, *arguments], cwd=cwd, capture_output=True, text=True, timeout=300,
                               env={**os.environ, "GOBIN": str(BUILT), "GO111MODULE": "on"})
    except OSError as error:
        pytest.skip(f"no go: {error}")
    if built.returncode != 0:
        pytest.skip(f"{name} cannot be built: {built.stderr[-300:]}")
    return BUILT / name


def hyper(folder):
    """Built once, of Debian's sources of its crates."""
    sources = pathlib.Path("/usr/share/cargo/registry")
    cargo = shutil.which("cargo")
    if cargo is None or not list(sources.glob("hyper-*")):
        pytest.skip("no cargo, or no hyper: scripts/setup --foreign")
    project = BUILT / "hyper"
    shutil.copytree(SERVICES / "hyper", project, dirs_exist_ok=True)
    built = subprocess.run(
        [cargo, "build", "--quiet", "--release", "--offline", "--config",
         'source.crates-io.replace-with="debian"', "--config",
         f'source.debian.directory="{sources}"'],
        cwd=project, capture_output=True, text=True, timeout=170)
    if built.returncode != 0:
        pytest.skip(f"cargo cannot build hyper: {built.stderr[-300:]}")
    port = free_port()
    return Program(folder, "hyper", port, [project / "target/release/hyper-service", port])
