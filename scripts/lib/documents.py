#!/usr/bin/env python3
"""Checks documents: links to files and headings that exist, and that the README of a folder, or of
the one around it, says what each header is for, and of none that is gone.

    scripts/lib/documents.py [ROOT]     print violations, exit 1 if there are any
"""
import fnmatch
import pathlib
import re
import subprocess
import sys

FENCE = re.compile(r"^\s*(```|~~~)")
CODE = re.compile(r"(`+)(.+?)\1")
LINK = re.compile(r"!?\[[^\]\[]*(?:\[[^\]]*\][^\]\[]*)*\]\(\s*<?([^)\s>]+)>?(?:\s+\"[^\"]*\")?\s*\)")
REFERENCE = re.compile(r"^\s{0,3}\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)")
ELSEWHERE = re.compile(r"^[a-z][a-z0-9+.-]*:")
HEADING = re.compile(r"^\s{0,3}#{1,6}\s+(.*?)\s*#*\s*$")
ANCHOR = re.compile(r"<a\s+(?:name|id)=\"([^\"]+)\"")


def prose_of(text):
    """(number, line) of what is not within a fence."""
    fenced = False
    for number, line in enumerate(text.splitlines(), start=1):
        if FENCE.match(line):
            fenced = not fenced
        elif not fenced:
            yield number, line


def slug_of(heading):
    """What GitHub calls a heading's place."""
    shown = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading).replace("`", "").replace("*", "")
    return re.sub(r"[^\w\- ]", "", shown.lower()).replace(" ", "-")


def anchors_of(text):
    anchors, seen = set(), {}
    for _, line in prose_of(text):
        anchors |= set(ANCHOR.findall(line))
        if match := HEADING.match(line):
            slug = slug_of(match.group(1))
            count = seen.get(slug, 0)
            seen[slug] = count + 1
            anchors.add(f"{slug}-{count}" if count else slug)
    return anchors


def links_of(text):
    """(number, target) of each link to something in the repository."""
    for number, line in prose_of(text):
        line = CODE.sub(lambda code: "`" * len(code.group(0)), line)
        for target in LINK.findall(line) + REFERENCE.findall(line):
            if not ELSEWHERE.match(target):
                yield number, target


def dead_links(root, name, text):
    found = []
    for number, target in links_of(text):
        path, _, anchor = target.partition("#")
        file = (root / name).parent / path if path else root / name
        if path.startswith("/") or not file.exists():
            found.append(f"{name}:{number}: {target} does not exist")
        elif anchor and (not file.is_file() or anchor not in anchors_of(file.read_text())):
            found.append(f"{name}:{number}: {path or name} has no heading #{anchor}")
    return found


def names_in(text):
    """Files that a README names in code, without folders and suffixes; with * for several."""
    for _, line in prose_of(text):
        for _, code in CODE.findall(line):
            for word in re.split(r"[\s,]+", code):
                yield re.sub(r"\.(\*|(bpf\.)?(h|c|cc))$", "", word.rsplit("/", 1)[-1])


def unnamed_headers(headers, readmes):
    """headers: paths. readmes: folder -> text. Headers of which the nearest README says nothing."""
    names = {folder: set(names_in(text)) for folder, text in readmes.items()}
    found = []
    for header in headers:
        path = pathlib.PurePosixPath(header)
        folder = next((str(parent) for parent in path.parents if str(parent) in names), None)
        stem = path.name.split(".")[0]
        if folder is None or not any(fnmatch.fnmatchcase(stem, name)
                                     for name in names[folder] if name.strip("*")):
            found.append(f"{header}: {folder or '.'}/README.md does not say what it is for")
    return found


def headers_gone(headers, readmes):
    """Headers that a README names and that are not there: those without a folder in or below its own,
    the others anywhere."""
    found = []
    for folder, text in readmes.items():
        for number, line in prose_of(text):
            words = (word for _, code in CODE.findall(line) for word in re.split(r"[\s,()]+", code))
            for word in words:
                if not word.endswith(".h") or "*" in word or "<" in word:
                    continue
                near = f"{folder}/" if "/" not in word else ""
                if not any(f"/{header}".endswith(f"/{word}") and header.startswith(near)
                           for header in headers):
                    found.append(f"{folder}/README.md:{number}: there is no {word}")
    return found


def tracked(root, *patterns):
    names = subprocess.run(["git", "-C", str(root), "ls-files", "-z", "--cached", "--others",
                            "--exclude-standard", "--", *patterns],
                           check=True, capture_output=True).stdout
    return [name for name in names.decode().split("\0") if name and (root / name).is_file()]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    names = tracked(root, "*.md")
    found = [sentence for name in names
             for sentence in dead_links(root, name, (root / name).read_text())]
    rooms = ("agent", "bpf", "exporters", "include")
    readmes = {str(pathlib.PurePosixPath(name).parent): (root / name).read_text()
               for name in tracked(root, *(f"{room}/*README.md" for room in rooms))}
    headers = tracked(root, *(f"{room}/*.h" for room in rooms))
    found += unnamed_headers(headers, readmes) + headers_gone(tracked(root, "*.h"), readmes)
    for sentence in found:
        print(sentence)
    print(f"documents: {len(names)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
