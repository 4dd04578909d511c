#!/usr/bin/env python3
"""Checks that every #include goes where the house allows, and every library's link too.

    scripts/lib/include_graph.py [ROOT]     print violations, exit 1 if there are any

A room is a folder; ALLOWED says which rooms its files may include and its library may link, besides
its own. EXTERNAL says which third-party headers stay behind which wall, WALLS what a process never
reaches.
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
    "agent/why": GROUND,
    "agent/capture": GROUND | KERNEL_CONTRACT | {"agent/why", "agent/telemetry"},
    "agent/trace/context": GROUND,
    "agent/trace/ids": GROUND,
    "agent/semantics": GROUND,
    "agent/trace": GROUND | {"agent/trace/ids", "agent/semantics", "agent/why"},
    "agent/protocol": GROUND,
    # Each protocol in its folder. Of the kernel's contract only what a protocol's frames look like.
    "agent/protocol/*": GROUND | KERNEL_CONTRACT | {"agent/protocol", "agent/trace/context",
                                                    "agent/telemetry"},
    "agent/exchange": GROUND | {"agent/trace/ids", "agent/why", "agent/telemetry"},
    "agent/connection": GROUND | {"agent/why", "agent/exchange", "agent/protocol", "agent/capture",
                                  "agent/telemetry"},
    "agent/conversation/*": GROUND | {"agent/protocol/*", "agent/protocol", "agent/connection",
                                      "agent/exchange", "agent/trace/context", "agent/capture",
                                      "agent/telemetry"},
    "agent/conversation": GROUND | {"agent/conversation/*", "agent/protocol/*", "agent/protocol",
                                    "agent/connection", "agent/exchange", "agent/capture",
                                    "agent/telemetry"},
    "agent/routes": GROUND | {"agent/semantics"},
    "agent/metrics": GROUND | {"agent/semantics", "agent/telemetry"},
    "agent/exemplars/policies": GROUND | {"agent/metrics", "agent/trace/ids"},
    "agent/exemplars": GROUND | {"agent/exemplars/policies", "agent/metrics", "agent/trace/ids",
                                 "agent/semantics", "agent/telemetry"},
    "agent/request_pipeline": GROUND | {
        "exa/export",
        "agent/exemplars", "agent/metrics", "agent/routes", "agent/trace", "agent/trace/ids",
        "agent/semantics", "agent/protocol", "agent/conversation", "agent/connection", "agent/exchange", "agent/why",
        "agent/capture", "agent/telemetry"},
    "agent/explain": GROUND | {"agent/request_pipeline", "agent/metrics", "agent/semantics",
                               "agent/why"},
    "agent/privilege": GROUND | {"agent/telemetry"},
    # What looks at processes: in the prober, which may.
    "agent/discovery/container": GROUND,
    "agent/discovery/elf": VALUES,
    "agent/discovery": GROUND | {"agent/discovery/container", "agent/config", "agent/telemetry"},
    "agent/discovery/tls": GROUND | KERNEL_CONTRACT | {
        "agent/discovery", "agent/discovery/container", "agent/discovery/elf"},
    "agent/readers": GROUND | {"agent/discovery", "agent/discovery/tls", "agent/kernel",
                               "agent/privilege"},
    # What reads foreign texts and asks servers: in the pipeline, which may nothing else.
    "agent/naming": GROUND,
    "agent/naming/kubernetes": GROUND | {"agent/naming", "agent/config", "agent/telemetry",
                                         "exporters/transfer"},
    "agent/outputs": GROUND | {
        "exa/export",
        "agent/config", "agent/privilege", "agent/telemetry",
        "exporters/console", "exporters/openmetrics", "exporters/otlp", "exporters/page",
        "exporters/queue", "exporters/transfer"},
    # The processes, and what they say to each other.
    "agent/run/messages": GROUND | {"agent/capture", "agent/config", "agent/privilege",
                                    "agent/telemetry"},
    "agent/run/prober": GROUND | KERNEL_CONTRACT | {
        "agent/run/messages", "agent/readers", "agent/kernel", "agent/discovery/tls",
        "agent/discovery/container", "agent/discovery", "agent/privilege", "agent/capture",
        "agent/config", "agent/telemetry"},
    "agent/run/pipeline": GROUND | {
        "exa/export",
        "agent/run/messages", "agent/naming", "agent/naming/kubernetes", "agent/outputs",
        "agent/explain", "agent/request_pipeline", "agent/metrics", "agent/semantics",
        "agent/capture", "agent/privilege", "agent/config", "agent/telemetry",
        "exporters/page"},
    "agent/run": GROUND | {
        "agent/run/messages", "agent/run/prober", "agent/run/pipeline", "agent/outputs",
        "agent/naming/kubernetes", "agent/readers", "agent/kernel", "agent/discovery",
        "agent/request_pipeline", "agent/privilege", "agent/config", "agent/telemetry",
        "exporters/transfer"},
    "agent/commands/status": GROUND | {
        "agent/run/messages", "agent/discovery/tls", "agent/privilege", "agent/config",
        "exporters/console"},
    "agent/commands/explain": GROUND | {"agent/commands/status", "agent/config",
                                        "exporters/console"},
    "agent/commands": GROUND | {
        "agent/commands/status", "agent/commands/explain", "agent/run", "agent/run/prober", "agent/run/pipeline",
        "agent/outputs", "agent/readers", "agent/kernel", "agent/discovery", "agent/discovery/tls",
        "agent/privilege", "agent/request_pipeline", "agent/capture", "agent/config",
        "agent/telemetry",
        "exporters/page"},
    "agent": GROUND | {"agent/commands"},
    "exporters/encoding": VALUES,
    "exporters/transfer": VALUES,
    "exporters/queue": VALUES | {"exa/export"},
    "exporters/otlp": VALUES | {"exa/export", "exporters/encoding", "exporters/queue",
                                "exporters/transfer"},
    "exporters/page": VALUES | {"exa/export"},
    "exporters/openmetrics": VALUES | {"exa/export", "exporters/encoding", "exporters/page"},
    "exporters/console": VALUES | {"exa/export", "exporters/encoding"},
}

# What a process holds rights for and what it parses of strangers are apart: by no way does the
# prober reach what reads captured bytes, foreign texts and the network, nor the pipeline what looks
# at processes or loads programs.
WALLS = {
    "agent/run/prober": {"agent/naming", "agent/protocol", "agent/connection", "agent/request_pipeline",
                         "exporters/transfer", "exporters/page"},
    "agent/run/pipeline": {"agent/discovery", "agent/kernel", "agent/readers", "agent/run/prober"},
}

# Header prefix -> rooms that may include it. The BPF side has libbpf's headers of its own.
EXTERNAL = {
    "bpf/": {"agent/kernel", "bpf"},
    "yaml-cpp/": {"agent/config"},
    "curl/": {"exporters/transfer"},
    "protozero/": {"exporters/otlp"},
    "microhttpd.h": {"exporters/page"},
    "cap-ng.h": {"agent/privilege"},
    "seccomp.h": {"agent/privilege"},
    "CLI/": {"agent/commands"},
}

# Parses what strangers make. Only the body of a reader, which holds no capability, may reach it;
# the others know its results.
PARSER_ROOM = "agent/discovery/elf/"
PARSER_RESULTS = {PARSER_ROOM + "file_identity.h"}
PARSERS = {"agent/discovery/tls/" + name for name in (
    "attachment_planner", "go_sites", "inner_functions", "library_traces",
    "return_places")}
PARSER_DOOR = "agent/readers/reader_body.cc"

# A protocol is its folder in each of these rooms. Nobody else knows it but the table that names it.
PROTOCOL_ROOMS = {"agent/protocol", "agent/conversation"}
PROTOCOL_TABLE = "agent/conversation/registry.cc"
# Of a protocol that speaks through another one.
SPEAKS_THROUGH = {}

SOURCES = {".h", ".c", ".cc", ".cpp"}
INCLUDE = re.compile(r'^\s*#\s*include\s+([<"])([^">]+)[">]')
LIBRARY = re.compile(r"exa_room\((\w+)([^)]*)\)")


def folder_of(path):
    folder = pathlib.PurePosixPath(path).parent.as_posix()
    return folder.removeprefix("include/")


def room_of_folder(folder):
    """The row of ALLOWED that says what a folder may see."""
    parts = folder.split("/")
    if parts[0] == "bpf":
        return "bpf"
    if len(parts) > 2 and "/".join(parts[:2]) in PROTOCOL_ROOMS:
        return "/".join(parts[:2]) + "/*"
    return folder


def room_of(path):
    """The room of a source path relative to the repository, or of a path as included."""
    return room_of_folder(folder_of(path))


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
    if room not in ALLOWED:
        return [f"{path}: folder {folder_of(path)} is not in the include graph"]
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
            if target != room and target not in ALLOWED[room] and not is_parser(header):
                found.append(f"{where}: {folder_of(path)} must not include {header}")
        elif room != "bpf":
            for prefix, rooms in EXTERNAL.items():
                if header.startswith(prefix) and room not in rooms:
                    found.append(f"{where}: {header} is for {', '.join(sorted(rooms))} only")
    return found


def link_violations(libraries):
    """libraries: name -> (folder, names that it links). A library links what its room may include,
    and no more: or what one room hides would reach another through it."""
    found = []
    for name, (folder, links) in sorted(libraries.items()):
        room = room_of_folder(folder)
        for link in links:
            if link not in libraries:
                continue
            target = room_of_folder(libraries[link][0])
            if target != room and target not in ALLOWED.get(room, set()):
                found.append(f"{folder}/CMakeLists.txt: exa_{name} must not link exa_{link}")
    return found


def libraries_of(root):
    libraries = {}
    for path in sorted((root / "agent").rglob("CMakeLists.txt")) + sorted(
            (root / "exporters").rglob("CMakeLists.txt")):
        for name, rest in LIBRARY.findall(path.read_text()):
            links = rest.split("DEPS", 1)[1].split("LIBS", 1)[0].split() if "DEPS" in rest else []
            libraries[name] = (path.parent.relative_to(root).as_posix(), links)
    return libraries


def reached_from(room, allowed):
    """Every room that one may see, or that one of those may see, and so on."""
    reached, waiting = set(), [room]
    while waiting:
        for seen in allowed.get(waiting.pop(), set()) - reached:
            reached.add(seen)
            waiting.append(seen)
    return reached


def broken_walls(allowed):
    return [f"include graph: {room} reaches {hidden}"
            for room, hidden_rooms in sorted(WALLS.items())
            for hidden in sorted(hidden_rooms & reached_from(room, allowed))]


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
    found = broken_walls(ALLOWED) + link_violations(libraries_of(root))
    for path in files:
        found += violations_of(path.relative_to(root).as_posix(), path.read_text())
    for sentence in found:
        print(sentence)
    print(f"include graph: {len(files)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
