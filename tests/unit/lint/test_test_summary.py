"""The closing line of scripts/test tells the truth about what the runners wrote."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts" / "lib"))
import test_summary  # noqa: E402

GTEST = """<testsuites><testsuite name="Suite">
<testcase name="Good" status="run" result="completed" classname="Suite"/>
<testcase name="Bad" status="run" result="completed" classname="Suite"><failure message="x"/></testcase>
<testcase name="Absent" status="run" result="skipped" classname="Suite"><skipped message="no io_uring"/></testcase>
<testcase name="Filtered" status="notrun" result="suppressed" classname="Suite"/>
</testsuite></testsuites>"""
PYTEST = """<testsuites><testsuite name="pytest">
<testcase classname="tests.e2e.test_x" name="test_one"/>
<testcase classname="tests.e2e.test_x" name="test_two"><error message="boom"/></testcase>
</testsuite></testsuites>"""


def results(tmp_path, steps, **files):
    (tmp_path / "steps").write_text(steps)
    for step, text in files.items():
        (tmp_path / step).mkdir()
        (tmp_path / step / "out.xml").write_text(text)
    return tmp_path


def test_cases_of_both_runners_add_up(tmp_path):
    folder = results(tmp_path, "unit\t8\t1\tctest\ne2e\t1\t1\tpytest\n", unit=GTEST, e2e=PYTEST)
    lines, failures = test_summary.summarize(folder)
    assert lines[-1] == "2 passed, 2 failed, 1 skipped"
    assert failures == 2
    assert "  unit: Suite.Absent: no io_uring" in lines


def test_a_step_that_fails_without_a_failed_case_is_a_failure(tmp_path):
    lines, failures = test_summary.summarize(results(tmp_path, "build\t1\t2\tscripts/build\n"))
    assert (lines[-1], failures) == ("0 passed, 1 failed, 0 skipped", 2)


def test_a_report_cut_short_is_a_failure(tmp_path):
    folder = results(tmp_path, "unit\t0\t1\tctest\n", unit=GTEST[:120])
    assert test_summary.summarize(folder)[0][-1] == "0 passed, 1 failed, 0 skipped"


def test_nothing_passed_is_not_success(tmp_path):
    assert test_summary.summarize(results(tmp_path, "bpf\tskip\t0\tneeds root\n"))[1] == 1
