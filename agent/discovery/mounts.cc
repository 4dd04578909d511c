#include "agent/discovery/mounts.h"

#include <fcntl.h>
#include <sys/stat.h>

#include <charconv>

#include "agent/discovery/proc_reader.h"
#include "exa/base/take_until.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

constexpr std::size_t kMaxMountsBytes = 4u << 20;

bool covers(std::string_view point, std::string_view path) {
  if (point == "/") return true;
  return path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

// id parent major:minor root POINT options [optional fields] - KIND source options
Mounts::Mounts(std::string_view text) {
  while (!text.empty()) {
    auto line = take_until(text, '\n');
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    auto kind = line.substr(dash + 3);
    line = line.substr(0, dash);
    std::uint64_t id = 0;
    const auto number = take_until(line, ' ');
    std::from_chars(number.data(), number.data() + number.size(), id);
    for (int field = 0; field < 2; ++field)
      take_until(line, ' ');
    const auto root = take_until(line, ' ');
    const auto point = take_until(line, ' ');
    if (point.starts_with('/'))
      mounts_.push_back({.id = id,
                         .root = std::string(root),
                         .point = std::string(point),
                         .file_system = std::string(take_until(kind, ' '))});
  }
}

Mounts Mounts::of_this_process() {
  const UniqueFd file(::open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC));
  return Mounts(file.valid() ? read_text(file.get(), kMaxMountsBytes) : std::string());
}

std::string_view Mounts::file_system_of(std::string_view path) const {
  const Mount* deepest = nullptr;
  for (const Mount& mount : mounts_)
    if (covers(mount.point, path) &&
        (deepest == nullptr || mount.point.size() >= deepest->point.size()))
      deepest = &mount;
  if (deepest == nullptr) return {};
  // "fuse.sshfs": the kind, and who serves it.
  const std::string_view kind = deepest->file_system;
  return kind.substr(0, kind.find('.'));
}

std::uint64_t mount_of(int place) {
  struct statx status{};
  const int done =
      statx(place, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_MNT_ID, &status);
  return done == 0 && (status.stx_mask & STATX_MNT_ID) != 0 ? status.stx_mnt_id : 0;
}

// Not by openat2, which says the same in one call: sandboxes such as systemd's refuse it, as they
// cannot see its flags.
UniqueFd open_below_no_mount(int directory, const char* name, int flags) {
  const UniqueFd place(openat(directory, name, O_PATH | O_CLOEXEC));
  if (!place.valid() || mount_of(place.get()) != mount_of(directory)) return {};
  const auto again = "/proc/self/fd/" + std::to_string(place.get());
  return UniqueFd(open(again.c_str(), flags | O_CLOEXEC | O_NONBLOCK));
}

}  // namespace exa
