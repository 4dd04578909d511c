"""The rules of style that a machine can check are checked."""
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[3] / "scripts" / "lib"))
import house_rules  # noqa: E402


def test_a_long_source_asks_to_be_two():
    assert house_rules.violations_of("agent/x.cc", "\n" * 401) == [
        "agent/x.cc: 401 lines; a file over 400 asks to be two"]
    assert house_rules.violations_of("agent/x.cc", "\n" * 400) == []
    assert house_rules.violations_of("README.md", "\n" * 1000) == []


def test_scripts_without_a_suffix_are_code():
    assert house_rules.violations_of("scripts/demo", "#!/bin/sh\n" + "\n" * 400) != []


def test_names_say_what_a_thing_is():
    assert house_rules.violations_of("agent/string_util.cc", "") != []
    assert house_rules.violations_of("agent/database.cc", "") == []


def test_variants_are_visited():
    for line in ("if (std::holds_alternative<Sum>(points)) return;\n",
                 "auto& sum = std::get<Sum>(points);\n"):
        assert house_rules.violations_of("agent/metrics/x.cc", line) != []
        assert house_rules.violations_of("tests/unit/x_test.cc", line) == []
    assert house_rules.violations_of("exporters/x.cc", "std::visit(Overloaded{}, points);\n") == []
    assert house_rules.violations_of("exporters/x.cc", "std::get<1>(pair);\n") == []


def test_protocols_are_named_in_their_rooms():
    for line in ("bool is_http1;\n", "// as HTTP/1 does\n", "enum class Version { kHttp11 };\n"):
        assert house_rules.violations_of("agent/exchange/x.cc", line) != []
        assert house_rules.violations_of("include/exa/model/x.h", line) != []
        assert house_rules.violations_of("agent/semantics/x.cc", line) == []
        assert house_rules.violations_of("agent/protocol/http1/x.cc", line) == []
    for line in ("key.convention = Convention::kHttp;\n",
                 "enum class Convention : std::uint8_t { kHttp };\n"):
        assert house_rules.violations_of("include/exa/model/x.h", line) == []


def test_unfinished_work_and_machine_paths_are_found():
    assert house_rules.violations_of("agent/x.cc", "// TODO: later\n") != []
    assert house_rules.violations_of("scripts/x", "cd /work/there\n") != []
    assert house_rules.violations_of("agent/x.cc", 'read("/proc/self/root/work/x")\n') == []
