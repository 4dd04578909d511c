"""Documents link to what exists, and say what each header is for."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import documents  # noqa: E402
import include_graph  # noqa: E402


def dead(tmp_path, text):
    (tmp_path / "folder").mkdir(exist_ok=True)
    (tmp_path / "folder" / "other.md").write_text("# Two `words`, here\n## A [link](x) in it\n# Same\n# Same\n")
    (tmp_path / "README.md").write_text(text)
    return documents.dead_links(tmp_path, "README.md", text)


def test_a_link_leads_to_a_file(tmp_path):
    assert dead(tmp_path, "[a](folder/other.md), [b](folder), [c](https://example.org/x.md)\n") == []
    assert dead(tmp_path, "one\n[a](folder/gone.md)\n") == ["README.md:2: folder/gone.md does not exist"]
    assert dead(tmp_path, "[a]: folder/gone.md\n") != []
    assert dead(tmp_path, "[a](/folder/other.md)\n") != []


def test_a_link_leads_to_a_heading(tmp_path):
    for anchor in ("two-words-here", "a-link-in-it", "same", "same-1"):
        assert dead(tmp_path, f"[a](folder/other.md#{anchor})\n") == []
    assert dead(tmp_path, "[a](folder/other.md#gone)\n") == [
        "README.md:1: folder/other.md has no heading #gone"]
    assert dead(tmp_path, "# Here\n[a](#here), [b](#there)\n") == [
        "README.md:2: README.md has no heading #there"]


def test_what_is_in_code_is_no_link(tmp_path):
    assert dead(tmp_path, "```\n[a](gone)\n# not a heading\n```\n`[a](gone)`\n") == []
    assert dead(tmp_path, "```\n# not a heading\n```\n[a](#not-a-heading)\n") != []


def test_a_readme_says_what_each_header_is_for():
    readmes = {"agent": "`agent`", "agent/x": "| `one.h`, `two.*` | | `in/three` | `of_*` | in four |"}
    headers = ["agent/x/one.h", "agent/x/in/three.bpf.h", "agent/x/two.h", "agent/x/of_both.h"]
    assert documents.unnamed_headers(headers, readmes) == []
    assert documents.unnamed_headers(["agent/x/four.h", "agent/y/one.h"], readmes) == [
        "agent/x/four.h: agent/x/README.md does not say what it is for",
        "agent/y/one.h: agent/README.md does not say what it is for"]
    assert documents.unnamed_headers(["agent/x/one.h"], {"agent/x": "`*.h`"}) != []


def test_a_readme_names_no_header_that_is_gone():
    readmes = {"agent/x": "`one.h`, `gone.h`\n`y/one.h`, `x/gone.h`, `*.h`, `<name>.h`\n"}
    assert documents.headers_gone(["agent/x/one.h", "exporters/y/one.h"], readmes) == [
        "agent/x/README.md:1: there is no gone.h", "agent/x/README.md:2: there is no x/gone.h"]
    assert documents.headers_gone(["agent/y/one.h"], {"agent/x": "`one.h`"}) != []


def test_every_room_has_a_line_in_the_architecture():
    rooms = (ROOT / "agent/README.md").read_text().split("## Rooms", 1)[1].split("###", 1)[0]
    for room in include_graph.ALLOWED:
        if not room.endswith("/*") and room != "agent":
            name = room.rsplit("/", 1)[-1]
            assert f"`{name}/`" in rooms or f"/{name}`" in rooms or f"/{name}/`" in rooms \
                or f"`{name}`" in rooms, room
