// What is said of a foreign file without reading it: which one it is, and how much of it may be
// read. All of this room that processes with a capability include. Pure values.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>

namespace exa {

struct ReadLimits {
  std::uint64_t bytes = std::uint64_t{512} << 20;
  std::chrono::milliseconds duration{2000};
};

// What makes two descriptors the same unchanged file.
struct FileIdentity {
  std::uint64_t device = 0;
  std::uint64_t inode = 0;
  std::uint64_t mtime_ns = 0;
  std::uint64_t size_bytes = 0;
  auto operator<=>(const FileIdentity&) const = default;
};

// memcpy out of bytes whose length the caller has checked.
template <typename T>
T load_at(std::span<const std::byte> bytes, std::size_t offset) {
  T value;
  std::memcpy(&value, bytes.data() + offset, sizeof(T));
  return value;
}

}  // namespace exa
