#include "agent/discovery/tls/plan_message.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <string>

#include "agent/discovery/elf/file_identity.h"

namespace exa {
namespace {

struct Head {
  std::uint32_t verdict;
  std::uint32_t sites;
  std::uint32_t go_version_bytes;
  std::uint32_t build_id_bytes;
  std::uint32_t searched;
};
struct Site {
  std::uint64_t file_offset;
  std::uint8_t library;
  std::uint8_t role;
  std::uint8_t point;
  std::uint8_t reserved[5];
};
static_assert(sizeof(Site) == 16);

constexpr std::size_t kMaxTextBytes = 128;
static_assert(sizeof(Head) + kMaxSites * sizeof(Site) + 2 * kMaxTextBytes <= kMaxPlanMessageBytes);

#define EXA_X(name, ...) name,
enum class Verdict : std::uint32_t { EXA_TLS_VERDICTS(EXA_X) kCount };
enum class Role : std::uint8_t { EXA_TLS_ROLES(EXA_X) kCount };
#undef EXA_X
constexpr auto kVerdicts = static_cast<std::uint32_t>(Verdict::kCount);
constexpr auto kRoles = static_cast<std::uint8_t>(Role::kCount);
constexpr auto kLastLibrary = static_cast<std::uint8_t>(TlsLibrary::kGo);
constexpr auto kLastPoint = static_cast<std::uint8_t>(ProbePoint::kReturn);

void append(std::vector<std::byte>& to, const void* from, std::size_t size) {
  const auto* const bytes = static_cast<const std::byte*>(from);
  to.insert(to.end(), bytes, bytes + size);
}

std::string cut(const std::string& text) {
  return text.substr(0, kMaxTextBytes);
}

// Of the characters that releases and build ids are made of.
std::string clean(std::string text) {
  std::ranges::replace_if(text, [](unsigned char c) { return c < 0x20 || c > 0x7e; }, '?');
  return text;
}

}  // namespace

std::vector<std::byte> encode_plan(const AttachPlan& plan) {
  const std::size_t sites = std::min(plan.sites.size(), kMaxSites);
  const std::string go_version = cut(plan.go_version);
  const std::string build_id = cut(plan.build_id);
  const Head head{.verdict = static_cast<std::uint32_t>(plan.verdict),
                  .sites = static_cast<std::uint32_t>(sites),
                  .go_version_bytes = static_cast<std::uint32_t>(go_version.size()),
                  .build_id_bytes = static_cast<std::uint32_t>(build_id.size()),
                  .searched = plan.searched ? 1u : 0u};
  std::vector<std::byte> bytes;
  append(bytes, &head, sizeof head);
  for (std::size_t i = 0; i < sites; ++i) {
    const ProbeSite& from = plan.sites[i];
    const Site site{.file_offset = from.file_offset,
                    .library = static_cast<std::uint8_t>(from.library),
                    .role = static_cast<std::uint8_t>(from.role),
                    .point = static_cast<std::uint8_t>(from.point),
                    .reserved = {}};
    append(bytes, &site, sizeof site);
  }
  append(bytes, go_version.data(), go_version.size());
  append(bytes, build_id.data(), build_id.size());
  return bytes;
}

std::optional<AttachPlan> decode_plan(std::span<const std::byte> bytes) {
  if (bytes.size() < sizeof(Head)) return std::nullopt;
  const auto head = load_at<Head>(bytes, 0);
  if (head.searched > 1 || head.verdict >= kVerdicts || head.sites > kMaxSites ||
      head.go_version_bytes > kMaxTextBytes || head.build_id_bytes > kMaxTextBytes)
    return std::nullopt;
  const std::size_t texts_at = sizeof(Head) + head.sites * sizeof(Site);
  if (bytes.size() != texts_at + head.go_version_bytes + head.build_id_bytes) return std::nullopt;
  AttachPlan plan{.verdict = static_cast<TlsVerdict>(head.verdict),
                  .sites = {},
                  .go_version = {},
                  .build_id = {},
                  .searched = head.searched != 0};
  if (plan.readable() != (head.sites > 0)) return std::nullopt;
  for (std::uint32_t i = 0; i < head.sites; ++i) {
    const auto site = load_at<Site>(bytes, sizeof(Head) + i * sizeof(Site));
    if (site.library > kLastLibrary || site.role >= kRoles || site.point > kLastPoint)
      return std::nullopt;
    plan.sites.push_back({.library = static_cast<TlsLibrary>(site.library),
                          .role = static_cast<TlsRole>(site.role),
                          .point = static_cast<ProbePoint>(site.point),
                          .file_offset = site.file_offset});
  }
  const auto text = [&](std::size_t at, std::size_t size) {
    return clean(std::string(reinterpret_cast<const char*>(bytes.data()) + at, size));
  };
  plan.go_version = text(texts_at, head.go_version_bytes);
  plan.build_id = text(texts_at + head.go_version_bytes, head.build_id_bytes);
  return plan;
}

}  // namespace exa
