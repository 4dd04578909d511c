#include "agent/discovery/elf/string_search.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace exa {
namespace {

constexpr std::size_t kMaxMatches = 1024;
constexpr std::size_t kChunkBytes = 64 * 1024;

}  // namespace

ElfResult<std::vector<NameOffset>> find_names(BoundedReader& reader, std::uint64_t table_offset,
                                              std::uint64_t table_bytes,
                                              std::span<const std::string_view> wanted) {
  if (!reader.contains(table_offset, table_bytes)) return std::unexpected(ElfError::kTruncated);
  if (wanted.size() > kMaxWantedNames) return std::unexpected(ElfError::kTooMuch);
  std::array<bool, 256> last_characters{};
  std::size_t longest = 0;
  for (const auto name : wanted) {
    if (name.empty() || name.size() > kMaxWantedNameBytes)
      return std::unexpected(ElfError::kTooMuch);
    last_characters[static_cast<unsigned char>(name.back())] = true;
    longest = std::max(longest, name.size());
  }

  std::vector<NameOffset> matches;
  std::vector<char> buffer(longest + kChunkBytes);
  std::size_t carried = 0;  // the tail of the previous chunk, where a name may have begun
  for (std::uint64_t at = 0; at < table_bytes;) {
    const auto fresh =
        static_cast<std::size_t>(std::min<std::uint64_t>(kChunkBytes, table_bytes - at));
    const auto target = std::span(buffer).subspan(carried, fresh);
    if (auto done = reader.read(table_offset + at, std::as_writable_bytes(target)); !done)
      return std::unexpected(done.error());

    const char* const begin = buffer.data();
    const char* const end = begin + carried + fresh;
    const std::uint64_t begin_in_table = at - carried;
    for (const char* from = begin + carried; from < end;) {
      const char* const nul =
          static_cast<const char*>(std::memchr(from, 0, static_cast<std::size_t>(end - from)));
      if (nul == nullptr) break;
      from = nul + 1;
      if (nul == begin || !last_characters[static_cast<unsigned char>(nul[-1])]) continue;
      const auto before = static_cast<std::size_t>(nul - begin);
      for (std::uint32_t index = 0; index < wanted.size(); ++index) {
        const auto name = wanted[index];
        if (name.size() > before || std::memcmp(nul - name.size(), name.data(), name.size()) != 0)
          continue;
        if (matches.size() == kMaxMatches) return std::unexpected(ElfError::kTooMuch);
        matches.push_back({begin_in_table + before - name.size(), index});
      }
    }
    const std::size_t keep = std::min(longest, carried + fresh);
    std::memmove(buffer.data(), end - keep, keep);
    carried = keep;
    at += fresh;
  }
  std::ranges::sort(matches);
  return matches;
}

NameIndex::NameIndex(std::span<const NameOffset> sorted) : sorted_(sorted) {
  for (const auto& name : sorted) {
    const auto bit = hash(name.offset);
    filter_[bit / 64] |= std::uint64_t{1} << (bit % 64);
  }
}

const NameOffset* NameIndex::find_exact(std::uint64_t offset) const {
  const auto found = std::ranges::lower_bound(sorted_, offset, {}, &NameOffset::offset);
  return found != sorted_.end() && found->offset == offset ? &*found : nullptr;
}

}  // namespace exa
