"""The include graph check finds what the house forbids, and passes what it allows."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import include_graph  # noqa: E402


def test_a_parser_must_not_see_metrics():
    found = include_graph.violations_of(
        "agent/protocol/http1/parser.cc", '#pragma once\n#include "agent/metrics/distribution.h"\n')
    assert found == ["agent/protocol/http1/parser.cc:2: agent/protocol/http1 must not include "
                     "agent/metrics/distribution.h"]


def test_rooms_below_and_the_room_itself_are_allowed():
    text = '#include <vector>\n#include "exa/model/exchange.h"\n' \
           '#include "agent/protocol/http1/head.h"\n#include "agent/trace/context/context_reader.h"\n'
    assert include_graph.violations_of("agent/protocol/http1/parser.cc", text) == []


def test_a_protocol_is_known_to_its_folders_and_its_table_only():
    head = '#include "agent/protocol/http1/head.h"\n'
    assert include_graph.violations_of("agent/conversation/http1/http1_heads.cc", head) == []
    assert include_graph.violations_of("agent/conversation/registry.cc", head) == []
    assert include_graph.violations_of("agent/conversation/other/other.cc", head) == [
        "agent/conversation/other/other.cc:1: agent/protocol/http1/head.h is for http1 and "
        "agent/conversation/registry.cc only"]
    assert include_graph.violations_of("agent/connection/tracker.cc", head) != []
    assert include_graph.violations_of(
        "agent/connection/first_bytes.cc", '#include "agent/protocol/proxy_header.h"\n') == []


def test_exporters_see_public_headers_only():
    assert include_graph.violations_of("exporters/otlp/sender.cc",
                                       '#include "exa/export/span_exporter.h"\n') == []
    assert include_graph.violations_of("exporters/otlp/sender.cc",
                                       '#include "agent/telemetry/log.h"\n') != []


def test_libcurl_stays_in_one_room_that_those_who_ask_servers_see():
    curl = '#include <curl/curl.h>\n'
    transfer = '#include "exporters/transfer/http_transfer.h"\n'
    assert include_graph.violations_of("exporters/transfer/http_transfer.cc", curl) == []
    assert include_graph.violations_of("exporters/otlp/http_sender.cc", curl) != []
    assert include_graph.violations_of("agent/naming/kubernetes/api_client.cc", curl) != []
    assert include_graph.violations_of("agent/naming/kubernetes/api_client.h", transfer) == []
    assert include_graph.violations_of("agent/discovery/target_finder.cc",
                                       '#include "exporters/otlp/http_sender.h"\n') != []
    assert include_graph.violations_of("agent/metrics/series.cc", transfer) != []


def test_the_kernel_contract_is_decoded_at_one_door():
    line = '#include "exa/abi/event.h"\n'
    assert include_graph.violations_of("agent/capture/decoder.cc", line) == []
    assert include_graph.violations_of("agent/connection/tracker.cc", line) != []


def test_libbpf_and_skeletons_stay_in_one_room():
    assert include_graph.violations_of("agent/kernel/loader.cc",
                                       '#include <bpf/libbpf.h>\n#include "tls.skel.h"\n') == []
    assert len(include_graph.violations_of(
        "agent/run/run.cc", '#include <bpf/libbpf.h>\n#include "tls.skel.h"\n')) == 2


def test_who_composes_sees_the_parts_and_no_part_sees_him():
    assert include_graph.violations_of("agent/run/run.cc",
                                       '#include "agent/kernel/loader.h"\n') == []
    assert include_graph.violations_of("agent/metrics/series.cc",
                                       '#include "agent/run/run.h"\n') != []


def test_a_folder_in_a_room_is_a_room_of_its_own():
    cgroup = '#include "agent/discovery/container/cgroup_path.h"\n'
    assert include_graph.violations_of("agent/discovery/target_finder.cc", cgroup) == []
    assert include_graph.violations_of("agent/discovery/elf/symbols.cc", cgroup) == [
        "agent/discovery/elf/symbols.cc:1: agent/discovery/elf must not include "
        "agent/discovery/container/cgroup_path.h"]
    assert include_graph.violations_of("agent/discovery/container/x.cc",
                                       '#include "agent/discovery/proc_reader.h"\n') != []
    assert include_graph.violations_of("agent/trace/context/x.cc",
                                       '#include "agent/trace/ids/id_generator.h"\n') != []
    assert include_graph.violations_of("agent/trace/x.cc",
                                       '#include "agent/trace/context/traceparent.h"\n') != []
    assert include_graph.violations_of("agent/protocol/detection.cc",
                                       '#include "agent/protocol/http1/head.h"\n') != []


def test_a_protocol_is_one_room_with_all_its_folders():
    assert include_graph.violations_of("agent/protocol/other/tables/x.cc",
                                       '#include "agent/protocol/other/frame.h"\n'
                                       '#include "agent/protocol/detection.h"\n') == []
    assert include_graph.violations_of("agent/protocol/other/tables/x.cc",
                                       '#include "agent/protocol/http1/head.h"\n') != []


def test_what_a_process_may_and_what_it_parses_of_strangers_are_apart():
    assert include_graph.violations_of("agent/run/prober/prober.cc",
                                       '#include "agent/naming/engine_reader.h"\n') != []
    assert include_graph.violations_of("agent/run/pipeline/live_events.cc",
                                       '#include "agent/discovery/proc_reader.h"\n') != []
    assert include_graph.broken_walls(include_graph.ALLOWED) == []
    by_a_detour = include_graph.ALLOWED | {"agent/privilege": {"agent/naming"}}
    assert "include graph: agent/run/prober reaches agent/naming" in (
        include_graph.broken_walls(by_a_detour))


def test_a_wall_hides_the_folders_in_a_room_too():
    graph = include_graph.ALLOWED | {"agent/run/pipeline": {"agent/discovery/container"}}
    assert include_graph.broken_walls(graph) == [
        "include graph: agent/run/pipeline reaches agent/discovery/container"]


def test_rooms_that_need_each_other_are_one_room():
    graph = {"agent/a": {"agent/b"}, "agent/b": {"agent/c"}, "agent/c": {"agent/b"}}
    assert include_graph.cycles_in(graph) == [
        "include graph: agent/b and agent/c need each other"]
    assert include_graph.cycles_in(graph | {"agent/c": set()}) == []


def test_the_graph_allows_what_somebody_needs():
    graph = {"agent/a": {"exa/base", "agent/b", "agent/c"}}
    assert include_graph.unused_edges({"agent/a": {"agent/b"}}, graph) == [
        "include graph: agent/a may see agent/c, which none of its files includes"]


def test_elf_is_parsed_by_readers_only():
    planner = '#include "agent/discovery/tls/attachment_planner.h"\n'
    image = '#include "agent/discovery/elf/elf_image.h"\n'
    assert include_graph.violations_of("agent/readers/reader_body.cc", planner) == []
    assert include_graph.violations_of("agent/discovery/tls/go_sites.cc", image) == []
    assert include_graph.violations_of("agent/commands/check.cc", planner) == [
        "agent/commands/check.cc:1: agent/discovery/tls/attachment_planner.h parses foreign files, "
        "which only agent/readers/reader_body.cc may"]
    assert include_graph.violations_of("agent/discovery/tls/tls_attacher.cc", image) != []
    assert include_graph.violations_of("agent/run/prober/prober.cc", image) != []
    assert include_graph.violations_of(
        "agent/discovery/tls/plan_cache.h", '#include "agent/discovery/elf/file_identity.h"\n') == []


def test_brackets_open_no_wall():
    for path, header in (("agent/metrics/x.cc", "agent/kernel/rungs.h"),
                         ("agent/run/pipeline/x.cc", "agent/discovery/proc_reader.h"),
                         ("agent/run/prober/x.cc", "exporters/page/route.h"),
                         ("include/exa/base/x.h", "agent/model/siphash.h")):
        quoted = include_graph.violations_of(path, f'#include "{header}"\n')
        assert len(quoted) == 1
        assert include_graph.violations_of(path, f"#include <{header}>\n") == quoted


def test_an_include_names_its_header_from_the_root():
    for line in ('#include "../kernel/rungs.h"', "#include <agent/metrics/../kernel/rungs.h>",
                 '#include "./names.h"', '#include "/agent/kernel/rungs.h"', '#include "names.h"',
                 '#include "include/exa/base/hex.h"', "#define H <agent/kernel/rungs.h>\n#include H",
                 "#include_next H", '#include "agent/metrics/names.cc"', '#include "tables.inc"'):
        assert len(include_graph.violations_of("agent/metrics/x.cc", line + "\n")) == 1, line
    assert include_graph.violations_of("agent/metrics/x.cc", '#  include"agent/metrics/names.h"\n') == []


def test_programs_of_the_kernel_are_not_libbpf():
    for header in ("bpf/lib/decision.h", "bpf/maps/tls.bpf.h"):
        assert include_graph.violations_of("agent/kernel/x.cc", f'#include "{header}"\n') == [
            f"agent/kernel/x.cc:1: agent/kernel must not include {header}"]
        assert include_graph.violations_of("bpf/lib/x.bpf.h", f'#include "{header}"\n') == []


def test_a_third_partys_header_stays_in_its_rooms():
    for header, room in (("spdlog/spdlog.h", "agent/telemetry"), ("fmt/format.h", "agent/telemetry"),
                         ("Zydis/Decoder.h", "agent/discovery/elf"),
                         ("nlohmann/json.hpp", "agent/naming"), ("zlib.h", "agent/run/messages")):
        assert include_graph.violations_of(f"{room}/x.cc", f"#include <{header}>\n") == []
        assert len(include_graph.violations_of("agent/config/x.cc", f"#include <{header}>\n")) == 1
    assert include_graph.violations_of("agent/config/x.cc", "#include <boost/asio.hpp>\n") == [
        "agent/config/x.cc:1: boost/asio.hpp has no row in EXTERNAL"]
    assert include_graph.violations_of("agent/run/x.cc", "#include <sys/stat.h>\n") == []


def test_a_convention_is_known_to_its_table_only():
    header = "agent/semantics/http.h"
    text = (ROOT / header).read_text()
    assert include_graph.CONVENTION.search(text)
    assert not include_graph.CONVENTION.search((ROOT / "agent/semantics/semantics.h").read_text())
    line = f'#include "{header}"\n'
    assert include_graph.violations_of("agent/metrics/x.cc", line, {header}) == [
        f"agent/metrics/x.cc:1: {header} is for agent/semantics/conventions.cc only"]
    for path in ("agent/semantics/conventions.cc", "agent/semantics/http.cc"):
        assert include_graph.violations_of(path, line, {header}) == []


def test_a_file_of_another_kind_is_not_passed_over(tmp_path):
    (tmp_path / "agent").mkdir()
    for name in ("a.cc", "a.h", "README.md", "CMakeLists.txt", "b.hpp", "c.inc"):
        (tmp_path / "agent" / name).touch()
    assert [sentence.split(":")[0] for sentence in include_graph.unknown_files(tmp_path)] == [
        "agent/b.hpp", "agent/c.inc"]


def test_product_code_never_includes_tests():
    assert include_graph.violations_of("agent/run/run.cc", '#include "tests/support/x.h"\n') != []


def test_a_new_folder_must_be_entered_in_the_graph():
    assert include_graph.violations_of("agent/newroom/x.cc", "") == [
        "agent/newroom/x.cc: folder agent/newroom is not in the include graph"]


def test_an_empty_tree_is_a_failure(tmp_path):
    result = subprocess.run([sys.executable, ROOT / "scripts/lib/include_graph.py", tmp_path],
                            capture_output=True, text=True)
    assert result.returncode == 1
