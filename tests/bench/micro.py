"""The micro benchmarks: Google Benchmark programs, and the table of exemplar quality."""
import json
import subprocess

NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}

# program -> [(benchmark, what it is, most nanoseconds or None)]
LIMITS = {
    "record_path_bench": 25.0,
    "exchange_path_bench": 1500.0,
}


def google_benchmark(program, limit_ns, say):
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
        target = f"<= {limit_ns:g} ns" if limit_ns else ""
        rows.append((f"{program.name}: {name}", f"{took_ns:,.1f} ns", target,
                     took_ns <= limit_ns if limit_ns else None))
        for counter in ("allocations", "bytes"):
            if counter in entry:
                rows.append((f"  {counter} each", f"{entry[counter]:g}",
                             "0" if counter == "allocations" else "",
                             entry[counter] == 0 if counter == "allocations" else None))
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
    for name, limit_ns in LIMITS.items():
        rows += google_benchmark(build / "tests/bench" / name, limit_ns, say)
    return rows + quality(build / "tests/bench/exemplar_quality_bench", say)
