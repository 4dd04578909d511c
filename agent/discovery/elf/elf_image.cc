#include "agent/discovery/elf/elf_image.h"

#include <elf.h>

#include <algorithm>
#include <cstring>
#include <utility>

namespace exa {
namespace {

// Long enough to tell every name of kNames from longer ones.
constexpr std::size_t kNameBytes = 32;
constexpr std::pair<std::string_view, SectionName> kNames[] = {
    {".text", SectionName::kText},
    {".gopclntab", SectionName::kGoFunctionTable},
    {".data.rel.ro.gopclntab", SectionName::kGoFunctionTable},
    {".go.buildinfo", SectionName::kGoBuild},
    {".go.module", SectionName::kGoModule},
};

SectionName known_name(FileWindow& names, const Elf64_Shdr& table, std::uint32_t offset) {
  if (offset >= table.sh_size) return SectionName::kOther;
  const auto length =
      static_cast<std::size_t>(std::min<std::uint64_t>(kNameBytes, table.sh_size - offset));
  const auto bytes = names.at(table.sh_offset + offset, length);
  if (!bytes) return SectionName::kOther;
  const auto* text = reinterpret_cast<const char*>(bytes->data());
  const std::string_view name(text, strnlen(text, length));
  for (const auto& [known, id] : kNames)
    if (name == known) return id;
  return SectionName::kOther;
}

bool worth_keeping(std::uint32_t type, SectionName name) {
  return type == SHT_SYMTAB || type == SHT_DYNSYM || type == SHT_NOTE ||
         name != SectionName::kOther;
}

}  // namespace

ElfResult<ElfImage> ElfImage::open(int fd, ReadLimits limits) {
  auto reader = BoundedReader::open(fd, limits);
  if (!reader) return std::unexpected(reader.error());
  ElfImage image(*reader);

  unsigned char ident[EI_NIDENT];
  if (!reader->contains(0, sizeof ident)) return std::unexpected(ElfError::kNotElf);
  if (auto done = image.reader_.read(0, std::as_writable_bytes(std::span(ident))); !done)
    return std::unexpected(done.error());
  if (std::memcmp(ident, ELFMAG, SELFMAG) != 0) return std::unexpected(ElfError::kNotElf);
  if (ident[EI_CLASS] == ELFCLASS32) return std::unexpected(ElfError::k32Bit);
  if (ident[EI_CLASS] != ELFCLASS64) return std::unexpected(ElfError::kMalformed);
  if (ident[EI_DATA] == ELFDATA2MSB) return std::unexpected(ElfError::kByteOrder);
  if (ident[EI_DATA] != ELFDATA2LSB) return std::unexpected(ElfError::kMalformed);

  const auto header = image.reader_.read_as<Elf64_Ehdr>(0);
  if (!header) return std::unexpected(header.error());
  if (header->e_type != ET_EXEC && header->e_type != ET_DYN)
    return std::unexpected(ElfError::kNotLoadable);
  image.machine_ = header->e_machine == EM_X86_64    ? Machine::kX86_64
                   : header->e_machine == EM_AARCH64 ? Machine::kAArch64
                                                     : Machine::kOther;
  image.fixed_place_ = header->e_type == ET_EXEC;
  image.entry_ = header->e_entry;

  if (header->e_phnum == 0 || header->e_phentsize != sizeof(Elf64_Phdr))
    return std::unexpected(ElfError::kMalformed);
  if (auto done = image.read_segments(header->e_phoff, header->e_phnum); !done)
    return std::unexpected(done.error());

  // Sections are not needed to run, so a file with bad ones is a file without.
  if (header->e_shoff != 0 && header->e_shnum != 0 && header->e_shentsize == sizeof(Elf64_Shdr)) {
    const auto done = image.read_sections(header->e_shoff, header->e_shnum, header->e_shstrndx);
    if (!done) image.sections_.clear();
  }
  return image;
}

ElfResult<void> ElfImage::read_segments(std::uint64_t offset, std::uint16_t count) {
  if (count > kMaxSegments) return std::unexpected(ElfError::kMalformed);
  std::array<Elf64_Phdr, kMaxSegments> headers;
  const auto used = std::span(headers).first(count);
  if (auto done = reader_.read(offset, std::as_writable_bytes(used)); !done) return done;
  segments_.reserve(count);
  for (const auto& header : used) {
    std::uint64_t end = 0;
    if (add_overflows(header.p_offset, header.p_filesz, end) ||
        add_overflows(header.p_vaddr, header.p_memsz, end))
      return std::unexpected(ElfError::kMalformed);
    segments_.push_back({.type = header.p_type,
                         .flags = header.p_flags,
                         .offset = header.p_offset,
                         .vaddr = header.p_vaddr,
                         .file_bytes = header.p_filesz,
                         .memory_bytes = header.p_memsz});
  }
  return {};
}

ElfResult<void> ElfImage::read_sections(std::uint64_t offset, std::uint16_t count,
                                        std::uint16_t names_index) {
  if (names_index >= count) return std::unexpected(ElfError::kMalformed);
  if (!reader_.contains(offset, std::uint64_t{count} * sizeof(Elf64_Shdr)))
    return std::unexpected(ElfError::kTruncated);
  const auto place = [&](std::uint64_t index) { return offset + index * sizeof(Elf64_Shdr); };
  const auto names_header = reader_.read_as<Elf64_Shdr>(place(names_index));
  if (!names_header) return std::unexpected(names_header.error());
  if (!reader_.contains(names_header->sh_offset, names_header->sh_size))
    return std::unexpected(ElfError::kTruncated);

  FileWindow headers(reader_);
  FileWindow names(reader_, 16 * 1024);
  for (std::uint64_t index = 0; index < count && sections_.size() < kMaxSections; ++index) {
    const auto header = headers.load<Elf64_Shdr>(place(index));
    if (!header) return std::unexpected(header.error());
    const SectionName name = known_name(names, *names_header, header->sh_name);
    if (!worth_keeping(header->sh_type, name) || header->sh_type == SHT_NOBITS) continue;
    if (!reader_.contains(header->sh_offset, header->sh_size)) continue;
    Section section{.type = header->sh_type,
                    .name = name,
                    .vaddr = header->sh_addr,
                    .offset = header->sh_offset,
                    .size_bytes = header->sh_size,
                    .entry_bytes = header->sh_entsize,
                    .strings_offset = 0,
                    .strings_bytes = 0};
    if (header->sh_type == SHT_SYMTAB || header->sh_type == SHT_DYNSYM) {
      if (header->sh_link >= count) continue;
      const auto strings = reader_.read_as<Elf64_Shdr>(place(header->sh_link));
      if (!strings) return std::unexpected(strings.error());
      if (!reader_.contains(strings->sh_offset, strings->sh_size)) continue;
      section.strings_offset = strings->sh_offset;
      section.strings_bytes = strings->sh_size;
    }
    sections_.push_back(section);
  }
  return {};
}

bool ElfImage::is_program() const {
  return fixed_place_ || segment_of_type(PT_INTERP) != nullptr;
}

const Section* ElfImage::section_of_type(std::uint32_t type) const {
  const auto found = std::ranges::find(sections_, type, &Section::type);
  return found == sections_.end() ? nullptr : &*found;
}

const Section* ElfImage::section_named(SectionName name) const {
  const auto found = std::ranges::find(sections_, name, &Section::name);
  return found == sections_.end() ? nullptr : &*found;
}

const Segment* ElfImage::segment_of_type(std::uint32_t type) const {
  const auto found = std::ranges::find(segments_, type, &Segment::type);
  return found == segments_.end() ? nullptr : &*found;
}

std::optional<std::uint64_t> ElfImage::file_offset(std::uint64_t vaddr,
                                                   std::uint64_t length) const {
  return offset_in(vaddr, length, 0);
}

std::optional<std::uint64_t> ElfImage::code_offset(std::uint64_t vaddr,
                                                   std::uint64_t length) const {
  return offset_in(vaddr, length, PF_X);
}

std::optional<std::uint64_t> ElfImage::offset_in(std::uint64_t vaddr, std::uint64_t length,
                                                 std::uint32_t flags) const {
  for (const Segment& segment : segments_) {
    if (segment.type != PT_LOAD || (segment.flags & flags) != flags) continue;
    if (vaddr < segment.vaddr) continue;
    const std::uint64_t inside = vaddr - segment.vaddr;
    if (inside >= segment.file_bytes || length > segment.file_bytes - inside) continue;
    // offset + file_bytes was checked not to wrap when the segment was read.
    const std::uint64_t offset = segment.offset + inside;
    if (!reader_.contains(offset, length)) return std::nullopt;
    return offset;
  }
  return std::nullopt;
}

}  // namespace exa
