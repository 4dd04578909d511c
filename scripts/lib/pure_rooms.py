"""Rooms that are pure: values in, values out. No libbpf, no sockets, no files, no threads, no log and
no clock, so that fuzzers, replays and benchmarks run what production runs. A part of
include_graph.py.
"""
import re

PURE = {
    "exa/model", "agent/model", "agent/why", "agent/capture", "agent/trace", "agent/trace/context",
    "agent/trace/ids", "agent/semantics", "agent/routes", "agent/protocol", "agent/protocol/*",
    "agent/exchange", "agent/connection", "agent/conversation", "agent/conversation/*",
    "agent/metrics", "agent/exemplars", "agent/exemplars/policies", "agent/request_pipeline",
    "agent/explain", "exporters/encoding",
}
# The only parts of those that are not, and what they may: whole files (None) or single names.
EXCEPT = {
    "agent/capture/event_log.h": None,   # the record file
    "agent/capture/event_log.cc": None,
    "agent/capture/event_decoder.cc": {"sys/socket.h"},  # names of families of addresses
    "agent/model/address.cc": {"arpa/inet.h"},           # addresses as text
    # Until when it waits for acknowledgements.
    "agent/request_pipeline/window_publisher.cc": {"now"},
}
# Standard headers that hold values, and functions over them.
VALUE_HEADERS = set("""
    algorithm array bit bitset cassert cctype cerrno charconv chrono climits cmath compare concepts
    cstddef cstdint cstdio cstring deque expected functional initializer_list iterator limits list
    map memory numbers numeric optional ranges set span stdexcept string string_view tuple
    type_traits unordered_map unordered_set utility variant vector
    emmintrin.h immintrin.h arm_neon.h nlohmann/json.hpp zlib.h
    """.split())
# Of ours: who opens, waits, logs or starts something.
IMPURE_HEADERS = {
    "exa/base/bounded_queue.h", "exa/base/signals_blocked.h", "exa/base/unique_fd.h",
    "exa/export/log_sink.h", "agent/telemetry/logging.h",
}
OURS = ("exa/", "agent/", "exporters/")
# <chrono> and <cstdio> are for durations and texts.
ACTS = re.compile(r"\b(now|monotonic_now|measure_wall_clock_offset|clock_gettime|gettimeofday|"
                  r"getenv|fopen|fread|fwrite|printf|fprintf|puts|tmpfile)\s*\(")
COMMENT = re.compile(r"//.*|/\*.*?\*/|\"(?:[^\"\\]|\\.)*\"")


def may(path, name):
    return path in EXCEPT and (EXCEPT[path] is None or name in EXCEPT[path])


def objection_to(path, room, header):
    """Why a file of a pure room may not include a header; None if it may."""
    if room not in PURE or may(path, header):
        return None
    pure = header not in IMPURE_HEADERS if header.startswith(OURS) else header in VALUE_HEADERS
    return None if pure else f"{room} is pure, {header} is not"


def violations_of(path, room, text):
    """Where a file of a pure room looks at a clock, the environment or a file."""
    if room not in PURE:
        return []
    return [f"{path}:{number}: {room} is pure, {match.group(1)}() is not"
            for number, line in enumerate(text.splitlines(), start=1)
            for match in ACTS.finditer(COMMENT.sub("", line)) if not may(path, match.group(1))]
