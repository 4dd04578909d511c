"""What is pure neither opens, waits, logs nor looks at a clock."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import include_graph  # noqa: E402
import pure_rooms  # noqa: E402


def test_a_pure_room_includes_values_only():
    for header in ("sys/socket.h", "thread", "fstream", "mutex", "unistd.h", "iostream", "random",
                   "filesystem", "atomic", "pthread.h"):
        line = f"#include <{header}>\n"
        assert include_graph.violations_of("agent/metrics/x.cc", line) == [
            f"agent/metrics/x.cc:1: agent/metrics is pure, {header} is not"]
        assert include_graph.violations_of("agent/run/x.cc", line) == []
    assert include_graph.violations_of("agent/metrics/x.cc", "#include <algorithm>\n") == []


def test_a_pure_room_does_not_log_wait_or_own_descriptors():
    for header in ("agent/telemetry/logging.h", "exa/base/bounded_queue.h", "exa/base/unique_fd.h"):
        found = include_graph.violations_of("agent/metrics/x.cc", f'#include "{header}"\n')
        assert found == [f"agent/metrics/x.cc:1: agent/metrics is pure, {header} is not"]
    counters = '#include "agent/telemetry/counters.h"\n'
    assert include_graph.violations_of("agent/metrics/x.cc", counters) == []


def test_a_pure_room_is_told_the_time():
    for line in ("const auto at = std::chrono::steady_clock::now();\n", "from(monotonic_now());\n",
                 'const char* home = getenv("HOME");\n', 'std::fopen("/proc/stat", "r");\n'):
        assert len(include_graph.violations_of("agent/protocol/http1/x.cc", line)) == 1, line
        assert include_graph.violations_of("agent/run/pipeline/x.cc", line) == []
    for line in ("// is called with now() by the loop\n", 'describe("now()");\n', "now_what();\n"):
        assert include_graph.violations_of("agent/protocol/http1/x.cc", line) == []


def test_exceptions_are_files_that_exist_and_name_what_they_may():
    for path, names in pure_rooms.EXCEPT.items():
        text = (ROOT / path).read_text()
        assert all(name in text for name in names or ())
    clock = "std::chrono::steady_clock::now();\n"
    assert include_graph.violations_of("agent/request_pipeline/window_publisher.cc", clock) == []
    assert include_graph.violations_of("agent/request_pipeline/told_request.cc", clock) != []
    assert include_graph.violations_of("agent/capture/event_log.cc", "#include <unistd.h>\n") == []


def test_the_pure_rooms_are_rooms():
    assert pure_rooms.PURE <= set(include_graph.ALLOWED)
