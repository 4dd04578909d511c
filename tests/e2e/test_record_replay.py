"""A recording replays to the same result, bit by bit, without root."""
import fcntl
import os
import struct
import termios
import threading
import time

from support.agent import run_cli
from support.load import curl, wrk
from support.waiting import eventually


def test_a_recording_replays_to_the_same_bytes(start_agent, nginx, tmp_path):
    recording = tmp_path / "recording"
    agent = start_agent("--record", recording, ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 10, f"{nginx.url}/broken")
    wrk(f"{nginx.url}/ok", seconds=2)
    agent.wait_for_windows(2)
    assert agent.stop() == 0

    recording.chmod(0o644)
    replayed = run_cli("replay", recording, "--output", "json", within=60)

    assert replayed.returncode == 0, replayed.stderr
    live = agent.json_path.read_text()
    assert len(live.splitlines()) > 10
    assert replayed.stdout == live


def unread_bytes(pipe):
    return struct.unpack("i", fcntl.ioctl(pipe, termios.FIONREAD, bytes(4)))[0]


def test_windows_that_joined_behind_a_slow_reader_replay_alike(start_agent, nginx, tmp_path):
    recording, output = tmp_path / "recording", tmp_path / "output"
    os.mkfifo(output)
    reading = os.open(output, os.O_RDONLY | os.O_NONBLOCK)
    fcntl.fcntl(reading, fcntl.F_SETPIPE_SZ, 4096)
    agent = start_agent("--record", recording, window="100ms", ports=[nginx.port], json_path=output)
    # Nobody reads: once the pipe is full, a second and a half is fifteen windows.
    asked, unread, since = 0, 0, time.monotonic()
    while time.monotonic() - since < 1.5:
        curl(*[f"{nginx.url}/ok"] * 3, f"{nginx.url}/broken")
        asked += 4
        if unread_bytes(reading) != unread:
            unread, since = unread_bytes(reading), time.monotonic()

    os.set_blocking(reading, True)
    live = []
    reader = threading.Thread(target=lambda: live.append(os.fdopen(reading).read()))
    reader.start()
    try:
        page = eventually(lambda: agent.scrape() if agent.scrape().sum(
            "http_server_request_duration_seconds_count") == asked else None,
            what=f"{asked} requests")
        assert page.sum("exemplar_agent_windows_total", reason="late") > 0
    finally:
        code = agent.stop()
        reader.join()
    assert code == 0

    recording.chmod(0o644)
    replayed = run_cli("replay", recording, "--output", "json", within=60)
    assert replayed.stdout == live[0]


def test_a_recording_cut_short_is_read_to_its_end(start_agent, nginx, tmp_path):
    recording = tmp_path / "recording"
    agent = start_agent("--record", recording, ports=[nginx.port])
    curl(*[f"{nginx.url}/ok"] * 10)
    agent.wait_for_windows(2)
    assert agent.stop() == 0
    cut = tmp_path / "cut"
    cut.write_bytes(recording.read_bytes()[:-7])
    result = run_cli("replay", cut, "--output", "json")
    assert result.returncode in (0, 1)
    assert "cut" in result.stderr or "truncated" in result.stderr or "end" in result.stderr


def test_what_is_no_recording_is_refused(tmp_path):
    path = tmp_path / "no-recording"
    path.write_text("GET / HTTP/1.1\r\n")
    result = run_cli("replay", path)
    assert result.returncode == 1
    assert str(path) in result.stderr
    assert run_cli("replay", tmp_path / "absent").returncode == 1
