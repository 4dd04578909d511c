"""One application for the servers of python: `wsgi` for gunicorn and granian, `asgi` for uvicorn."""
import asyncio
import time

LARGE = b"x" * 300_000


def answer(path):
    return {"/ok": ("200 OK", b"ok\n"), "/slow": ("200 OK", b"slow\n"),
            "/large": ("200 OK", LARGE)}.get(path, ("404 Not Found", b"absent\n"))


def wsgi(environ, start_response):
    path = environ["PATH_INFO"]
    environ["wsgi.input"].read()
    if path == "/fail":
        raise RuntimeError("failed")
    if path == "/slow":
        time.sleep(0.2)
    status, body = answer(path)
    start_response(status, [("Content-Length", str(len(body)))])
    return [] if environ["REQUEST_METHOD"] == "HEAD" else [body]


async def asgi(scope, receive, send):
    assert scope["type"] == "http"
    path = scope["path"]
    while (await receive()).get("more_body"):
        pass
    if path == "/fail":
        raise RuntimeError("failed")
    if path == "/slow":
        await asyncio.sleep(0.2)
    status, body = answer(path)
    await send({"type": "http.response.start", "status": int(status[:3]),
                "headers": [(b"content-length", str(len(body)).encode())]})
    if scope["method"] == "HEAD":
        body = b""
    await send({"type": "http.response.body", "body": body})
