#include "agent/discovery/elf/unwind_table.h"

#include <elf.h>

#include <array>
#include <span>

namespace exa {
namespace {

// DW_EH_PE_*: how a value is encoded.
enum Encoding : std::uint8_t {
  kUnsigned4 = 0x03,
  kSigned4 = 0x0b,
  kSigned8 = 0x0c,
  kValueForm = 0x0f,
  kFromHere = 0x10,
  kFromTable = 0x30,
};

constexpr std::uint64_t kTableHead = 12;  // version, three encodings, .eh_frame, count
constexpr std::uint64_t kTableEntry = 8;  // begin of a function, its description
constexpr std::size_t kCommonBytes = 64;  // of a common description: enough up to its encodings

class UnwindTable {
 public:
  UnwindTable(ElfImage& image, std::uint64_t vaddr, std::uint64_t entries)
      : image_(image), vaddr_(vaddr), entries_(entries) {}

  static std::optional<UnwindTable> of(ElfImage& image) {
    const Segment* const segment = image.segment_of_type(PT_GNU_EH_FRAME);
    if (segment == nullptr) return std::nullopt;
    const auto head = load<std::array<std::uint8_t, 4>>(image, segment->vaddr);
    const auto count = load<std::uint32_t>(image, segment->vaddr + 8);
    constexpr std::array<std::uint8_t, 4> kUsual{1, kFromHere | kSigned4, kUnsigned4,
                                                 kFromTable | kSigned4};
    if (!head || *head != kUsual || !count) return std::nullopt;
    return UnwindTable(image, segment->vaddr, *count);
  }

  // Address of the description of the last function that begins at or before the address.
  std::optional<std::uint64_t> description_for(std::uint64_t vaddr) {
    std::uint64_t below = 0;  // so many entries begin at or before it, for certain
    for (std::uint64_t above = entries_; below < above;) {
      const auto middle = below + (above - below) / 2;
      const auto begin = load<std::int32_t>(image_, entry(middle));
      if (!begin) return std::nullopt;
      if (at(*begin) <= vaddr)
        below = middle + 1;
      else
        above = middle;
    }
    if (below == 0) return std::nullopt;
    const auto description = load<std::int32_t>(image_, entry(below - 1) + 4);
    if (!description) return std::nullopt;
    return at(*description);
  }

  std::optional<CodeRange> range_of(std::uint64_t description) {
    const auto length = load<std::uint32_t>(image_, description);
    const auto to_common = load<std::uint32_t>(image_, description + 4);
    if (!length || !to_common || *length == 0xffffffff || *to_common == 0) return std::nullopt;
    const auto encoding = pointer_encoding(description + 4 - *to_common);
    if (!encoding || (*encoding & 0xf0) != kFromHere) return std::nullopt;
    const auto place = description + 8;
    if ((*encoding & kValueForm) == kSigned8) {
      const auto begin = load<std::int64_t>(image_, place);
      const auto size = load<std::uint64_t>(image_, place + 8);
      if (!begin || !size) return std::nullopt;
      return CodeRange{.vaddr = place + static_cast<std::uint64_t>(*begin), .size_bytes = *size};
    }
    if ((*encoding & kValueForm) != kSigned4) return std::nullopt;
    const auto begin = load<std::int32_t>(image_, place);
    const auto size = load<std::uint32_t>(image_, place + 4);
    if (!begin || !size) return std::nullopt;
    return CodeRange{.vaddr = place + static_cast<std::uint64_t>(std::int64_t{*begin}),
                     .size_bytes = *size};
  }

 private:
  template <typename T>
  static std::optional<T> load(ElfImage& image, std::uint64_t vaddr) {
    const auto offset = image.file_offset(vaddr, sizeof(T));
    if (!offset) return std::nullopt;
    const auto value = image.reader().read_as<T>(*offset);
    return value ? std::optional(*value) : std::nullopt;
  }

  [[nodiscard]] std::uint64_t entry(std::uint64_t index) const {
    return vaddr_ + kTableHead + index * kTableEntry;
  }
  [[nodiscard]] std::uint64_t at(std::int32_t distance) const {
    return vaddr_ + static_cast<std::uint64_t>(std::int64_t{distance});
  }

  // Of a common description: its augmentation, a string such as "zPLR", says what lies behind it.
  std::optional<std::uint8_t> pointer_encoding(std::uint64_t common) {
    const auto bytes = load<std::array<std::uint8_t, kCommonBytes>>(image_, common);
    if (!bytes || (*bytes)[8] != 1 || (*bytes)[9] != 'z') return std::nullopt;
    std::size_t here = 9;
    while (here < kCommonBytes && (*bytes)[here] != 0)
      ++here;
    const auto letters = std::span(*bytes).subspan(10, here - std::min<std::size_t>(here, 10));
    const auto skip_number = [&] {  // LEB128
      while (here < kCommonBytes && ((*bytes)[here] & 0x80) != 0)
        ++here;
      ++here;
    };
    ++here;
    for (int number = 0; number < 4; ++number)  // alignments, return register, augmentation length
      skip_number();
    for (const auto letter : letters) {
      if (here >= kCommonBytes) return std::nullopt;
      const auto encoding = (*bytes)[here++];
      if (letter == 'R') return encoding;
      if (letter == 'L') continue;
      if (letter != 'P') return std::nullopt;
      const auto form = encoding & kValueForm;
      if (form != kUnsigned4 && form != kSigned4 && form != kSigned8) return std::nullopt;
      here += form == kSigned8 ? 8 : 4;
    }
    return std::nullopt;
  }

  ElfImage& image_;
  std::uint64_t vaddr_;
  std::uint64_t entries_;
};

}  // namespace

std::optional<CodeRange> function_around(ElfImage& image, std::uint64_t vaddr) {
  auto table = UnwindTable::of(image);
  if (!table) return std::nullopt;
  const auto description = table->description_for(vaddr);
  if (!description) return std::nullopt;
  const auto range = table->range_of(*description);
  return range && range->contains(vaddr) ? range : std::nullopt;
}

}  // namespace exa
