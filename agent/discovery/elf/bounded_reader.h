// Reads a foreign file by pread, never by mapping: a file truncated under a mapping kills with
// SIGBUS, under pread it is a short read. Every byte counts against a budget and every call
// against a deadline, so no file holds the caller longer than it was allowed.
// Any one thread. The descriptor is borrowed and must outlive the reader.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <expected>
#include <span>
#include <type_traits>
#include <vector>

#include "agent/discovery/elf/elf_error.h"
#include "agent/discovery/elf/file_identity.h"

namespace exa {

template <typename T>
using ElfResult = std::expected<T, ElfError>;

class BoundedReader {
 public:
  // Refuses everything but regular files: a FIFO would block, a device would act.
  [[nodiscard]] static ElfResult<BoundedReader> open(int fd, ReadLimits limits);

  [[nodiscard]] std::uint64_t size_bytes() const { return identity_.size_bytes; }
  [[nodiscard]] const FileIdentity& identity() const { return identity_; }

  // True if [offset, offset + length) lies inside the file as it was when opened.
  [[nodiscard]] bool contains(std::uint64_t offset, std::uint64_t length) const {
    return length <= size_bytes() && offset <= size_bytes() - length;
  }
  // Fills the whole of out, or fails.
  [[nodiscard]] ElfResult<void> read(std::uint64_t offset, std::span<std::byte> out);

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] ElfResult<T> read_as(std::uint64_t offset) {
    T value;
    if (auto done = read(offset, std::as_writable_bytes(std::span(&value, 1))); !done)
      return std::unexpected(done.error());
    return value;
  }

 private:
  using Clock = std::chrono::steady_clock;
  BoundedReader(int fd, FileIdentity identity, ReadLimits limits)
      : fd_(fd),
        identity_(identity),
        bytes_left_(limits.bytes),
        deadline_(Clock::now() + limits.duration) {}

  int fd_;
  FileIdentity identity_;
  std::uint64_t bytes_left_;
  Clock::time_point deadline_;
};

// A piece of the file in memory that moves forward with its user: large tables pass through it
// without being held. A view is valid until the next call.
class FileWindow {
 public:
  static constexpr std::size_t kDefaultBytes = 64 * 1024;

  explicit FileWindow(BoundedReader& reader, std::size_t capacity_bytes = kDefaultBytes)
      : reader_(&reader), capacity_bytes_(capacity_bytes) {}

  // length bytes at offset; length is at most the capacity.
  [[nodiscard]] ElfResult<std::span<const std::byte>> at(std::uint64_t offset, std::size_t length);

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  [[nodiscard]] ElfResult<T> load(std::uint64_t offset) {
    const auto bytes = at(offset, sizeof(T));
    if (!bytes) return std::unexpected(bytes.error());
    T value;
    std::memcpy(&value, bytes->data(), sizeof(T));
    return value;
  }

 private:
  BoundedReader* reader_;
  std::size_t capacity_bytes_;
  std::vector<std::byte> bytes_;
  std::uint64_t begin_ = 0;
};

// a + b, or nothing if it wraps.
constexpr bool add_overflows(std::uint64_t a, std::uint64_t b, std::uint64_t& sum) {
  return __builtin_add_overflow(a, b, &sum);
}

}  // namespace exa
