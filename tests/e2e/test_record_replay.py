"""A recording replays to the same result, bit by bit, without root."""
import threading

from support.agent import run_cli
from support.load import curl, wrk
from support.otlp_backend import Answer, OtlpBackend
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


def test_windows_that_joined_behind_a_slow_backend_replay_alike(start_agent, nginx, tmp_path):
    recording, replaying = tmp_path / "recording", threading.Event()

    def refuse_slowly(path, _):
        # Longer than an acknowledgement is waited for, which is longer than a window.
        if path == "/v1/traces":
            replaying.wait(0.4)
        return Answer(status=400 if path == "/v1/traces" else 200)

    with OtlpBackend(refuse_slowly) as backend:
        export = ["--otlp-endpoint", backend.url]
        agent = start_agent("--record", recording, *export, window="100ms", ports=[nginx.port])
        wrk(f"{nginx.url}/ok", seconds=3)
        eventually(lambda: agent.scrape().sum("exemplar_agent_windows_total", reason="late") > 0,
                   what="windows that joined")
        assert agent.stop() == 0
        live = agent.json_path.read_text()

        replaying.set()
        recording.chmod(0o644)
        replayed = run_cli("replay", recording, "--output", "json", *export, within=60)
    assert replayed.stdout == live


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
