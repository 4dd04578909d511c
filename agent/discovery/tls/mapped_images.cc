#include "agent/discovery/tls/mapped_images.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <optional>

namespace exa {
namespace {

constexpr std::string_view kDeleted = " (deleted)";
constexpr std::uint64_t kMaxMapsBytes = std::uint64_t{32} << 20;

// Takes a number and the character after it off the front of text.
template <typename T>
bool take_number(std::string_view& text, T& number, int base, char separator) {
  const auto [rest, error] = std::from_chars(text.data(), text.data() + text.size(), number, base);
  if (error != std::errc{} || rest == text.data() + text.size() || *rest != separator) return false;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()) + 1);
  return true;
}

// START-END PERMS OFFSET MAJOR:MINOR INODE   PATH. The kernel writes a newline in a path as \012,
// so a path cannot begin a line of its own; all else in it is taken as it is.
struct Line {
  MappedImage image;
  bool executable = false;
};
std::optional<Line> parse_line(std::string_view text) {
  Line line;
  MappedImage& image = line.image;
  std::uint64_t file_offset = 0;
  if (!take_number(text, image.start, 16, '-') || !take_number(text, image.end, 16, ' '))
    return std::nullopt;
  if (image.start >= image.end || text.size() < 5 || text[4] != ' ') return std::nullopt;
  line.executable = text[2] == 'x';
  text.remove_prefix(5);
  if (!take_number(text, file_offset, 16, ' ') || !take_number(text, image.device_major, 16, ':') ||
      !take_number(text, image.device_minor, 16, ' '))
    return std::nullopt;
  const auto [rest, error] =
      std::from_chars(text.data(), text.data() + text.size(), image.inode, 10);
  if (error != std::errc{}) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(rest - text.data()));
  text.remove_prefix(std::min(text.find_first_not_of(' '), text.size()));
  image.deleted = text.ends_with(kDeleted);
  if (image.deleted) text.remove_suffix(kDeleted.size());
  image.path = text;
  return line;
}

std::string hexadecimal(std::uint64_t number) {
  char digits[16];
  const auto end = std::to_chars(std::begin(digits), std::end(digits), number, 16).ptr;
  return {digits, end};
}

UniqueFd open_beneath_root(int process_fd, const std::string& path) {
  const UniqueFd root(openat(process_fd, "root", O_PATH | O_DIRECTORY | O_CLOEXEC));
  if (!root.valid()) return {};
  open_how how{};
  how.flags = O_PATH | O_CLOEXEC;
  how.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS;
  return UniqueFd(
      static_cast<int>(syscall(SYS_openat2, root.get(), path.c_str(), &how, sizeof how)));
}

}  // namespace

void MapsParser::feed(std::string_view text) {
  while (!text.empty()) {
    const auto newline = text.find('\n');
    const auto piece = text.substr(0, newline);
    if (!skipping_ && partial_.size() + piece.size() > kMaxLineBytes) {
      skipping_ = true;
      partial_.clear();
      ++malformed_lines_;
    }
    if (newline == text.npos) {
      if (!skipping_) partial_ += piece;
      return;
    }
    if (!skipping_) {
      if (partial_.empty()) {
        take_line(piece);
      } else {
        partial_ += piece;
        take_line(partial_);
        partial_.clear();
      }
    }
    skipping_ = false;
    text.remove_prefix(newline + 1);
  }
}

void MapsParser::finish() {
  if (!skipping_ && !partial_.empty()) take_line(partial_);
  partial_.clear();
  skipping_ = false;
}

void MapsParser::take_line(std::string_view text) {
  auto line = parse_line(text);
  if (!line) {
    ++malformed_lines_;
    return;
  }
  if (!line->executable || line->image.inode == 0) return;
  const auto same_file = [&](const MappedImage& known) {
    return known.inode == line->image.inode && known.device_major == line->image.device_major &&
           known.device_minor == line->image.device_minor;
  };
  if (std::ranges::any_of(images_, same_file)) return;
  if (images_.size() == kMaxImages) {
    ++images_over_limit_;
    return;
  }
  images_.push_back(std::move(line->image));
}

Result<UniqueFd> open_process(std::uint32_t tgid) {
  const std::string path = "/proc/" + std::to_string(tgid);
  UniqueFd process(open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (!process.valid()) return fail_errno("open " + path, errno);
  return process;
}

Result<MappedImages> read_mapped_images(int process_fd) {
  const UniqueFd maps(openat(process_fd, "maps", O_RDONLY | O_CLOEXEC));
  if (!maps.valid()) return fail_errno("open maps of the process", errno);
  MapsParser parser;
  char buffer[16 * 1024];
  std::uint64_t total = 0;
  while (total < kMaxMapsBytes) {
    const ssize_t got = read(maps.get(), buffer, sizeof buffer);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail_errno("read maps of the process", errno);
    if (got == 0) break;
    total += static_cast<std::uint64_t>(got);
    parser.feed({buffer, static_cast<std::size_t>(got)});
  }
  parser.finish();
  return MappedImages{.images = parser.images(),
                      .complete = total < kMaxMapsBytes && parser.malformed_lines() == 0 &&
                                  parser.images_over_limit() == 0};
}

Result<UniqueFd> open_mapped_image(int process_fd, const MappedImage& image) {
  const std::string mapping =
      "map_files/" + hexadecimal(image.start) + "-" + hexadecimal(image.end);
  // O_PATH first: opening a device would already act on it.
  UniqueFd place(openat(process_fd, mapping.c_str(), O_PATH | O_CLOEXEC));
  const int reason = errno;
  const bool by_path = !place.valid() && (reason == EPERM || reason == EACCES) && !image.deleted;
  if (by_path) place = open_beneath_root(process_fd, image.path);
  if (!place.valid()) return fail_errno("open the mapped file " + image.path, reason);
  struct stat status{};
  if (fstat(place.get(), &status) != 0) return fail_errno("examine " + image.path, errno);
  if (!S_ISREG(status.st_mode)) return fail("not a regular file: " + image.path);
  // A path may lead elsewhere by now; the mapping cannot. (Its inode is not compared: overlay
  // filesystems show another one in maps than in stat.)
  if (by_path && status.st_ino != image.inode)
    return fail("replaced since it was mapped: " + image.path);
  UniqueFd file(open(("/proc/self/fd/" + std::to_string(place.get())).c_str(),
                     O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!file.valid()) return fail_errno("read " + image.path, errno);
  return file;
}

}  // namespace exa
