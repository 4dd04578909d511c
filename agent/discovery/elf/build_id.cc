#include "agent/discovery/elf/build_id.h"

#include <elf.h>

#include <algorithm>
#include <cstring>

namespace exa {
namespace {

constexpr std::uint64_t kMaxNoteBytes = 64 * 1024;
constexpr std::size_t kMaxIdBytes = 64;

constexpr std::uint64_t align_up(std::uint64_t value) {
  return (value + 3) & ~std::uint64_t{3};
}

std::optional<std::string> search_notes(BoundedReader& reader, std::uint64_t offset,
                                        std::uint64_t length) {
  if (!reader.contains(offset, length)) return std::nullopt;
  length = std::min(length, kMaxNoteBytes);
  FileWindow window(reader, kMaxNoteBytes);
  for (std::uint64_t at = 0; length - at >= sizeof(Elf64_Nhdr);) {
    const auto note = window.load<Elf64_Nhdr>(offset + at);
    if (!note) return std::nullopt;
    const std::uint64_t name_at = at + sizeof(Elf64_Nhdr);
    const std::uint64_t value_at = name_at + align_up(note->n_namesz);
    const std::uint64_t end = value_at + align_up(note->n_descsz);
    if (end > length) return std::nullopt;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 && note->n_descsz > 0 &&
        note->n_descsz <= kMaxIdBytes) {
      const auto bytes = window.at(offset + name_at, static_cast<std::size_t>(end - name_at));
      if (!bytes) return std::nullopt;
      if (std::memcmp(bytes->data(), "GNU", 4) == 0) {
        constexpr std::string_view kDigits = "0123456789abcdef";
        std::string text;
        for (const auto byte : bytes->subspan(4, note->n_descsz)) {
          text += kDigits[std::to_integer<unsigned>(byte >> 4)];
          text += kDigits[std::to_integer<unsigned>(byte & std::byte{15})];
        }
        return text;
      }
    }
    at = end;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> read_build_id(ElfImage& image) {
  for (const Segment& segment : image.segments())
    if (segment.type == PT_NOTE)
      if (auto id = search_notes(image.reader(), segment.offset, segment.file_bytes)) return id;
  for (const Section& section : image.sections())
    if (section.type == SHT_NOTE)
      if (auto id = search_notes(image.reader(), section.offset, section.size_bytes)) return id;
  return std::nullopt;
}

}  // namespace exa
