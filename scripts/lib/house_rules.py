#!/usr/bin/env python3
"""Checks the rules of style that a machine can check: length of files, words of names, paths of
one machine, words that mean unfinished, variants that are not visited, and protocols named in rooms
that all of them share (protocol_words.py).

    scripts/lib/house_rules.py [ROOT]     print violations, exit 1 if there are any
"""
import pathlib
import re
import subprocess
import sys

import protocol_words

MAX_LINES = 400
FORBIDDEN_NAME_WORDS = {"manager", "helper", "helpers", "util", "utils", "handler", "data", "info"}
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")
MACHINE_PATH = re.compile(r"(?<![\w./])/(work|root|home/\w+)/")
# Passes over an alternative that is added later, or throws there; a visit does not compile.
ASKS_A_VARIANT = re.compile(r"\bstd::(holds_alternative<|get<[A-Za-z])")
PRODUCT = re.compile(r"(agent|exporters|include)/.*\.(h|cc)$")
CODE = {".h", ".c", ".cc", ".py", ".sh", ".cmake", ".js", ".inc", ".yaml", ".yml", ".tpl", ".go"}
BUILD_FILE = "CMakeLists.txt"
# Recorded and crafted inputs may hold anything.
UNCHECKED = ("tests/corpus/", "LICENSE")
# This file and its test name what they look for.
NAMES_THE_WORDS = {"scripts/lib/house_rules.py", "tests/unit/lint/test_house_rules.py"}


def is_code(path, first_line):
    return path.suffix in CODE or path.name == BUILD_FILE or first_line.startswith("#!")


def words_of(part):
    return set(re.split(r"[_.\-]", part.lower()))


def violations_of(path, text):
    """path: relative to the repository, as text. What is wrong: a list of sentences."""
    pure = pathlib.PurePosixPath(path)
    lines = text.splitlines()
    found = []
    if bad := set().union(*map(words_of, pure.parts)) & FORBIDDEN_NAME_WORDS:
        found.append(f"{path}: a name says what a thing is, not '{', '.join(sorted(bad))}'")
    if is_code(pure, lines[0] if lines else "") and len(lines) > MAX_LINES:
        found.append(f"{path}: {len(lines)} lines; a file over {MAX_LINES} asks to be two")
    if path in NAMES_THE_WORDS:
        return found
    for number, line in enumerate(lines, start=1):
        if UNFINISHED.search(line):
            found.append(f"{path}:{number}: unfinished work belongs in an issue")
        if MACHINE_PATH.search(line):
            found.append(f"{path}:{number}: a path of one machine")
        if PRODUCT.match(path) and ASKS_A_VARIANT.search(line):
            found.append(f"{path}:{number}: visit a variant, with a function for each alternative")
    return found + [f"{path}:{number}: {sentence}"
                    for number, sentence in protocol_words.violations_of(path, text)]


def tracked_files(root):
    names = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard"], check=True, capture_output=True).stdout
    for name in names.decode().split("\0"):
        if name and not name.startswith(UNCHECKED) and (root / name).is_file():
            yield name


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    found, count = [], 0
    for name in tracked_files(root):
        try:
            text = (root / name).read_text()
        except UnicodeDecodeError:
            continue
        count += 1
        found += violations_of(name, text)
    for sentence in found:
        print(sentence)
    print(f"house rules: {count} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
