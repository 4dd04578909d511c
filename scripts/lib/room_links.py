"""What the libraries of rooms link, read out of their build files: what their room may include, and
no more, or what one room hides would reach another through it. A part of include_graph.py.

A library is made by exa_room(name DEPS rooms LIBS third parties), and linked nowhere else.
"""
import re

COMMENT = re.compile(r"#.*")
ROOM = re.compile(r"\bexa_room\(\s*(\w+)([^)]*)\)")
PROGRAM = re.compile(r"\btarget_link_libraries\(\s*(exemplar-agent)\s+PRIVATE\s([^)]*)\)")
# What a room may say of its own library besides; the dependency is no header of ours.
OF_ITSELF = re.compile(r"\btarget_(?:include_directories\(\s*exa_\w+\s+SYSTEM|"
                       r"compile_definitions\(\s*exa_\w+)\s+PRIVATE\b[^)]*\)")
LINKS = re.compile(r"\b(?:target_link_libraries|link_libraries|target_sources|add_library|"
                   r"INTERFACE_LINK_LIBRARIES|LINK_LIBRARIES)\b|\bexa_\w+")
# Not a room's: what the programs in bpf/ are compiled to.
SKELETONS = {"skeletons": "kernel"}


def parts_of(arguments):
    """(rooms, third parties) of a call of exa_room."""
    parts = {"": [], "DEPS": [], "LIBS": []}
    part = ""
    for word in arguments.split():
        if word in parts:
            part = word
        else:
            parts[part].append(word)
    return parts[""] + parts["DEPS"], parts["LIBS"]


def libraries_in(text):
    """(name, names that it links) of each library or program that one build file makes."""
    text = COMMENT.sub("", text)
    for name, arguments in ROOM.findall(text):
        rooms, others = parts_of(arguments)
        yield name, rooms + [lib.removeprefix("exa_") for lib in others if lib.startswith("exa_")]
    for name, arguments in PROGRAM.findall(text):
        yield name, [word.removeprefix("exa_") for word in arguments.split()]


def build_files(root):
    for top in ("agent", "exporters"):
        for path in sorted((root / top).rglob("CMakeLists.txt")):
            yield path.parent.relative_to(root).as_posix(), path.read_text()


def libraries_of(root):
    """name -> (folder, names that it links)."""
    return {name: (folder, links) for folder, text in build_files(root)
            for name, links in libraries_in(text)}


def unread_in(folder, text):
    """What could link something and is not read here: a list of sentences."""
    left = COMMENT.sub("", text)
    for pattern in (ROOM, PROGRAM, OF_ITSELF):
        left = pattern.sub("", left)
    found = [f"{folder}/CMakeLists.txt: {match.group()} where only exa_room links"
             for match in LINKS.finditer(left)]
    for name, arguments in ROOM.findall(COMMENT.sub("", text)):
        found += [f"{folder}/CMakeLists.txt: exa_{name} links {word}, which is not told before it runs"
                  for word in parts_of(arguments)[0] if "$" in word]
    return found


def forbidden_links(libraries, room_of_folder, allowed):
    found = []
    for name, (folder, links) in sorted(libraries.items()):
        room = room_of_folder(folder)
        for link in links:
            if link not in libraries:
                if SKELETONS.get(link) != name and "$" not in link:
                    found.append(f"{folder}/CMakeLists.txt: exa_{name} links exa_{link}, "
                                 "which is no room")
                continue
            target = room_of_folder(libraries[link][0])
            if target != room and target not in allowed.get(room, set()):
                found.append(f"{folder}/CMakeLists.txt: exa_{name} must not link exa_{link}")
    return found


def violations_of(root, room_of_folder, allowed):
    found = forbidden_links(libraries_of(root), room_of_folder, allowed)
    for folder, text in build_files(root):
        found += unread_in(folder, text)
    return found
