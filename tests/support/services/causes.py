"""Answers that are slow for a reason that the request names: a thread for each connection.

    causes.py PORT [UPSTREAM_URL]

/cpu?ms=N runs; /sleep?ms=N; /naps?ms=N sleeps so long in naps of 2 ms; /lock?ms=N waits for another thread's lock; /pipe?ms=N for another
process, /child?ms=N for its end; /call?ms=N asks the upstream's /sleep; /memory?mib=N touches
memory; /large?mib=N answers with so much; /disk?ms=N writes through to the disk all the time;
/stream?ms=N answers in two parts with a wait between them; /handed?ms=N lets another thread answer;
/missing is not found. Each says how long its thread was on a CPU, in milliseconds.
"""
import http.client
import mmap
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


def run(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until:
        pass


def wait_for_lock(seconds):
    lock = threading.Lock()
    lock.acquire()
    threading.Timer(seconds, lock.release).start()
    with lock:
        pass


def wait_for_pipe(seconds):
    with subprocess.Popen(["sleep", str(seconds)], stdout=subprocess.PIPE) as other:
        other.stdout.read()


def call(seconds):
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(sys.argv[2]).netloc)
    connection.request("GET", f"/sleep?ms={seconds * 1000}")
    connection.getresponse().read()
    connection.close()


def touch_memory(mib):
    with mmap.mmap(-1, mib << 20) as memory:
        memory.madvise(mmap.MADV_NOHUGEPAGE)
        for page in range(0, mib << 20, mmap.PAGESIZE):
            memory[page] = 1


def write_through(seconds):
    block = os.urandom(1 << 16)
    until = time.monotonic() + seconds
    with tempfile.TemporaryFile(dir=os.getcwd()) as file:
        while time.monotonic() < until:
            os.pwrite(file.fileno(), block, 0)
            os.fsync(file.fileno())


class Causes(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def do_GET(self):
        began = time.thread_time()
        target = urllib.parse.urlsplit(self.path)
        query = urllib.parse.parse_qs(target.query)
        seconds = float(query.get("ms", ["0"])[0]) / 1000
        mib = int(query.get("mib", ["0"])[0])
        match target.path:
            case "/cpu":
                run(seconds)
            case "/sleep" | "/sleep/more" | "/sleep/most" | "/handed":
                time.sleep(seconds)
            case "/naps":
                for _ in range(round(seconds / 0.002)):
                    time.sleep(0.002)
            case "/lock":
                wait_for_lock(seconds)
            case "/pipe":
                wait_for_pipe(seconds)
            case "/call":
                call(seconds)
            case "/memory":
                touch_memory(mib)
            case "/child":
                subprocess.run(["sleep", str(seconds)], check=True)
            case "/disk":
                write_through(seconds)
        on_cpu = 1000 * (time.thread_time() - began)
        if target.path == "/handed":
            other = threading.Thread(target=self.answer, args=(on_cpu, 0))
            other.start()
            other.join()
        else:
            self.answer(on_cpu, seconds if target.path == "/stream" else 0,
                        mib if target.path == "/large" else 0)

    def answer(self, on_cpu, pause, mib=0):
        body = b"x" * (200_000 if pause else mib << 20) or b"ok\n"
        self.send_response(404 if self.path == "/missing" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-On-Cpu", f"{on_cpu:.3f}")
        self.end_headers()
        self.wfile.write(body[:len(body) // 2])
        time.sleep(pause)
        self.wfile.write(body[len(body) // 2:])

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Causes).serve_forever()
