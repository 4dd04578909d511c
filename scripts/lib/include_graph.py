#!/usr/bin/env python3
"""Checks that every #include goes where the house allows, and every library's link too.

    scripts/lib/include_graph.py [ROOT]     print violations, exit 1 if there are any

A room is a folder; ALLOWED says which rooms its files may include and its library may link, besides
its own, and says nothing that no file needs. EXTERNAL says which third-party headers stay behind
which wall, WALLS what a process never reaches. What links what is read by room_links.py, what a pure
room may use is in pure_rooms.py.
"""
import collections
import pathlib
import re
import sys

import pure_rooms
import room_links

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
    "agent/kernel": GROUND | KERNEL_CONTRACT,
    "agent/why": GROUND,
    "agent/capture": GROUND | KERNEL_CONTRACT | {"agent/why"},
    "agent/trace/context": GROUND,
    "agent/trace/ids": GROUND,
    "agent/semantics": GROUND,
    "agent/trace": GROUND | {"agent/trace/ids", "agent/semantics", "agent/why"},
    "agent/protocol": GROUND,
    # Each protocol in its folder. Of the kernel's contract only what a protocol's frames look like.
    "agent/protocol/*": GROUND | KERNEL_CONTRACT | {"agent/protocol", "agent/trace/context"},
    "agent/exchange": GROUND | {"agent/trace/ids", "agent/why", "agent/telemetry"},
    "agent/connection": GROUND | {"agent/why", "agent/exchange", "agent/protocol", "agent/capture",
                                  "agent/telemetry"},
    "agent/conversation/*": GROUND | {"agent/protocol/*", "agent/protocol", "agent/connection",
                                      "agent/exchange", "agent/trace/context", "agent/telemetry"},
    "agent/conversation": GROUND | {"agent/conversation/*", "agent/protocol/*", "agent/connection"},
    "agent/routes": GROUND | {"agent/semantics"},
    "agent/metrics": GROUND | {"agent/semantics", "agent/telemetry"},
    "agent/exemplars/policies": GROUND | {"agent/metrics", "agent/trace/ids"},
    "agent/exemplars": GROUND | {"agent/exemplars/policies", "agent/metrics", "agent/trace/ids",
                                 "agent/semantics", "agent/telemetry"},
    "agent/request_pipeline": GROUND | {
        "exa/export",
        "agent/exemplars", "agent/metrics", "agent/routes", "agent/trace", "agent/trace/ids",
        "agent/semantics", "agent/conversation", "agent/connection", "agent/exchange", "agent/why",
        "agent/capture", "agent/telemetry"},
    "agent/explain": GROUND | {"agent/request_pipeline", "agent/metrics", "agent/semantics",
                               "agent/why"},
    "agent/privilege": GROUND,
    # What looks at processes: in the prober, which may.
    "agent/discovery/container": GROUND,
    "agent/discovery/elf": VALUES,
    "agent/discovery": GROUND | {"agent/discovery/container", "agent/config"},
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
        "exporters/transfer"},
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
        "agent/explain", "agent/request_pipeline", "agent/capture",
        "agent/privilege", "agent/config", "agent/telemetry",
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
# at processes or loads programs. A folder stands for all that are in it.
WALLS = {
    "agent/run/prober": {"agent/naming", "agent/protocol", "agent/connection", "agent/request_pipeline",
                         "exporters/transfer", "exporters/page"},
    "agent/run/pipeline": {"agent/discovery", "agent/kernel", "agent/readers", "agent/run/prober"},
}

# Header prefix -> rooms that may include it. bpf/ is libbpf's; what is ours there is bpf/lib and
# bpf/maps, which only programs include.
EXTERNAL = {
    "bpf/": {"agent/kernel", "bpf"},
    "yaml-cpp/": {"agent/config"},
    "curl/": {"exporters/transfer"},
    "protozero/": {"exporters/otlp"},
    "microhttpd.h": {"exporters/page"},
    "cap-ng.h": {"agent/privilege"},
    "seccomp.h": {"agent/privilege"},
    "CLI/": {"agent/commands"},
    "spdlog/": {"agent/telemetry"},
    "fmt/": {"agent/telemetry"},
    "Zydis/": {"agent/discovery/elf"},
    "zlib.h": {"agent/run/messages", "exporters/encoding"},
    "nlohmann/": {"agent/commands/status", "agent/discovery/tls", "agent/explain", "agent/naming",
                  "agent/naming/kubernetes", "agent/run/pipeline", "agent/run/prober",
                  "exporters/console", "exporters/otlp"},
}
# Folders of the C library and of the kernel; any other one is a third party's, which has a row above.
SYSTEM_FOLDERS = {"sys", "linux", "net", "netinet", "arpa"}

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
# A convention is a file beside the table that names it; what its header declares is the table's.
CONVENTION_TABLE = "agent/semantics/conventions.cc"
CONVENTION = re.compile(r"^(?:inline |extern |constexpr )*const(?:expr)? Semantics k\w+Semantics\b",
                        re.MULTILINE)

TOPS = ("include", "bpf", "agent", "exporters")
OURS = {"exa", "agent", "exporters", "tests"}
SOURCES = {".h", ".c", ".cc"}
BESIDE_SOURCES = {"CMakeLists.txt", "LICENSE"}
INCLUDE = re.compile(r'^\s*#\s*(?:include(?:_next)?|import)\b\s*(.*)$')
NAMED = re.compile(r'([<"])([^">]+)[">]')


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


def included_room(header):
    """The room of a header as included; None if it is none of ours."""
    if header.split("/")[0] in OURS or header.startswith(("bpf/lib/", "bpf/maps/")):
        return room_of(header)
    return None


