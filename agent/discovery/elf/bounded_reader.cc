#include "agent/discovery/elf/bounded_reader.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>

namespace exa {

ElfResult<BoundedReader> BoundedReader::open(int fd, ReadLimits limits) {
  struct stat status{};
  if (fstat(fd, &status) != 0) return std::unexpected(ElfError::kReadFailed);
  if (!S_ISREG(status.st_mode)) return std::unexpected(ElfError::kNotRegularFile);
  // Offsets are passed to pread as signed numbers.
  if (status.st_size < 0) return std::unexpected(ElfError::kReadFailed);
  const FileIdentity identity{
      .device = status.st_dev,
      .inode = status.st_ino,
      .mtime_ns = static_cast<std::uint64_t>(status.st_mtim.tv_sec) * 1'000'000'000u +
                  static_cast<std::uint64_t>(status.st_mtim.tv_nsec),
      .size_bytes = static_cast<std::uint64_t>(status.st_size)};
  return BoundedReader(fd, identity, limits);
}

ElfResult<void> BoundedReader::read(std::uint64_t offset, std::span<std::byte> out) {
  if (!contains(offset, out.size())) return std::unexpected(ElfError::kTruncated);
  if (out.size() > bytes_left_) return std::unexpected(ElfError::kTooMuch);
  if (Clock::now() > deadline_) return std::unexpected(ElfError::kTooSlow);
  bytes_left_ -= out.size();
  while (!out.empty()) {
    const ssize_t got = pread(fd_, out.data(), out.size(), static_cast<off_t>(offset));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return std::unexpected(ElfError::kReadFailed);
    if (got == 0) return std::unexpected(ElfError::kTruncated);  // cut while it is read
    offset += static_cast<std::uint64_t>(got);
    out = out.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

ElfResult<std::span<const std::byte>> FileWindow::at(std::uint64_t offset, std::size_t length) {
  if (offset >= begin_ && length <= bytes_.size() && offset - begin_ <= bytes_.size() - length)
    return std::span(bytes_).subspan(offset - begin_, length);
  if (length > capacity_bytes_) return std::unexpected(ElfError::kTooMuch);
  if (!reader_->contains(offset, length)) return std::unexpected(ElfError::kTruncated);
  bytes_.resize(static_cast<std::size_t>(
      std::min<std::uint64_t>(capacity_bytes_, reader_->size_bytes() - offset)));
  begin_ = offset;
  if (auto done = reader_->read(offset, bytes_); !done) {
    bytes_.clear();
    return std::unexpected(done.error());
  }
  return std::span<const std::byte>(bytes_).first(length);
}

}  // namespace exa
