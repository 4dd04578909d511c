"""A protocol is its folders and a row, a convention is its file and a row: counted on the line
protocol of the tests, which the product's libraries read without a change."""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
LINE = ROOT / "tests" / "line_protocol"
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import include_graph  # noqa: E402


def build_text():
    return (LINE / "CMakeLists.txt").read_text()


def rows_added():
    """What the tests add to tables of the product: (table, row, headers)."""
    calls = re.findall(r'^exa_table_with_row\((\S+)\s+"((?:[^"\\]|\\.)*)"\s+([^)]*)\)', build_text(),
                       re.MULTILINE)
    return [(table, row.replace('\\"', '"'), headers.split()) for table, row, headers in calls]


def sources_that(pattern):
    found = set()
    for path in include_graph.source_files(ROOT):
        if re.search(pattern, path.read_text()):
            found.add(path.relative_to(ROOT).as_posix())
    return found


def test_a_protocol_and_a_convention_are_a_row_more_each():
    assert [(table, row) for table, row, _ in rows_added()] == [
        ("conversation/registry.cc",
         'ProtocolRow{.name = "line", .detect = line::detect, '
         '.converse = made<line::LineConversation>}'),
        ("semantics/conventions.cc", "kLineSemantics")]


def test_their_tables_are_the_products_otherwise():
    for table, _, headers in rows_added():
        assert (ROOT / "agent" / table).read_text().count("\n};\n") == 1, "where the row is put"
        assert all((ROOT / header).parent == LINE for header in headers)
        assert not (LINE / pathlib.Path(table).name).exists()


def test_its_program_is_made_of_the_products_libraries_and_the_folder():
    sources = re.search(r"add_executable\(unit_line_protocol ([^)]*)\)", build_text()).group(1)
    made = {f"${{CMAKE_CURRENT_BINARY_DIR}}/{pathlib.Path(table).name}"
            for table, _, _ in rows_added()}
    assert set(sources.split()) == {"line_protocol_test.cc", "line_conversation.cc"} | made
    libraries = re.search(r"target_link_libraries\(\w+ PRIVATE([^)]*)\)", build_text()).group(1)
    assert all(name.startswith(("exa_", "GTest::")) for name in libraries.split())


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
