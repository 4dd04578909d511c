#include "agent/discovery/tls/attachment_planner.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "agent/discovery/elf/build_id.h"
#include "agent/discovery/elf/dynamic.h"
#include "agent/discovery/elf/probe_place.h"
#include "agent/discovery/elf/symbols.h"
#include "agent/discovery/tls/go_sites.h"
#include "agent/discovery/tls/inner_functions.h"
#include "agent/discovery/tls/library_traces.h"
#include "agent/discovery/tls/return_places.h"

namespace exa {
namespace {

enum class Sign : std::uint8_t { kNone, kBoringSsl, kJvm, kNss, kMbedTls, kWolfSsl, kS2n };

struct Known {
  std::string_view name;
  Sign sign;  // what the name tells beyond itself
  std::optional<TlsRole> role;
};

constexpr Known probed(TlsRole role, std::string_view name) {
  return {name, Sign::kNone, role};
}
constexpr Known noted(std::string_view name) {
  return {name, Sign::kNone, std::nullopt};
}
constexpr Known telling(Sign sign, std::string_view name) {
  return {name, sign, std::nullopt};
}

constexpr std::array kKnown = {
    probed(TlsRole::kSslRead, "SSL_read"),
    probed(TlsRole::kSslReadEx, "SSL_read_ex"),
    probed(TlsRole::kSslWrite, "SSL_write"),
    probed(TlsRole::kSslWriteEx, "SSL_write_ex"),
    probed(TlsRole::kSslFree, "SSL_free"),
    probed(TlsRole::kSslHandshake, "SSL_do_handshake"),
    probed(TlsRole::kSslAccepts, "SSL_set_accept_state"),
    probed(TlsRole::kSslConnects, "SSL_set_connect_state"),
    noted("SSL_peek_ex"),
    probed(TlsRole::kGnuTlsReceive, "gnutls_record_recv"),
    probed(TlsRole::kGnuTlsReceiveSequence, "gnutls_record_recv_seq"),
    probed(TlsRole::kGnuTlsSend, "gnutls_record_send"),
    probed(TlsRole::kGnuTlsSend2, "gnutls_record_send2"),
    probed(TlsRole::kGnuTlsHandshake, "gnutls_handshake"),
    probed(TlsRole::kGnuTlsDeinit, "gnutls_deinit"),
    telling(Sign::kBoringSsl, "SSL_CTX_set_custom_verify"),
    telling(Sign::kJvm, "JNI_CreateJavaVM"),
    telling(Sign::kNss, "SSL_ImportFD"),
    telling(Sign::kMbedTls, "mbedtls_ssl_read"),
    telling(Sign::kWolfSsl, "wolfSSL_read"),
    telling(Sign::kS2n, "s2n_recv"),
};

constexpr auto kNames = [] {
  std::array<std::string_view, kKnown.size()> names;
  for (std::size_t i = 0; i < kKnown.size(); ++i)
    names[i] = kKnown[i].name;
  return names;
}();

bool is_gnutls(TlsRole role) {
  return role >= TlsRole::kGnuTlsReceive && role <= TlsRole::kGnuTlsDeinit;
}
bool is_read(TlsRole role) {
  return role == TlsRole::kSslRead || role == TlsRole::kSslReadEx ||
         role == TlsRole::kGnuTlsReceive || role == TlsRole::kGnuTlsReceiveSequence ||
         role == TlsRole::kSslReadInner;
}
bool carries(TlsRole role) {
  return role != TlsRole::kSslFree && role != TlsRole::kGnuTlsDeinit &&
         role != TlsRole::kSslHandshake && role != TlsRole::kGnuTlsHandshake &&
         role != TlsRole::kSslAccepts && role != TlsRole::kSslConnects;
}

bool has_role(std::span<const FunctionSymbol> functions, TlsRole role) {
  return std::ranges::any_of(functions,
                             [&](const auto& f) { return kKnown[f.wanted].role == role; });
}
Sign sign_of(std::span<const FunctionSymbol> functions) {
  for (const auto& function : functions)
    if (kKnown[function.wanted].sign != Sign::kNone) return kKnown[function.wanted].sign;
  return Sign::kNone;
}

TlsVerdict verdict_of(Sign sign) {
  switch (sign) {
    case Sign::kJvm:
      return TlsVerdict::kJvm;
    case Sign::kNss:
      return TlsVerdict::kNss;
    case Sign::kMbedTls:
      return TlsVerdict::kMbedTls;
    case Sign::kWolfSsl:
      return TlsVerdict::kWolfSsl;
    case Sign::kS2n:
      return TlsVerdict::kS2n;
    case Sign::kBoringSsl:
    case Sign::kNone:
      break;
  }
  return TlsVerdict::kNoLibrary;
}

TlsVerdict verdict_of(ElfError error) {
  switch (error) {
    case ElfError::kNotRegularFile:
    case ElfError::kNotElf:
    case ElfError::k32Bit:
    case ElfError::kByteOrder:
    case ElfError::kNotLoadable:
      return TlsVerdict::kNotElf;
    case ElfError::kTooMuch:
    case ElfError::kTooSlow:
      return TlsVerdict::kOverLimit;
    default:
      return TlsVerdict::kUnreadable;
  }
}

std::optional<std::uint64_t> address_of(std::span<const FunctionSymbol> functions,
                                        std::string_view name) {
  for (const auto& function : functions)
    if (kKnown[function.wanted].name == name) return function.vaddr;
  return std::nullopt;
}

struct Place {
  TlsRole role;
  std::uint64_t entry = 0;               // file offset
  std::vector<std::uint64_t> returns{};  // file offsets, of a read
};

// What to probe; for OpenSSL the functions behind the public ones, where the code tells them and
// who calls them.
ElfResult<std::vector<Place>> choose_places(ElfImage& image,
                                            std::span<const FunctionSymbol> functions) {
  const auto named = [&](std::string_view name) { return address_of(functions, name); };
  std::vector<Place> places;
  bool read_inside = false;
  if (const auto read = find_inner_read(image, {.plain = named("SSL_read"),
                                                .extended = named("SSL_read_ex"),
                                                .peek = named("SSL_peek_ex")}))
    if (auto returns = find_call_returns(image, *read)) {
      read_inside = true;
      places.push_back({.role = TlsRole::kSslReadInner,
                        .entry = *image.code_offset(*read, kPrologueBytes),
                        .returns = std::move(*returns)});
    }
  const auto write = find_inner_write(
      image, {.plain = named("SSL_write"), .extended = named("SSL_write_ex"), .peek = {}});
  if (write)
    places.push_back(
        {.role = TlsRole::kSslWriteInner, .entry = *image.code_offset(*write, kPrologueBytes)});
  for (const auto& function : functions) {
    const auto role = kKnown[function.wanted].role;
    if (!role) continue;
    if (read_inside && (*role == TlsRole::kSslRead || *role == TlsRole::kSslReadEx)) continue;
    if (write && (*role == TlsRole::kSslWrite || *role == TlsRole::kSslWriteEx)) continue;
    // Where send2 exists, send is a jump to it: probing both would see each write twice.
    if (*role == TlsRole::kGnuTlsSend && has_role(functions, TlsRole::kGnuTlsSend2)) continue;
    Place place{.role = *role, .entry = function.file_offset};
    if (is_read(*role)) {
      auto returns = find_return_places(image, function);
      if (!returns) return std::unexpected(returns.error());
      place.returns = std::move(*returns);
    }
    places.push_back(std::move(place));
  }
  return places;
}

std::uint64_t cheapest_place(ElfImage& image, std::uint64_t file_offset) {
  std::array<std::byte, kPrologueBytes> code;
  if (!image.reader().read(file_offset, code)) return file_offset;
  return file_offset + cheapest_offset(image.machine(), code);
}

// One breakpoint a write and a handshake, two a read. False if a read cannot be followed: then the
// library gets none at all.
bool add_sites(ElfImage& image, std::span<const FunctionSymbol> functions,
               std::vector<ProbeSite>& sites) {
  const TlsLibrary ssl =
      sign_of(functions) == Sign::kBoringSsl ? TlsLibrary::kBoringSsl : TlsLibrary::kOpenSsl;
  const bool carries_plaintext = std::ranges::any_of(functions, [](const auto& function) {
    const auto role = kKnown[function.wanted].role;
    return role && carries(*role);
  });
  if (!carries_plaintext) return true;
  const auto places = choose_places(image, functions);
  if (!places) return false;
  std::vector<ProbeSite> added;
  for (const auto& [role, entry, returns] : *places) {
    const TlsLibrary library = is_gnutls(role) ? TlsLibrary::kGnuTls : ssl;
    added.push_back({library, role, ProbePoint::kEntry, cheapest_place(image, entry)});
    for (const auto at : returns)
      // Several functions may end in one: it returns once.
      if (std::ranges::none_of(added, [&](const auto& site) { return site.file_offset == at; }))
        added.push_back({library, role, ProbePoint::kReturn, at});
  }
  if (added.size() > kMaxSites) return false;
  sites = std::move(added);
  return true;
}

bool is_program(ElfImage& image) {
  if (image.is_program()) return true;
  const auto dynamic = read_dynamic(image);
  return dynamic && dynamic->is_program;
}

// Symbols exported to others first; the full table, where it was not stripped, only if those
// know nothing: an executable with its own copy of a library keeps it hidden there.
ElfResult<std::vector<FunctionSymbol>> find_known(ElfImage& image) {
  auto exported = find_exported(image, kNames);
  if (exported && !exported->empty()) return exported;
  auto local = find_local(image, kNames);
  if (local) return local;
  if (local.error() != ElfError::kAbsent) return local;
  if (exported || exported.error() == ElfError::kAbsent) return std::vector<FunctionSymbol>{};
  return exported;
}

}  // namespace

AttachPlan plan_attachment(int fd, ReadLimits limits) {
  AttachPlan plan;
  auto image = ElfImage::open(fd, limits);
  if (!image) {
    plan.verdict = verdict_of(image.error());
    return plan;
  }
  plan.build_id = read_build_id(*image).value_or("");
  if (image->machine() == Machine::kOther) {
    plan.verdict = TlsVerdict::kUnknownMachine;
    return plan;
  }
  const auto functions = find_known(*image);
  const bool returns_known = !functions || add_sites(*image, *functions, plan.sites);

  // A Go program may hold a C library too: its own sites come on top.
  const GoFinding go = find_go_sites(*image, plan.sites);
  plan.go_version = go.version;
  if (!plan.sites.empty())
    plan.verdict = TlsVerdict::kReadable;
  else if (!returns_known)
    plan.verdict = TlsVerdict::kReturnsUnknown;
  else if (go.verdict)
    plan.verdict = *go.verdict;
  else if (!functions)
    plan.verdict = verdict_of(functions.error());
  else if (sign_of(*functions) != Sign::kNone)
    plan.verdict = verdict_of(sign_of(*functions));
  else if (limits.thorough || is_program(*image)) {
    plan.searched = true;
    plan.verdict = find_library_trace(*image);
  }
  return plan;
}

}  // namespace exa
