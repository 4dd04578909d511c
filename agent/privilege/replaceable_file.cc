#include "agent/privilege/replaceable_file.h"

#include <fcntl.h>
#include <linux/stat.h>
#include <sys/stat.h>

#include <deque>
#include <filesystem>

namespace exa {
namespace {

namespace fs = std::filesystem;

constexpr int kMaxLinks = 40;  // as the kernel

void add(std::set<std::string>& folders, const fs::path& folder) {
  std::error_code error;
  const auto real = fs::canonical(folder, error);
  if (!error && real != real.root_path()) folders.insert(real.string());
}

}  // namespace

std::set<std::string> folders_of(const std::string& path) {
  std::set<std::string> folders;
  std::error_code error;
  const auto whole = fs::absolute(path, error);
  if (error) return folders;
  add(folders, whole.parent_path());
  const auto names = whole.relative_path();
  std::deque<fs::path> left(names.begin(), names.end());
  fs::path here = "/";
  for (int links = 0; !left.empty();) {
    const auto name = left.front();
    left.pop_front();
    const auto next = name == ".." ? here.parent_path() : here / name;
    const auto target = fs::read_symlink(next, error);
    if (error) {
      here = next;
      continue;
    }
    if (++links > kMaxLinks) return folders;
    add(folders, (target.is_absolute() ? target : here / target).parent_path());
    if (target.is_absolute()) here = "/";
    const auto through = target.relative_path();
    left.insert(left.begin(), through.begin(), through.end());
  }
  add(folders, here.parent_path());
  return folders;
}

bool stays_in_place(const std::string& path) {
  struct statx status{};
  return statx(AT_FDCWD, path.c_str(), AT_SYMLINK_NOFOLLOW, 0, &status) == 0 &&
         (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
}

}  // namespace exa
