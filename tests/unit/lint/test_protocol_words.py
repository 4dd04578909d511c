"""Rooms that all protocols share neither name one nor branch on one."""
import pathlib
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts" / "lib"))
import house_rules  # noqa: E402
import protocol_words  # noqa: E402

SHARED = ("agent/exchange/x.cc", "agent/connection/x.h", "agent/why/x.cc", "agent/explain/x.cc",
          "agent/readers/x.cc", "agent/privilege/x.cc", "agent/naming/x.cc", "agent/run/pipeline/x.cc",
          "exporters/console/x.cc", "include/exa/base/x.h", "include/exa/model/x.h")
OWN = ("agent/semantics/x.cc", "agent/protocol/http1/x.cc", "agent/conversation/http2/x.cc",
       "bpf/lib/sniff/x.h", "include/exa/abi/x.h", "exporters/transfer/x.cc")


@pytest.mark.parametrize("line", [
    "bool is_http1;", "// as HTTP/1 does", "enum class Version { kHttp11 };", "// a call of gRPC",
    "void take_hpack(Table table);", "exa_http2_length(header);", "// Redis answers so",
    'if (name == "mysql") return;', "kGrpcStatus", "// over https"])
def test_protocols_are_named_in_their_rooms(line):
    for path in SHARED:
        assert len(house_rules.violations_of(path, f"{line}\n")) == 1, path
    for path in OWN:
        assert house_rules.violations_of(path, f"{line}\n") == [], path


@pytest.mark.parametrize("line", ["// of libmicrohttpd", "redistribute(shares);", "mongodbl();",
                                  "std::string unsqlify;"])
def test_other_words_are_free(line):
    assert house_rules.violations_of(SHARED[0], f"{line}\n") == []


@pytest.mark.parametrize("line", [
    "if (operation.convention == Convention::kRpc) return;",
    "return Convention::kRpc != key.convention;",
    "case Convention::kRpc:", "case exa::Method::kConnect:",
    "if (operation.method == Method::kConnect) return;",
    "count[Method::kPost]++;", "semantics_of(Convention::kRpc);", "using enum Convention;"])
def test_no_shared_room_branches_on_a_convention_or_a_method(line):
    for path in SHARED:
        assert len(house_rules.violations_of(path, f"{line}\n")) == 1, path
    for path in ("agent/semantics/x.cc", "agent/conversation/http2/x.cc", "tests/unit/x_test.cc"):
        assert house_rules.violations_of(path, f"{line}\n") == [], path


def test_what_every_exchange_has_is_no_branch():
    for line in ("Method method = Method::kOther;", "for (auto i = Convention::kCount; i > first;)",
                 "if (i == static_cast<int>(Convention::kCount)) return;"):
        assert house_rules.violations_of("agent/metrics/x.cc", f"{line}\n") == []


def test_the_list_has_no_room_that_names_none():
    for place in protocol_words.MAY_NAME:
        files = [ROOT / place] if (ROOT / place).is_file() else sorted((ROOT / place).rglob("*"))
        assert any(protocol_words.NAMES.search(path.read_text()) for path in files
                   if path.suffix in (".h", ".c", ".cc")), place
