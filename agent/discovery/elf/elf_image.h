// The frame of one 64-bit ELF file: its segments, the few sections that discovery looks at, and
// the way from an address to a file offset. Segments are believed, as the kernel believed them;
// sections are a hint that may be missing or wrong.
// Any one thread. Owned by the caller, borrows the descriptor. Holds at most kMaxSegments +
// kMaxSections small structs.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "agent/discovery/elf/bounded_reader.h"

namespace exa {

enum class Machine : std::uint8_t { kX86_64, kAArch64, kOther };

struct Segment {
  std::uint32_t type;
  std::uint32_t flags;
  std::uint64_t offset;
  std::uint64_t vaddr;
  std::uint64_t file_bytes;
  std::uint64_t memory_bytes;
};

enum class SectionName : std::uint8_t {
  kOther,
  kText,
  kGoFunctionTable,  // .gopclntab, .data.rel.ro.gopclntab
  kGoBuild,          // .go.buildinfo
  kGoModule,         // .go.module
};

struct Section {
  std::uint32_t type;
  SectionName name;
  std::uint64_t vaddr;
  std::uint64_t offset;
  std::uint64_t size_bytes;
  std::uint64_t entry_bytes;
  // The string table that a symbol table names, already resolved.
  std::uint64_t strings_offset;
  std::uint64_t strings_bytes;
};

class ElfImage {
 public:
  static constexpr std::size_t kMaxSegments = 128;
  static constexpr std::size_t kMaxSections = 64;  // kept ones, not those in the file

  [[nodiscard]] static ElfResult<ElfImage> open(int fd, ReadLimits limits = {});

  [[nodiscard]] Machine machine() const { return machine_; }
  [[nodiscard]] std::uint64_t entry() const { return entry_; }
  // A program, not a library: it names an interpreter or has a fixed place. (A static one that may
  // load anywhere has neither: DynamicSegment knows.)
  [[nodiscard]] bool is_program() const;
  [[nodiscard]] std::span<const Segment> segments() const { return segments_; }
  [[nodiscard]] std::span<const Section> sections() const { return sections_; }
  [[nodiscard]] const Section* section_of_type(std::uint32_t type) const;
  [[nodiscard]] const Section* section_named(SectionName name) const;
  [[nodiscard]] const Segment* segment_of_type(std::uint32_t type) const;

  // Where length bytes at an address lie in the file; nothing unless one loaded segment has all.
  [[nodiscard]] std::optional<std::uint64_t> file_offset(std::uint64_t vaddr,
                                                         std::uint64_t length) const;
  // The same for code: only executable segments count.
  [[nodiscard]] std::optional<std::uint64_t> code_offset(std::uint64_t vaddr,
                                                         std::uint64_t length) const;

  [[nodiscard]] BoundedReader& reader() { return reader_; }
  [[nodiscard]] const BoundedReader& reader() const { return reader_; }

 private:
  explicit ElfImage(BoundedReader reader) : reader_(reader) {}
  ElfResult<void> read_segments(std::uint64_t offset, std::uint16_t count);
  ElfResult<void> read_sections(std::uint64_t offset, std::uint16_t count, std::uint16_t names);
  std::optional<std::uint64_t> offset_in(std::uint64_t vaddr, std::uint64_t length,
                                         std::uint32_t flags) const;

  BoundedReader reader_;
  Machine machine_ = Machine::kOther;
  bool fixed_place_ = false;
  std::uint64_t entry_ = 0;
  std::vector<Segment> segments_;
  std::vector<Section> sections_;
};

}  // namespace exa
