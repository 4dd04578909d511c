"""Recorded real traffic replays to the same bytes on every build, without root, and to the counts
that the recording's own clients and servers reported."""
import os
import subprocess

import pytest

from support import corpus
from support.agent import binary
from support.report import REQUEST_SIZE, RESPONSE_SIZE, SERVER, Report

recordings = pytest.mark.parametrize(
    "recording", [corpus.Recording(name) for name in corpus.NAMES], ids=corpus.NAMES)


@recordings
def test_replay_prints_the_golden_output_bit_by_bit(recording, tmp_path):
    result = recording.replay(tmp_path)
    assert result.returncode == 0, result.stderr
    ours, golden = result.stdout.splitlines(), recording.golden().splitlines()
    for number, (line, expected) in enumerate(zip(ours, golden), start=1):
        assert line == expected, f"line {number}"
    assert len(ours) == len(golden)
    assert result.stdout == recording.golden()


@recordings
def test_optional_metrics_stand_beside_the_others(recording, tmp_path):
    settings = tmp_path / "agent.yaml"
    settings.write_text("metrics:\n  body_size: true\n")
    result = recording.replay(tmp_path, "--config", settings)
    assert result.returncode == 0, result.stderr
    ours, golden = Report.parse(result.stdout), Report.parse(recording.golden())
    ours.check()

    def counts(line):
        return {name: value for name, value in line.items() if name != "exemplars"}

    sizes = (REQUEST_SIZE, RESPONSE_SIZE)
    assert [counts(line) for line in ours.histogram_lines if line["metric"] not in sizes] == \
        [counts(line) for line in golden.histogram_lines]
    served = golden.count(SERVER)
    for metric in sizes:
        lines = ours.series(metric)
        assert 0 < sum(line["count"] for line in lines) <= served, metric
        assert all(line["bounds"][:3] == [0, 64, 256] for line in lines)
    assert ours.count(REQUEST_SIZE) == served, "each request's body was counted"


@recordings
def test_replay_counts_what_the_clients_did(recording, tmp_path):
    report = Report.parse(recording.replay(tmp_path).stdout)
    report.check()
    for row in recording.expected():
        seen = report.count(row["metric"], row["program"], **row["attributes"])
        assert seen == row["count"], row


@recordings
def test_replay_needs_no_privilege(recording, tmp_path):
    if os.geteuid() != 0:
        pytest.skip("already without privilege")
    log = recording.unpack(tmp_path)
    # nobody may neither search the folder of the test nor that of the build.
    with log.open("rb") as file, binary().open("rb") as program:
        result = subprocess.run(
            [f"/proc/self/fd/{program.fileno()}", "replay", f"/proc/self/fd/{file.fileno()}",
             "--output", "json"], capture_output=True, text=True, user=65534, group=65534,
            extra_groups=[], pass_fds=[file.fileno(), program.fileno()], timeout=60,
            stdin=subprocess.DEVNULL)
    assert result.returncode == 0, result.stderr
    assert result.stdout == recording.golden()
