#!/usr/bin/env python3
"""Checks that every #include goes where the house allows.

    scripts/lib/include_graph.py [ROOT]     print violations, exit 1 if there are any

A room is a folder; ALLOWED says which rooms its files may include besides its own. EXTERNAL says
which third-party headers stay behind which wall.
"""
import pathlib
import re
import sys

# Public headers, the only meeting place of bpf/, agent/ and exporters/.
VALUES = {"exa/base", "exa/model"}
KERNEL_CONTRACT = {"exa/abi"}
# What the rooms of the agent build on: values, and pure functions over them.
GROUND = VALUES | {"agent/model"}

ALLOWED = {
    "exa/abi": set(),
    "exa/base": set(),
    "exa/model": {"exa/base"},
    "exa/export": VALUES,
    "bpf": KERNEL_CONTRACT,
    "agent/model": VALUES,
    "agent/telemetry": VALUES | KERNEL_CONTRACT | {"exa/export"},
    "agent/config": GROUND | {"agent/telemetry"},
    "agent/kernel": GROUND | KERNEL_CONTRACT | {"agent/telemetry"},
    "agent/capture": GROUND | KERNEL_CONTRACT | {"agent/telemetry"},
    "agent/protocol": GROUND | {"agent/trace", "agent/telemetry"},
    "agent/trace": GROUND | {"agent/semantics"},
    "agent/semantics": GROUND,
    "agent/exchange": GROUND | {"agent/protocol", "agent/trace", "agent/telemetry"},
    "agent/connection": GROUND | {"agent/exchange", "agent/protocol", "agent/capture",
                                  "agent/telemetry"},
    "agent/conversation": GROUND | {"agent/connection", "agent/exchange", "agent/protocol",
                                    "agent/trace", "agent/capture", "agent/telemetry"},
    "agent/metrics": GROUND | {"agent/semantics", "agent/telemetry"},
    "agent/exemplars": GROUND | {"agent/metrics", "agent/semantics", "agent/telemetry"},
    "agent/request_pipeline": GROUND | {
        "exa/export",
        "agent/exemplars", "agent/metrics", "agent/trace", "agent/semantics",
        "agent/conversation", "agent/connection", "agent/exchange", "agent/capture", "agent/telemetry"},
    "agent/discovery": GROUND | KERNEL_CONTRACT | {"agent/config", "agent/telemetry", "agent/capture"},
    "agent/privilege": GROUND | {"agent/telemetry"},
    "exporters/encoding": VALUES,
    "exporters/queue": VALUES | {"exa/export", "exporters/encoding"},
    "exporters/otlp": VALUES | {"exa/export", "exporters/encoding", "exporters/queue"},
    "exporters/openmetrics": VALUES | {"exa/export", "exporters/encoding", "exporters/queue"},
    "exporters/console": VALUES | {"exa/export", "exporters/encoding", "exporters/queue"},
}

# Composes, so it may see every room; nothing sees it.
COMPOSERS = {"agent"}

# Header prefix -> rooms that may include it. The BPF side has libbpf's headers of its own.
EXTERNAL = {
    "bpf/": {"agent/kernel", "bpf"},
    "yaml-cpp/": {"agent/config"},
    "curl/": {"exporters/otlp", "exporters/queue", "agent/discovery"},
    "protozero/": {"exporters/otlp"},
    "microhttpd.h": {"exporters/openmetrics"},
    "cap-ng.h": {"agent/privilege"},
    "seccomp.h": {"agent/privilege"},
    "CLI/": {"agent/config", "agent"},
}

# Parses what strangers make. Only the body of a reader, which holds no capability, may reach it;
# the others know its results.
PARSER_ROOM = "agent/discovery/elf/"
PARSER_RESULTS = {PARSER_ROOM + "file_identity.h"}
PARSERS = {"agent/discovery/tls/" + name for name in (
    "attachment_planner", "go_sites", "inner_functions", "library_traces",
    "return_places")}
PARSER_DOOR = "agent/reader_body.cc"

# A protocol is its folder in each of these rooms. Nobody else knows it but the table that names it.
PROTOCOL_ROOMS = {"agent/protocol", "agent/conversation"}
PROTOCOL_TABLE = "agent/conversation/registry.cc"
# Of a protocol that speaks through another one.
SPEAKS_THROUGH = {}

SOURCES = {".h", ".c", ".cc", ".cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')


def room_of(path):
    """The room of a source path relative to the repository, or of a path as included."""
    parts = pathlib.PurePosixPath(path).parts
    if parts[:2] == ("include", "exa"):
        parts = parts[1:]
    if parts[0] in ("exa", "agent", "exporters"):
        if len(parts) == 2:
            return parts[0]
        return "/".join(parts[:2])
    return parts[0]


def is_parser(path):
    if path in PARSER_RESULTS:
        return False
    return path.startswith(PARSER_ROOM) or path.rsplit(".", 1)[0] in PARSERS


def protocol_of(path):
    """The protocol to which a file belongs; None if it knows none."""
    parts = pathlib.PurePosixPath(path).parts
    return parts[2] if len(parts) > 3 and "/".join(parts[:2]) in PROTOCOL_ROOMS else None


def may_know(path, protocol):
    mine = protocol_of(path)
    return (path == PROTOCOL_TABLE or mine == protocol
            or protocol in SPEAKS_THROUGH.get(mine, set()))


def violations_of(path, text):
    """What is wrong with the includes of one file: a list of sentences."""
    room = room_of(path)
    if room not in ALLOWED and room not in COMPOSERS:
        return [f"{path}: folder {room} is not in the include graph"]
    found = []
    for number, line in enumerate(text.splitlines(), start=1):
        match = INCLUDE.match(line)
        if not match:
            continue
        kind, header = match.groups()
        where = f"{path}:{number}"
        if is_parser(header) and not is_parser(path) and path != PARSER_DOOR:
            found.append(f"{where}: {header} parses foreign files, which only {PARSER_DOOR} may")
        protocol = protocol_of(header)
        if protocol is not None and not may_know(path, protocol):
            found.append(f"{where}: {header} is for {protocol} and {PROTOCOL_TABLE} only")
        if header.endswith(".skel.h") and room != "agent/kernel":
            found.append(f"{where}: only agent/kernel includes a skeleton")
        elif header.split("/")[0] in ("exa", "agent", "exporters", "tests") and kind == '"':
            target = room_of(header)
            if room in COMPOSERS and target != "tests":
                continue
            if target != room and target not in ALLOWED.get(room, set()):
                found.append(f"{where}: {room} must not include {header}")
        elif room != "bpf":
            for prefix, rooms in EXTERNAL.items():
                if header.startswith(prefix) and room not in rooms:
                    found.append(f"{where}: {header} is for {', '.join(sorted(rooms))} only")
    return found


def source_files(root):
    for top in ("include", "bpf", "agent", "exporters"):
        for path in sorted((root / top).rglob("*")):
            if path.suffix in SOURCES and path.is_file():
                yield path


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    files = list(source_files(root))
    if not files:
        print(f"include graph: no sources under {root}", file=sys.stderr)
        return 1
    found = []
    for path in files:
        found += violations_of(path.relative_to(root).as_posix(), path.read_text())
    for sentence in found:
        print(sentence)
    print(f"include graph: {len(files)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