def includes_of(text):
    """(line number, kind, header) of each include; kind is < or ", or None of one that is computed."""
    for number, line in enumerate(text.splitlines(), start=1):
        if match := INCLUDE.match(line):
            named = NAMED.match(match.group(1))
            yield (number, *named.groups()) if named else (number, None, match.group(1))


def objection_to_name(kind, header):
    """Why a header may not be named like that; None if it may."""
    parts = header.split("/")
    if kind is None:
        return f"an include names its header, not {header or 'nothing'}"
    if header.startswith("/") or ".." in parts or "." in parts:
        return f"{header} is named by the way to it, not from the root"
    ours = included_room(header) is not None
    if ours and not header.endswith(".h"):
        return f"{header} is no header"
    if kind == '"' and not ours and not header.endswith(".skel.h"):
        return f"{header} is not named from the root"
    if not ours and len(parts) > 1 and parts[0] not in SYSTEM_FOLDERS and not any(
            header.startswith(prefix) for prefix in EXTERNAL):
        return f"{header} has no row in EXTERNAL"
    return None


def objections_to(path, header):
    """Why a file may not include a header that is named as it should be: a list of sentences."""
    room, target = room_of(path), included_room(header)
    found = []
    if is_parser(header) and not is_parser(path) and path != PARSER_DOOR:
        found.append(f"{header} parses foreign files, which only {PARSER_DOOR} may")
    protocol = protocol_of(header)
    if protocol is not None and not may_know(path, protocol):
        found.append(f"{header} is for {protocol} and {PROTOCOL_TABLE} only")
    if header.endswith(".skel.h"):
        if room != "agent/kernel":
            found.append("only agent/kernel includes a skeleton")
    elif target is not None:
        if target != room and target not in ALLOWED[room] and not is_parser(header):
            found.append(f"{folder_of(path)} must not include {header}")
    elif room != "bpf":
        for prefix, rooms in EXTERNAL.items():
            if header.startswith(prefix) and room not in rooms:
                found.append(f"{header} is for {', '.join(sorted(rooms))} only")
    if objection := pure_rooms.objection_to(path, room, header):
        found.append(objection)
    return found


def violations_of(path, text, conventions=frozenset()):
    """What is wrong with the includes of one file: a list of sentences."""
    room = room_of(path)
    if room not in ALLOWED:
        return [f"{path}: folder {folder_of(path)} is not in the include graph"]
    found = []
    for number, kind, header in includes_of(text):
        objection = objection_to_name(kind, header)
        objections = [objection] if objection else objections_to(path, header)
        mine = header.rsplit(".", 1)[0] == path.rsplit(".", 1)[0]
        if header in conventions and path != CONVENTION_TABLE and not mine:
            objections.append(f"{header} is for {CONVENTION_TABLE} only")
        found += [f"{path}:{number}: {sentence}" for sentence in objections]
    return found + pure_rooms.violations_of(path, room, text)


def unused_edges(used, allowed):
    """used: room -> rooms that its files include. Rows say what somebody needs, but for the ground,
    on which everybody may build."""
    return [f"include graph: {room} may see {seen}, which none of its files includes"
            for room, row in sorted(allowed.items())
            for seen in sorted(row - used.get(room, set()) - GROUND)]


def reached_from(room, allowed):
    """Every room that one may see, or that one of those may see, and so on."""
    reached, waiting = set(), [room]
    while waiting:
        for seen in allowed.get(waiting.pop(), set()) - reached:
            reached.add(seen)
            waiting.append(seen)
    return reached


def cycles_in(allowed):
    """Rooms that reach each other."""
    reached = {room: reached_from(room, allowed) for room in allowed}
    return [f"include graph: {room} and {seen} need each other"
            for room in sorted(allowed) for seen in sorted(reached[room])
            if room < seen and room in reached.get(seen, set())]


def broken_walls(allowed):
    return [f"include graph: {room} reaches {reached}"
            for room, hidden in sorted(WALLS.items())
            for reached in sorted(reached_from(room, allowed))
            if any(f"{reached}/".startswith(f"{folder}/") for folder in hidden)]


def product_files(root):
    for top in TOPS:
        for path in sorted((root / top).rglob("*")):
            if path.is_file():
                yield path


def source_files(root):
    return (path for path in product_files(root) if path.suffix in SOURCES)


def unknown_files(root):
    """Files of the product that are neither sources nor what stands beside them."""
    return [f"{path.relative_to(root).as_posix()}: neither a source ({', '.join(sorted(SOURCES))}) "
            "nor a file that belongs beside one" for path in product_files(root)
            if path.suffix not in SOURCES | {".md"} and path.name not in BESIDE_SOURCES]


def main():
    root = pathlib.Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    texts = {path.relative_to(root).as_posix(): path.read_text() for path in source_files(root)}
    if not texts:
        print(f"include graph: no sources under {root}", file=sys.stderr)
        return 1
    conventions = {path for path, text in texts.items() if CONVENTION.search(text)}
    used = collections.defaultdict(set)
    found = unknown_files(root) + room_links.violations_of(root, room_of_folder, ALLOWED)
    for path, text in texts.items():
        found += violations_of(path, text, conventions)
        used[room_of(path)] |= {included_room(header) for _, _, header in includes_of(text)}
    found += unused_edges(used, ALLOWED) + cycles_in(ALLOWED) + broken_walls(ALLOWED)
    for sentence in found:
        print(sentence)
    print(f"include graph: {len(texts)} files, {len(found)} violations")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
