"""What the job ends with: for each program how many requests were made, and how many were seen."""
import collections

from support.agent import ROOT
from support.aligned import aligned

NONE = "none"
PATH = ROOT / "build/results/foreign/seen.txt"
rows = []


def differences(said, seen):
    """What a program says of each status, and what was seen of it, where that differs."""
    return ", ".join(f"{status}: {seen[status]} of {said[status]}"
                     for status in sorted(said.keys() | seen.keys(), key=str)
                     if seen[status] != said[status])


def note(program, said, seen, unread=""):
    """A row; what differs in it."""
    differs = "" if unread and not seen else differences(said, seen)
    rows.append((program, str(sum(said.values())), str(sum(seen.values())), differs or "-", unread or "-"))
    return differs


def of(report, metric, program=None):
    """Requests seen by status: NONE got no answer; of a cut one its error is told, too."""
    seen = collections.Counter()
    for line in report.series(metric, program):
        attributes = line["attributes"]
        status, error = attributes.get("http.response.status_code", NONE), attributes.get("error.type")
        cut = status != NONE and error not in (None, str(status))
        seen[f"{status} {error}" if cut else status] += line["count"]
    return seen


def text():
    return aligned(("program", "made", "seen", "differs", "not read because"), rows, right=(1, 2))
