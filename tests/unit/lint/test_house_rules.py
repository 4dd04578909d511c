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
    for path in ("agent/CMakeLists.txt", "helm/x/values.yaml", "helm/x/_names.tpl", "tests/x.inc"):
        assert len(house_rules.violations_of(path, "\n" * 401)) == 1


def test_scripts_without_a_suffix_are_code():
    assert house_rules.violations_of("scripts/demo", "#!/bin/sh\n" + "\n" * 400) != []


def test_names_say_what_a_thing_is():
    assert house_rules.violations_of("agent/string_util.cc", "") != []
    assert house_rules.violations_of("agent/database.cc", "") == []
    assert house_rules.violations_of("agent/utils/text.cc", "") == [
        "agent/utils/text.cc: a name says what a thing is, not 'utils'"]
    assert house_rules.violations_of("tests/helpers/x.py", "") != []


def test_variants_are_visited():
    for line in ("if (std::holds_alternative<Sum>(points)) return;\n",
                 "auto& sum = std::get<Sum>(points);\n"):
        assert house_rules.violations_of("agent/metrics/x.cc", line) != []
        assert house_rules.violations_of("tests/unit/x_test.cc", line) == []
    assert house_rules.violations_of("exporters/x.cc", "std::visit(Overloaded{}, points);\n") == []
    assert house_rules.violations_of("exporters/x.cc", "std::get<1>(pair);\n") == []


def test_unfinished_work_and_machine_paths_are_found():
    assert house_rules.violations_of("agent/x.cc", "// TODO: later\n") != []
    assert house_rules.violations_of("scripts/x", "cd /work/there\n") != []
    assert house_rules.violations_of("agent/x.cc", 'read("/proc/self/root/work/x")\n') == []
