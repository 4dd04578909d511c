// The files whose code a process has mapped: its executable and its libraries, wherever it found
// them, deleted ones and memfds included.
//
// Files are opened by what is mapped (/proc/PID/map_files), not by the path that the process shows.
// Prober thread only. At most kMaxImages a process.
#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "exa/base/result.h"
#include "exa/base/unique_fd.h"

namespace exa {

struct MappedImage {
  std::uint64_t start = 0;  // of the first executable mapping
  std::uint64_t end = 0;
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  std::uint64_t inode = 0;
  std::string path;  // as the process sees it; for display, and never trusted
  bool deleted = false;
};

// Collects executable file mappings from the text of a maps file, fed in pieces of any size.
class MapsParser {
 public:
  static constexpr std::size_t kMaxImages = 1024;
  static constexpr std::size_t kMaxLineBytes = 20 * 1024;  // PATH_MAX, each byte escaped, and more

  void feed(std::string_view text);
  // No more text: a last line without its newline is taken too.
  void finish();

  // One entry a file (device and inode), in order of address.
  [[nodiscard]] const std::vector<MappedImage>& images() const { return images_; }
  [[nodiscard]] std::uint64_t malformed_lines() const { return malformed_lines_; }
  [[nodiscard]] std::uint64_t images_over_limit() const { return images_over_limit_; }

 private:
  void take_line(std::string_view line);

  std::string partial_;
  bool skipping_ = false;  // inside a line longer than any can be
  std::vector<MappedImage> images_;
  std::uint64_t malformed_lines_ = 0;
  std::uint64_t images_over_limit_ = 0;
};

// A handle on one process: once its pid is reused, every use of the handle fails with ESRCH.
[[nodiscard]] Result<UniqueFd> open_process(std::uint32_t tgid);

struct MappedImages {
  std::vector<MappedImage> images;
  bool complete = true;  // false: lines or images were left out
};
[[nodiscard]] Result<MappedImages> read_mapped_images(int process_fd);

// Opens the mapped file itself for reading. Only regular files; a device is never opened. Without
// CAP_CHECKPOINT_RESTORE map_files is closed: then by path inside the root of the process, if that
// leads to the same inode.
[[nodiscard]] Result<UniqueFd> open_mapped_image(int process_fd, const MappedImage& image);

}  // namespace exa
