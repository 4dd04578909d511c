"""What links what is read out of build files, and is what the include graph allows."""
import pathlib
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import include_graph  # noqa: E402
import room_links  # noqa: E402

ALLOWED = {"agent": {"agent/metrics"}, "agent/metrics": {"agent/telemetry"}, "agent/telemetry": set(),
           "agent/kernel": {"agent/telemetry"}}


def violations(tmp_path, metrics, top=""):
    for folder, text in (("agent", top), ("agent/metrics", metrics),
                         ("agent/telemetry", "exa_room(telemetry)"),
                         ("agent/kernel", "exa_room(kernel DEPS telemetry LIBS exa_skeletons)")):
        (tmp_path / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / folder / "CMakeLists.txt").write_text(text)
    return room_links.violations_of(tmp_path, include_graph.room_of_folder, ALLOWED)


MUST_NOT = ["agent/metrics/CMakeLists.txt: exa_metrics must not link exa_kernel"]


def test_a_library_links_what_its_room_may_include(tmp_path):
    assert violations(tmp_path, "exa_room(metrics DEPS telemetry LIBS Some::library ${A_LIBRARY})") == []
    assert violations(tmp_path, "exa_room(metrics DEPS telemetry kernel)") == MUST_NOT


def test_a_room_among_third_parties_is_a_room(tmp_path):
    assert violations(tmp_path, "exa_room(metrics DEPS telemetry LIBS exa_kernel)") == MUST_NOT


def test_nothing_but_the_call_for_a_room_links_it(tmp_path):
    for line in ("target_link_libraries(exa_metrics PRIVATE exa_kernel)",
                 "target_link_libraries(\n  exa_metrics PRIVATE exa_kernel)",
                 "link_libraries(exa_kernel)", "set(MORE exa_kernel)",
                 "set_property(TARGET exa_metrics PROPERTY LINK_LIBRARIES x)",
                 "target_sources(exa_metrics PRIVATE ../kernel/rungs.cc)",
                 "target_include_directories(exa_metrics PRIVATE ../kernel)"):
        assert violations(tmp_path, f"exa_room(metrics)\n{line}\n") != [], line
    assert violations(tmp_path, "exa_room(metrics DEPS ${MORE})") != []
    assert violations(tmp_path, "# exa_kernel is not linked\nexa_room(metrics)\n"
                      "target_include_directories(exa_metrics SYSTEM PRIVATE ${X})\n") == []


def test_the_program_links_what_its_folder_may_include(tmp_path):
    program = "target_link_libraries(exemplar-agent PRIVATE {})\n"
    assert violations(tmp_path, "exa_room(metrics)", top=program.format("exa_metrics")) == []
    assert violations(tmp_path, "exa_room(metrics)", top=program.format("exa_kernel")) == [
        "agent/CMakeLists.txt: exa_exemplar-agent must not link exa_kernel"]


def test_skeletons_are_linked_by_one_room(tmp_path):
    assert violations(tmp_path, "exa_room(metrics LIBS exa_skeletons)") == [
        "agent/metrics/CMakeLists.txt: exa_metrics links exa_skeletons, which is no room"]


def test_the_libraries_of_the_product_are_read_out_of_their_build_files():
    libraries = room_links.libraries_of(ROOT)
    assert libraries["metrics"] == ("agent/metrics", ["semantics", "telemetry", "model"])
    assert libraries["transfer"] == ("exporters/transfer", [])
    assert libraries["exemplar-agent"] == ("agent", ["commands"])
