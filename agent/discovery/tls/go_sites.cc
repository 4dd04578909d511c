#include "agent/discovery/tls/go_sites.h"

#include <algorithm>
#include <array>

#include "agent/discovery/elf/go_build.h"
#include "agent/discovery/elf/go_functions.h"
#include "agent/discovery/elf/machine_code.h"
#include "agent/discovery/elf/probe_place.h"

namespace exa {
namespace {

constexpr std::array kRoles = {TlsRole::kGoRead,
                               TlsRole::kGoWrite,
                               TlsRole::kGoServerHandshake,
                               TlsRole::kGoClientHandshake,
                               TlsRole::kGoDecode,
                               TlsRole::kGoOwnDecode,
                               TlsRole::kGoEncode,
                               TlsRole::kGoOwnEncode};

bool carries_plaintext(const FunctionSymbol& function) {
  const TlsRole role = kRoles[function.wanted];
  return role == TlsRole::kGoRead || role == TlsRole::kGoWrite;
}

// The function table is in every Go binary; the symbol table stands in where its form is unknown.
ElfResult<std::vector<FunctionSymbol>> find_functions(ElfImage& image) {
  std::array<std::string_view, kRoles.size()> names;
  std::ranges::transform(kRoles, names.begin(), function_name);
  auto found = find_go_functions(image, names);
  if (found && !found->empty()) return found;
  auto symbols = find_local(image, names);
  if (symbols && !symbols->empty()) return symbols;
  return found;
}

ElfResult<void> add_function(ElfImage& image, const FunctionSymbol& function,
                             std::vector<ProbeSite>& sites) {
  if (function.size_bytes == 0 || function.size_bytes > kMaxFunctionBytes)
    return std::unexpected(ElfError::kTooMuch);
  std::vector<std::byte> code(static_cast<std::size_t>(function.size_bytes));
  if (auto done = image.reader().read(function.file_offset, code); !done) return done;
  // All of them need stack, so this proves that the table and the code belong together.
  if (!begins_with_stack_check(image.machine(), code)) return std::unexpected(ElfError::kMalformed);

  const TlsRole role = kRoles[function.wanted];
  const auto entry = behind_stack_check(image.machine(), code);
  sites.push_back({TlsLibrary::kGo, role, ProbePoint::kEntry, function.file_offset + entry});
  if (role != TlsRole::kGoRead) return {};
  const auto returns = find_returns(image.machine(), code);
  if (!returns) return std::unexpected(returns.error());
  if (returns->empty()) return std::unexpected(ElfError::kUnknownCode);
  for (const std::uint32_t at : *returns)
    sites.push_back({TlsLibrary::kGo, role, ProbePoint::kReturn, function.file_offset + at});
  return {};
}

}  // namespace

GoFinding find_go_sites(ElfImage& image, std::vector<ProbeSite>& sites) {
  const auto build = read_go_build(image);
  if (!build) return {};
  GoFinding finding{.version = build->version, .verdict = std::nullopt};
  const auto functions = find_functions(image);
  if (!functions) {
    finding.verdict = TlsVerdict::kGoUnreadable;
    return finding;
  }
  if (std::ranges::none_of(*functions, carries_plaintext)) {
    finding.verdict = TlsVerdict::kGoWithoutTls;
    return finding;
  }
  if (!passes_arguments_in_registers(*build, image.machine())) {
    finding.verdict = build->minor == 0 ? TlsVerdict::kGoUnreadable : TlsVerdict::kGoOld;
    return finding;
  }
  std::vector<ProbeSite> added;
  for (const auto& function : *functions) {
    // Without its handshake a connection is told apart by its socket only; without HPACK one that
    // is older than the agent keeps its secrets.
    if (!add_function(image, function, added) && carries_plaintext(function)) {
      finding.verdict = TlsVerdict::kGoUnreadable;
      return finding;
    }
  }
  if (sites.size() + added.size() > kMaxSites) {
    finding.verdict = TlsVerdict::kGoUnreadable;
    return finding;
  }
  sites.insert(sites.end(), added.begin(), added.end());
  return finding;
}

}  // namespace exa
