"""The micro benchmarks: Google Benchmark programs, and the table of exemplar quality."""
import json
import subprocess

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

# program -> most nanoseconds of each of its benchmarks, or of all of them.
LIMITS = {
    "record_path_bench": 25.0,
    "exchange_path_bench": 1500.0,
    "hpack_bench": 1000.0,
    "elf_bench": {  # once a file, on the thread that also answers the kernel
        "plan_file/libssl": 1e6,
        "plan_file/node": 50e6,
        "plan_million_functions": 100e6,
        "find_in_million_functions": 100e6,
    },
}
# counter -> (what is printed, most of it or None)
COUNTERS = {
    "allocations": ("allocations each", 0),
    "of_nghttp2": ("of libnghttp2's time", 0.8),
    "over_default_ns": ("more than the default policy, ns", 5),
    "bytes": ("bytes each", None),
    "heap_peak_bytes": ("heap at most, bytes", 1 << 20),
}


def google_benchmark(program, limits, say):
    say(program.name)
    result = subprocess.run([program, "--benchmark_format=json", "--benchmark_repetitions=3",
                             "--benchmark_report_aggregates_only=true"], capture_output=True,
                            text=True, check=True, stdin=subprocess.DEVNULL)
    rows = []
    for entry in json.loads(result.stdout)["benchmarks"]:
        if entry.get("aggregate_name") != "median":
            continue
        took_ns = entry["cpu_time"] * NANOSECONDS[entry["time_unit"]]
        name = entry["run_name"].split("/repeats")[0]
        limit_ns = limits[name] if isinstance(limits, dict) else limits
        rows.append((f"{program.name}: {name}", f"{took_ns:,.1f} ns", f"<= {limit_ns:,.0f} ns",
                     took_ns <= limit_ns))
        for counter, (what, most) in COUNTERS.items():
            if counter in entry:
                rows.append((f"  {what}", f"{entry[counter]:,g}",
                             "" if most is None else f"<= {most:,}",
                             None if most is None else entry[counter] <= most))
    return rows


def quality(program, say):
    """Prints a table of its own, and exits non-zero when a target is missed."""
    say(program.name)
    result = subprocess.run([program], capture_output=True, text=True, stdin=subprocess.DEVNULL,
                            check=False)
    print(result.stdout)
    return [("exemplar quality (table above)", "", "all rows", result.returncode == 0)]


def run_all(build, say):
    rows = []
    for name, limits in LIMITS.items():
        rows += google_benchmark(build / "tests/bench" / name, limits, say)
    return rows + quality(build / "tests/bench/exemplar_quality_bench", say)
