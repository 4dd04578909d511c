#include "agent/discovery/mounts.h"

#include <fcntl.h>

#include "agent/discovery/proc_reader.h"
#include "exa/base/unique_fd.h"

namespace exa {
namespace {

constexpr std::size_t kMaxMountsBytes = 4u << 20;

std::string_view take(std::string_view& rest, char separator) {
  const auto end = rest.find(separator);
  const auto taken = rest.substr(0, end);
  rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  return taken;
}

bool covers(std::string_view point, std::string_view path) {
  if (point == "/") return true;
  return path.starts_with(point) && (path.size() == point.size() || path[point.size()] == '/');
}

}  // namespace

// id parent major:minor root POINT options [optional fields] - KIND source options
Mounts::Mounts(std::string_view text) {
  while (!text.empty()) {
    auto line = take(text, '\n');
    const auto dash = line.find(" - ");
    if (dash == std::string_view::npos) continue;
    auto kind = line.substr(dash + 3);
    line = line.substr(0, dash);
    for (int field = 0; field < 4; ++field)
      take(line, ' ');
    const auto point = take(line, ' ');
    if (point.starts_with('/'))
      mounts_.push_back({.point = std::string(point), .file_system = std::string(take(kind, ' '))});
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

}  // namespace exa
