#include "agent/discovery/elf/go_build.h"

#include <elf.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace exa {
namespace {

constexpr std::string_view kMagic("\xff Go buildinf:", 14);
constexpr std::uint64_t kHeaderBytes = 32;
constexpr std::uint64_t kAlignment = 16;
constexpr std::uint8_t kBigEndian = 1;
constexpr std::uint8_t kInlineStrings = 2;
constexpr std::uint64_t kMaxVersionBytes = 255;
// The linker puts the note near the beginning of the data.
constexpr std::uint64_t kMaxSearchBytes = std::uint64_t{16} << 20;

bool is_header(std::span<const std::byte> bytes) {
  return std::memcmp(bytes.data(), kMagic.data(), kMagic.size()) == 0;
}

std::optional<std::uint64_t> search(BoundedReader& reader, std::uint64_t offset,
                                    std::uint64_t length) {
  length = std::min(length, kMaxSearchBytes);
  FileWindow window(reader);
  for (std::uint64_t at = 0; at < length && length - at >= kHeaderBytes; at += kAlignment) {
    const auto bytes = window.at(offset + at, kHeaderBytes);
    if (!bytes) return std::nullopt;
    if (is_header(*bytes)) return offset + at;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> find_header(ElfImage& image) {
  if (const Section* section = image.section_named(SectionName::kGoBuild))
    if (auto at = search(image.reader(), section->offset, section->size_bytes)) return at;
  for (const Segment& segment : image.segments()) {
    if (segment.type != PT_LOAD || (segment.flags & (PF_X | PF_W)) != PF_W) continue;
    if (auto at = search(image.reader(), segment.offset, segment.file_bytes)) return at;
  }
  return std::nullopt;
}

std::string read_text(BoundedReader& reader, std::uint64_t offset, std::uint64_t length) {
  if (length == 0 || length > kMaxVersionBytes) return {};
  std::string text(static_cast<std::size_t>(length), '\0');
  if (!reader.read(offset, std::as_writable_bytes(std::span(text)))) return {};
  // It ends up in a status table: a version has printable characters or is none.
  const bool printable = std::ranges::all_of(text, [](char c) { return c >= ' ' && c <= '~'; });
  return printable ? text : std::string{};
}

// Since Go 1.18 the version follows the header, as a length in 7-bit groups and bytes.
std::string read_inline(BoundedReader& reader, std::uint64_t offset) {
  const auto first = reader.read_as<std::uint8_t>(offset);
  if (!first) return {};
  if (*first < 0x80) return read_text(reader, offset + 1, *first);
  const auto second = reader.read_as<std::uint8_t>(offset + 1);
  if (!second || *second >= 0x80) return {};
  return read_text(reader, offset + 2, (*first & 0x7fu) | (std::uint64_t{*second} << 7));
}

// Before, the header pointed at a Go string: pointer and length.
std::string read_by_pointer(ElfImage& image, std::uint64_t header_offset) {
  const auto pointer = image.reader().read_as<std::uint64_t>(header_offset + 16);
  if (!pointer) return {};
  const auto string_at = image.file_offset(*pointer, 16);
  if (!string_at) return {};
  const auto place = image.reader().read_as<std::uint64_t>(*string_at);
  const auto length = image.reader().read_as<std::uint64_t>(*string_at + 8);
  if (!place || !length || *length > kMaxVersionBytes) return {};
  const auto text_at = image.file_offset(*place, *length);
  return text_at ? read_text(image.reader(), *text_at, *length) : std::string{};
}

unsigned minor_of(std::string_view version) {
  const auto at = version.find("go1.");
  if (at == version.npos) return 0;
  const auto digits = version.substr(at + 4);
  unsigned minor = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), minor);
  return minor;
}

}  // namespace

bool passes_arguments_in_registers(const GoBuild& build, Machine machine) {
  switch (machine) {
    case Machine::kX86_64:
      return build.minor >= 17;
    case Machine::kAArch64:
      return build.minor >= 18;
    case Machine::kOther:
      return false;
  }
  return false;
}

ElfResult<GoBuild> read_go_build(ElfImage& image) {
  const auto at = find_header(image);
  if (!at) return std::unexpected(ElfError::kAbsent);
  const auto pointer_bytes = image.reader().read_as<std::uint8_t>(*at + 14);
  const auto flags = image.reader().read_as<std::uint8_t>(*at + 15);
  if (!pointer_bytes) return std::unexpected(pointer_bytes.error());
  if (!flags) return std::unexpected(flags.error());
  GoBuild build;
  if (*flags & kInlineStrings)
    build.version = read_inline(image.reader(), *at + kHeaderBytes);
  else if (*pointer_bytes == 8 && (*flags & kBigEndian) == 0)
    build.version = read_by_pointer(image, *at);
  build.minor = minor_of(build.version);
  return build;
}

}  // namespace exa
