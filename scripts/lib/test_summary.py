#!/usr/bin/env python3
"""Adds up what the test runners wrote and prints the closing lines of scripts/test.

    scripts/lib/test_summary.py RESULTS

RESULTS holds JUnit files (of GoogleTest and pytest) and a file `steps`: a line a step,
`name<TAB>exit code<TAB>seconds<TAB>what`. A step that failed without any failed case of its own
(a crash, a build error) counts as one failure. A step with no cases counts as one test.
"""
import pathlib
import sys
import xml.etree.ElementTree as ElementTree


def cases_of(path):
    """(name, outcome, message) of each case in a JUnit file; outcome: passed, failed, skipped."""
    for suite in ElementTree.parse(path).getroot().iter("testsuite"):
        for case in suite.findall("testcase"):
            name = f'{case.get("classname") or suite.get("name")}.{case.get("name")}'
            skipped = case.find("skipped")
            if case.find("failure") is not None or case.find("error") is not None:
                yield name, "failed", ""
            elif skipped is not None or case.get("result") == "skipped":
                yield name, "skipped", (skipped.get("message") or "").strip() \
                    if skipped is not None else ""
            elif case.get("status") == "notrun" or case.get("result") == "suppressed":
                continue  # left out by a filter
            else:
                yield name, "passed", ""


def summarize(results):
    """(lines to print, number of failures) for a results folder."""
    counts = {"passed": 0, "failed": 0, "skipped": 0}
    failures, skips = [], []
    for line in (results / "steps").read_text().splitlines():
        step, code, _, what = line.split("\t")
        seen = {"passed": 0, "failed": 0, "skipped": 0}
        for path in sorted((results / step).glob("**/*.xml")):
            try:
                for name, outcome, message in cases_of(path):
                    seen[outcome] += 1
                    if outcome == "failed":
                        failures.append(f"{step}: {name}")
                    elif outcome == "skipped":
                        skips.append(f"{step}: {name}: {message or 'no reason given'}")
            except ElementTree.ParseError:
                seen["failed"] += 1
                failures.append(f"{step}: {path.name} is cut short: the program crashed")
        if code == "skip":
            seen["skipped"] += 1
            skips.append(f"{step}: {what}")
        elif code != "0" and seen["failed"] == 0:
            seen["failed"] += 1
            failures.append(f"{step}: {what} ended with {code}")
        elif sum(seen.values()) == 0:
            seen["passed"] += 1
        for outcome, number in seen.items():
            counts[outcome] += number
    lines = []
    if skips:
        lines += ["", f"skipped ({len(skips)}):"] + [f"  {skip}" for skip in skips]
    if failures:
        lines += ["", f"failed ({len(failures)}):"] + [f"  {failure}" for failure in failures]
    lines += ["", "{passed} passed, {failed} failed, {skipped} skipped".format(**counts)]
    return lines, counts["failed"] + (0 if counts["passed"] else 1)


def main():
    lines, failures = summarize(pathlib.Path(sys.argv[1]))
    print("\n".join(lines), flush=True)
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
