#include "agent/discovery/elf/dynamic.h"

#include <elf.h>

#include <algorithm>

namespace exa {
namespace {

constexpr std::uint64_t kMaxEntries = 4096;
constexpr std::size_t kMaxNameBytes = 255;
constexpr std::uint64_t kMaxSymbols = std::uint64_t{1} << 24;

struct Tags {
  std::optional<std::uint64_t> symbols, strings, strings_bytes, hash, gnu_hash, soname, relocations,
      relocation_bytes;
  std::uint64_t flags_1 = 0;
  std::vector<std::uint64_t> needed;
};

ElfResult<Tags> read_tags(ElfImage& image, const Segment& dynamic) {
  Tags tags;
  FileWindow window(image.reader());
  const std::uint64_t count = std::min(dynamic.file_bytes / sizeof(Elf64_Dyn), kMaxEntries);
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto entry = window.load<Elf64_Dyn>(dynamic.offset + i * sizeof(Elf64_Dyn));
    if (!entry) return std::unexpected(entry.error());
    switch (entry->d_tag) {
      case DT_NULL:
        return tags;
      case DT_SYMTAB:
        tags.symbols = entry->d_un.d_ptr;
        break;
      case DT_STRTAB:
        tags.strings = entry->d_un.d_ptr;
        break;
      case DT_STRSZ:
        tags.strings_bytes = entry->d_un.d_val;
        break;
      case DT_HASH:
        tags.hash = entry->d_un.d_ptr;
        break;
      case DT_GNU_HASH:
        tags.gnu_hash = entry->d_un.d_ptr;
        break;
      case DT_RELA:
        tags.relocations = entry->d_un.d_ptr;
        break;
      case DT_RELASZ:
        tags.relocation_bytes = entry->d_un.d_val;
        break;
      case DT_FLAGS_1:
        tags.flags_1 = entry->d_un.d_val;
        break;
      case DT_SONAME:
        tags.soname = entry->d_un.d_val;
        break;
      case DT_NEEDED:
        if (tags.needed.size() < kMaxNeeded) tags.needed.push_back(entry->d_un.d_val);
        break;
      default:
        break;
    }
  }
  return tags;
}

// The GNU hash table does not say how many symbols there are: the last chain's end does.
ElfResult<std::uint64_t> count_by_gnu_hash(ElfImage& image, std::uint64_t vaddr) {
  struct Header {
    std::uint32_t buckets, first_symbol, bloom_words, bloom_shift;
  };
  const auto at = image.file_offset(vaddr, sizeof(Header));
  if (!at) return std::unexpected(ElfError::kTruncated);
  const auto header = image.reader().read_as<Header>(*at);
  if (!header) return std::unexpected(header.error());
  const std::uint64_t buckets_at = *at + sizeof(Header) + std::uint64_t{header->bloom_words} * 8;
  if (!image.reader().contains(buckets_at, std::uint64_t{header->buckets} * 4))
    return std::unexpected(ElfError::kTruncated);
  if (header->buckets > kMaxSymbols) return std::unexpected(ElfError::kTooMuch);
  FileWindow window(image.reader());
  std::uint32_t last_chain = 0;
  for (std::uint64_t i = 0; i < header->buckets; ++i) {
    const auto bucket = window.load<std::uint32_t>(buckets_at + i * 4);
    if (!bucket) return std::unexpected(bucket.error());
    last_chain = std::max(last_chain, *bucket);
  }
  if (last_chain < header->first_symbol) return header->first_symbol;
  const std::uint64_t chains_at = buckets_at + std::uint64_t{header->buckets} * 4;
  for (std::uint64_t symbol = last_chain; symbol < kMaxSymbols; ++symbol) {
    const auto hash = window.load<std::uint32_t>(chains_at + (symbol - header->first_symbol) * 4);
    if (!hash) return std::unexpected(hash.error());
    if (*hash & 1) return symbol + 1;
  }
  return std::unexpected(ElfError::kTooMuch);
}

ElfResult<std::uint64_t> count_symbols(ElfImage& image, const Tags& tags) {
  if (tags.hash) {
    const auto at = image.file_offset(*tags.hash, 8);
    if (!at) return std::unexpected(ElfError::kTruncated);
    const auto chains = image.reader().read_as<std::uint32_t>(*at + 4);
    if (!chains) return std::unexpected(chains.error());
    return *chains;
  }
  if (tags.gnu_hash) return count_by_gnu_hash(image, *tags.gnu_hash);
  return std::unexpected(ElfError::kAbsent);
}

ElfResult<std::string> read_name(BoundedReader& reader, const SymbolTable& table,
                                 std::uint64_t offset) {
  if (offset >= table.strings_bytes) return std::unexpected(ElfError::kMalformed);
  char text[kMaxNameBytes + 1];
  const auto length =
      static_cast<std::size_t>(std::min<std::uint64_t>(sizeof text, table.strings_bytes - offset));
  const auto bytes = std::span(text).first(length);
  if (auto done = reader.read(table.strings_offset + offset, std::as_writable_bytes(bytes)); !done)
    return std::unexpected(done.error());
  const auto end = std::ranges::find(bytes, '\0');
  if (end == bytes.end()) return std::unexpected(ElfError::kMalformed);
  return std::string(bytes.begin(), end);
}

}  // namespace

ElfResult<DynamicSegment> read_dynamic(ElfImage& image) {
  const Segment* const dynamic = image.segment_of_type(PT_DYNAMIC);
  if (dynamic == nullptr) return std::unexpected(ElfError::kAbsent);
  const auto tags = read_tags(image, *dynamic);
  if (!tags) return std::unexpected(tags.error());
  DynamicSegment result;
  result.is_program = (tags->flags_1 & DF_1_PIE) != 0;
  if (tags->relocations && tags->relocation_bytes)
    if (const auto at = image.file_offset(*tags->relocations, *tags->relocation_bytes))
      result.relocations = FileRange{*at, *tags->relocation_bytes};
  if (!tags->strings || !tags->strings_bytes) return result;

  SymbolTable table{.strings_bytes = *tags->strings_bytes};
  const auto strings_at = image.file_offset(*tags->strings, table.strings_bytes);
  if (!strings_at) return std::unexpected(ElfError::kTruncated);
  table.strings_offset = *strings_at;
  for (const std::uint64_t name : tags->needed)
    if (auto text = read_name(image.reader(), table, name)) result.needed.push_back(*text);
  if (tags->soname)
    if (auto text = read_name(image.reader(), table, *tags->soname)) result.soname = *text;

  if (!tags->symbols) return result;
  const auto count = count_symbols(image, *tags);
  if (!count)
    return count.error() == ElfError::kAbsent ? ElfResult<DynamicSegment>(result)
                                              : std::unexpected(count.error());
  const auto symbols_at = image.file_offset(*tags->symbols, *count * sizeof(Elf64_Sym));
  if (!symbols_at) return std::unexpected(ElfError::kTruncated);
  table.offset = *symbols_at;
  table.count = *count;
  result.symbols = table;
  return result;
}

}  // namespace exa
