// What a Go program says of its build, inline or (before Go 1.18) through pointers, and its build
// id: hostile bytes anywhere in a small sound program.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <string>
#include <string_view>

#include "agent/discovery/elf/build_id.h"
#include "agent/discovery/elf/go_build.h"
#include "agent/discovery/elf/go_functions.h"
#include "tests/support/synthetic_go.h"

namespace {

using namespace exa;
using test::SyntheticGo;

constexpr ReadLimits kLimits{.bytes = 16 << 20, .duration = std::chrono::milliseconds(500)};
constexpr std::uint64_t kString = SyntheticGo::kBuild + 0x40;  // a Go string: pointer and length
constexpr std::uint64_t kText = SyntheticGo::kBuild + 0x60;

void require(bool holds) {
  if (!holds) std::abort();
}

void point_to_the_version(test::MemoryFile& file, std::string_view version) {
  file.write(SyntheticGo::kBuild, {"\xff Go buildinf:\x08\x00", 16});
  file.put(SyntheticGo::kBuild + 16, SyntheticGo::kBase + kString);
  file.put(kString, SyntheticGo::kBase + kText);
  file.put(kString + 8, std::uint64_t{version.size()});
  file.write(kText, version);
}

}  // namespace

// Input: the form; the version and a NUL; patches of a 16-bit place and a 64-bit value each. Every
// second place is near the build information.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto version = input.substr(0, std::min<std::size_t>(input.find('\0'), 100));
  auto patches = input.substr(std::min(version.size() + 1, input.size()));
  static test::MemoryFile file;
  test::write_synthetic_go(file, static_cast<test::GoForm>(data[0] % 3), version);
  const bool by_pointer = (data[0] & 0x80) != 0;
  if (by_pointer) point_to_the_version(file, version);
  const bool sound = patches.size() < 10;
  for (int i = 0; i < 20 && patches.size() >= 10; ++i) {
    std::uint16_t place;
    std::uint64_t value;
    std::memcpy(&place, patches.data(), 2);
    std::memcpy(&value, patches.data() + 2, 8);
    patches.remove_prefix(10);
    file.put(
        (place & 0x8000) != 0 ? SyntheticGo::kBuild + place % 0x100 : place % (file.size() - 8),
        value);
  }

  auto image = ElfImage::open(file.fd(), kLimits);
  if (!image) return 0;
  if (const auto build = read_go_build(*image)) {
    require(build->version.size() <= 255);
    require(std::ranges::all_of(build->version, [](char c) { return c >= ' ' && c <= '~'; }));
    require(build->minor == 0 || build->version.find("go1.") != std::string::npos);
    const bool printable =
        std::ranges::all_of(version, [](char c) { return c >= ' ' && c <= '~'; });
    if (sound) require(build->version == (printable ? version : std::string_view{}));
    (void)passes_arguments_in_registers(*build, image->machine());
  } else {
    require(!sound);
  }
  if (const auto id = read_build_id(*image))
    require(!id->empty() && id->find_first_not_of("0123456789abcdef") == std::string::npos);
  constexpr std::array<std::string_view, 2> kNames = {"crypto/tls.(*Conn).Read",
                                                      "crypto/tls.(*Conn).Write"};
  if (const auto found = find_go_functions(*image, kNames))
    for (const auto& function : *found)
      require(function.wanted < kNames.size() && function.file_offset < file.size());
  return 0;
}
