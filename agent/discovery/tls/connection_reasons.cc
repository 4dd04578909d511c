#include "agent/discovery/tls/connection_reasons.h"

#include <algorithm>
#include <array>
#include <utility>

namespace exa {
namespace {

constexpr auto kSentences = std::to_array<std::string_view>({
#define EXA_X(name, sentence) sentence,
    EXA_CONNECTION_KINDS(EXA_X)
#undef EXA_X
});

constexpr std::string_view kQuiet = "probed; nothing has passed through it yet";

}  // namespace

bool is_unread_reason(std::string_view reason) {
  return !reason.empty() && reason != kQuiet && reason != sentence(TlsVerdict::kReadable) &&
         reason != sentence(TlsVerdict::kNoLibrary);
}

std::string_view kind_sentence(std::size_t kind) {
  return kSentences.at(kind);
}

bool is_unread_tls(const exa_connection_counts& counts) {
  return counts.connections[EXA_KIND_TLS] > 0 && counts.connections[EXA_KIND_TLS_READ] == 0;
}

std::vector<TlsUse> told_uses(std::vector<TlsUse> uses, const std::string& executable,
                              const exa_connection_counts& counts) {
  const std::uint64_t begun = counts.connections[EXA_KIND_TLS];
  const std::uint64_t read = counts.connections[EXA_KIND_TLS_READ];
  auto unread = begun - std::min(begun, read);
  for (auto& use : uses) {
    if (use.probes > 0 && read > 0)
      use.connections = read;
    else if (use.probes > 0)
      use.reason = begun > 0 ? "probed, but none of this process's TLS has passed through it"
                             : std::string(kQuiet);
    else
      use.connections = std::exchange(unread, 0);  // told once
  }
  // Nobody said more about them.
  if (unread > 0 && read == 0)
    uses.push_back({.path = executable,
                    .library = "",
                    .build_id = "",
                    .reason = "TLS, in a library the agent does not know",
                    .connections = unread});
  for (std::size_t kind = EXA_KIND_HTTP2; kind < EXA_KIND_COUNT; ++kind)
    if (counts.connections[kind] > 0)
      uses.push_back({.path = executable,
                      .library = "",
                      .build_id = "",
                      .reason = std::string(kind_sentence(kind)),
                      .connections = counts.connections[kind]});
  return uses;
}

}  // namespace exa
