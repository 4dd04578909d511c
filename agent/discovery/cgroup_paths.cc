#include "agent/discovery/cgroup_paths.h"

#include <dirent.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include <algorithm>
#include <deque>
#include <memory>

#include "agent/discovery/container/cgroup_path.h"
#include "agent/discovery/mounts.h"
#include "agent/discovery/proc_reader.h"

namespace exa {
namespace {

constexpr Duration kListingInterval{1'000'000'000};
constexpr std::uint64_t kShareOfTime = 50;

struct Folder {
  std::uint64_t id = 0;
  std::string path;  // below the top
};

// Those directly in it; an entry tells its inode number, so that none is asked.
std::vector<Folder> folders_in(UniqueFd folder, const std::string& path) {
  std::vector<Folder> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> listing(fdopendir(folder.get()), closedir);
  if (listing == nullptr) return found;
  static_cast<void>(folder.release());
  while (const auto* const entry = readdir(listing.get())) {
    const std::string_view name(entry->d_name);
    if (entry->d_type != DT_DIR || name == "." || name == "..") continue;
    if (found.size() >= CgroupPaths::kMostPaths) break;
    found.push_back({.id = entry->d_ino, .path = path + "/" + std::string(name)});
  }
  return found;
}

}  // namespace

CgroupPaths::CgroupPaths(UniqueFd top, std::string top_path, std::string own_cgroups)
    : top_(std::move(top)),
      top_path_(top_path == "/" ? std::string() : std::move(top_path)),
      own_cgroups_(std::move(own_cgroups)) {}

CgroupPaths CgroupPaths::of_this_host() {
  const auto mounts = Mounts::of_this_process();
  const Mount* widest = nullptr;
  UniqueFd top;
  for (const auto& mount : mounts.all()) {
    // Paths from above the agent's own cgroup namespace have another form than /proc tells.
    if (mount.file_system != "cgroup2" || mount.root.starts_with("/..") ||
        (mount.point != "/sys/fs/cgroup" && mount.point != "/sys/fs/cgroup/unified"))
      continue;
    UniqueFd folder(open(mount.point.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    struct statfs status{};
    const bool is_this = folder.valid() && mount_of(folder.get()) == mount.id &&
                         fstatfs(folder.get(), &status) == 0 &&
                         status.f_type == CGROUP2_SUPER_MAGIC;
    if (!is_this || (widest != nullptr && widest->root.size() <= mount.root.size())) continue;
    widest = &mount;
    top = std::move(folder);
  }
  return widest == nullptr ? CgroupPaths() : CgroupPaths(std::move(top), widest->root);
}

std::string CgroupPaths::path_of(std::uint64_t id, MonotonicTime now) {
  if (!top_.valid() || id == 0) return {};
  auto known = paths_.find(id);
  if (known == paths_.end() && now >= next_listing_) {
    list(now);
    known = paths_.find(id);
  }
  if (known == paths_.end() || !is_whole_truth(known->second)) return {};
  return known->second;
}

// Where the unified hierarchy leaves open who somebody is, another may tell, of which an id says
// nothing.
bool CgroupPaths::is_whole_truth(std::string_view path) const {
  if (settles_identity(path)) return true;
  const UniqueFd file(open(own_cgroups_.c_str(), O_RDONLY | O_CLOEXEC));
  const auto hierarchies = file.valid() ? read_text(file.get(), kMaxProcTextBytes) : std::string();
  return hierarchies.starts_with("0::") && std::ranges::count(hierarchies, '\n') == 1;
}

void CgroupPaths::note(std::uint64_t id, const std::string& path) {
  if (!top_.valid() || id == 0 || paths_.contains(id) || path.contains("/..") ||
      !path.starts_with(top_path_ + "/"))
    return;
  const auto below = path.substr(top_path_.size() + 1);
  struct stat status{};
  if (below.empty() ? fstat(top_.get(), &status) != 0
                    : fstatat(top_.get(), below.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0)
    return;
  if (status.st_ino == id) keep(id, path);
}

void CgroupPaths::keep(std::uint64_t id, std::string path) {
  if (path.size() > kMaxPathBytes) return;
  if (paths_.size() >= kMostPaths) paths_.clear();
  paths_.insert_or_assign(id, std::move(path));
}

void CgroupPaths::list(MonotonicTime now) {
  const auto began = monotonic_now();
  list_folders();
  const auto took = monotonic_now().ns - began.ns;
  next_listing_ = {now.ns +
                   std::max<std::uint64_t>(static_cast<std::uint64_t>(kListingInterval.count()),
                                           took * kShareOfTime)};
}

// The upper ones first: whoever makes many below his own hides nobody else's.
void CgroupPaths::list_folders() {
  if (paths_.size() > kMostPaths / 2) paths_.clear();
  struct stat status{};
  if (fstat(top_.get(), &status) == 0) keep(status.st_ino, top_path_.empty() ? "/" : top_path_);
  std::deque<std::string> waiting{""};
  for (std::size_t seen = 0; !waiting.empty();) {
    const auto path = std::move(waiting.front());
    waiting.pop_front();
    auto folder = open_below_no_mount(top_.get(), path.empty() ? "." : path.c_str() + 1,
                                      O_RDONLY | O_DIRECTORY);
    if (!folder.valid()) continue;
    for (auto& below : folders_in(std::move(folder), path)) {
      if (++seen > kMostPaths / 2) return;
      keep(below.id, top_path_ + below.path);
      if (below.path.size() < kMaxPathBytes) waiting.push_back(std::move(below.path));
    }
  }
}

}  // namespace exa
