"""What the tests of causes end with: of each that was provoked, what was expected and what spans said."""
from support.agent import ROOT
from support.aligned import aligned

PATH = ROOT / "build/results/e2e/provoked.txt"
rows = []


def note(provoked, part, expected, seen, sentence):
    """expected: as text, in milliseconds unless it says otherwise; seen: a number."""
    rows.append((provoked, part, expected, f"{seen:.1f}".removesuffix(".0"), sentence))


def text():
    return aligned(("provoked", "part", "expected", "seen", "the span's sentence"), rows, right=(2, 3))
