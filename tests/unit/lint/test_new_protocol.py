"""A protocol is its folders and a row, a convention is its file and a row: counted on the line
protocol of the tests, which the product's libraries read without a change."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
LINE = ROOT / "tests" / "line_protocol"
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import include_graph  # noqa: E402


def added_lines(table):
    """What the tests' copy of a table of the product has besides; it must lack nothing."""
    product = (ROOT / "agent" / table).read_text().splitlines()
    ours = (LINE / pathlib.Path(table).name).read_text().splitlines()
    added = []
    for line in ours:
        if product and line == product[0]:
            product.pop(0)
        else:
            added.append(line)
    assert product == [], f"{table} says more than the copy"
    return added


def sources_that(pattern):
    found = set()
    for path in include_graph.source_files(ROOT):
        if re.search(pattern, path.read_text()):
            found.add(path.relative_to(ROOT).as_posix())
    return found


def test_a_protocol_is_one_row_more():
    added = added_lines("conversation/registry.cc")
    assert [line for line in added if not line.startswith("#include")] == [
        "    ProtocolRow{.name = \"line\", .detect = line::detect, .converse = made<line::LineConversation>},"]
    assert len(added) == 3


def test_a_convention_is_one_row_more():
    added = added_lines("semantics/conventions.cc")
    assert added == ['#include "tests/line_protocol/line_semantics.h"', "    kLineSemantics,"]


def test_its_program_is_made_of_the_products_libraries_and_the_folder():
    build = (LINE / "CMakeLists.txt").read_text()
    sources = re.search(r"add_executable\(unit_line_protocol ([^)]*)\)", build).group(1).split()
    assert set(sources) == {"line_protocol_test.cc", "line_conversation.cc", "registry.cc",
                            "conventions.cc"}
    libraries = re.search(r"target_link_libraries\(\w+ PRIVATE([^)]*)\)", build).group(1).split()
    assert all(name.startswith(("exa_", "GTest::")) for name in libraries)


def test_nothing_in_the_product_knows_the_line_protocol():
    assert sources_that(r"line_protocol|\bline::|kLineSemantics") == set()


def test_only_the_table_knows_http1_from_outside():
    inside = ("agent/protocol/http1/", "agent/conversation/http1/")
    outside = {path for path in sources_that(r"\bhttp1::|\bHttp1\w+|/http1/")
               if not path.startswith(inside)}
    assert outside == {"agent/conversation/registry.cc"}


def test_only_the_table_knows_the_convention_of_http_from_outside():
    outside = {path for path in sources_that(r"semantics/http\.h|http_semantics|kHttpSemantics")
               if not path.startswith("agent/semantics/http.")}
    assert outside == {"agent/semantics/conventions.cc"}
