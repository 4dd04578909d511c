"""The agent on the kernels of Debian releases, not only on the one that runs here."""
import os
import re

import pytest

from kernels.guest import Kernel

pytestmark = [pytest.mark.timeout(2500),
              pytest.mark.skipif(os.uname().machine != "x86_64", reason="boots x86-64 kernels")]


@pytest.fixture(scope="module")
def debian13():
    """Linux 6.12, all that the agent can use."""
    return Kernel("trixie")


@pytest.fixture(scope="module")
def debian12():
    """Linux 6.1, without the socket tracepoints."""
    return Kernel("bookworm")


@pytest.fixture(scope="module")
def backports():
    """Linux 7, which preempts programs on probes and tracepoints."""
    return Kernel("trixie-backports")


def test_every_kernel_test_passes_on_debian_13(debian13):
    status, printed = debian13.run("build/dev/tests/bpf/bpf_capture --gtest_brief=1", within=2400)
    assert status == 0, printed
    assert re.search(r"\[  PASSED  \] [1-9]\d+ tests", printed), printed
    # Before Linux 6.13 there is nothing that one of them could look at, and Debian leaves the names out.
    assert set(re.findall(r": Skipped\n(.*)\n", printed)) <= {
        "this kernel has no stacks that threads share",
        "this kernel has no names for anonymous memory"}, printed


def test_real_programs_are_observed_on_debian_13(debian13):
    tests = " ".join(f"tests/e2e/test_{name}.py" for name in ("http1", "tls", "pid_namespaces"))
    status, printed = debian13.run(f"build/venv/bin/pytest -q -p no:cacheprovider {tests}",
                                   within=2400)
    assert status == 0, printed
    assert re.search(r"^[1-9]\d+ passed in", printed, re.MULTILINE), printed


def test_a_kernel_that_preempts_programs_is_not_harmed_and_counts_are_exact(backports):
    crowded = "build/venv/bin/pytest -q -p no:cacheprovider tests/e2e/test_crowded.py"
    status, printed = backports.run(
        "build/dev/tests/bpf/bpf_capture --gtest_brief=1 --gtest_filter='ProbeGuard.*:Look.*:Facts.*' && "
        f"{crowded} && {crowded}; "
        "status=$?; dmesg | grep -E -B 25 'BUG:|Oops:|RIP:|WARNING:'; exit $status", within=900)
    assert status == 0, printed
    assert "SKIPPED" not in printed and len(re.findall(r"^2 passed in", printed, re.MULTILINE)) == 2
    assert not re.search(r"BUG:|Oops:|RIP:|WARNING:", printed), printed


CONFINED = ("tests/e2e/test_lifecycle.py -k 'privilege or check' "
            "tests/e2e/test_export.py::test_spans_and_metrics_reach_the_backend")


def confinement_on(kernel, boot=""):
    """What the unit tests print, then what `check` does, then the tests of a confined agent."""
    status, printed = kernel.run(
        "build/dev/tests/unit/unit_privilege --gtest_brief=1 && build/dev/exemplar-agent check && "
        f"build/venv/bin/pytest -q -p no:cacheprovider {CONFINED}", within=600, boot=boot)
    assert status == 0, printed
    return printed


def test_the_pipeline_is_confined_by_debian_13s_landlock(debian13):
    printed = confinement_on(debian13)
    assert "Landlock (version 6) limits it to the files and TCP ports" in printed
    assert "SKIPPED" not in printed


def test_without_landlock_the_agent_runs_and_says_so(debian13):
    printed = confinement_on(debian13, boot="lsm=capability")
    assert "Landlock is not among this kernel's security modules" in printed
    assert "SKIPPED" in printed, "the tests of its rules"


def test_an_older_landlock_limits_files_but_not_ports(debian12):
    status, printed = debian12.run("build/dev/tests/unit/unit_privilege --gtest_brief=1",
                                   within=120)
    assert status == 0, printed
    assert printed.count("SKIPPED") == 1 and "no rules for ports" in printed, printed


def test_debian_12s_kernel_is_refused_with_what_is_missing(debian12):
    agent = "build/dev/exemplar-agent"
    status, printed = debian12.run(f"{agent} check", within=120)
    assert status == 1
    assert re.search(r"NO\s+tracepoints sock_send_length and sock_recv_length", printed)
    assert "Linux 6.3 or newer is needed" in printed
    status, printed = debian12.run(f"{agent} run", within=120)
    assert status not in (0, 139), printed
    assert "tracepoints sock_send_length and sock_recv_length is missing" in printed
    assert "Linux 6.3 or newer is needed" in printed
