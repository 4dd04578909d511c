// The path of a cgroup by the id that the kernel announces: for processes that end before anybody
// has read their /proc. The id is the inode number of the cgroup's folder in the unified hierarchy;
// it is never given out twice, and such a folder is never renamed, so that a pair that was proven
// once stays true. What is not proven is unknown. Only folders of the kernel's own file system are
// listed: nothing that somebody mounted over one of them, no file.
// Prober thread, owned by the TargetFinder. At most kMostPaths, forgotten and found again; a
// listing at most once a second, and no more than a fiftieth of the time. Knows nothing where no
// unified hierarchy is mounted at its usual place.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "exa/base/time.h"
#include "exa/base/unique_fd.h"

namespace exa {

class CgroupPaths {
 public:
  static constexpr std::size_t kMostPaths = 4096;
  static constexpr std::size_t kMaxPathBytes = 1024;

  CgroupPaths() = default;  // knows none
  // top: the folder whose path is top_path as /proc/PID/cgroup tells it. own_cgroups: the file that
  // tells which hierarchies there are.
  CgroupPaths(UniqueFd top, std::string top_path, std::string own_cgroups = "/proc/self/cgroup");
  static CgroupPaths of_this_host();

  // As /proc/PID/cgroup would be read, see choose_cgroup_path(); empty where it is not proven.
  [[nodiscard]] std::string path_of(std::uint64_t id, MonotonicTime now);
  // A process was announced with this id, and read with this path: kept if the folder proves it.
  void note(std::uint64_t id, const std::string& path);

 private:
  [[nodiscard]] bool is_whole_truth(std::string_view path) const;
  void list(MonotonicTime now);
  void list_folders();
  void keep(std::uint64_t id, std::string path);

  UniqueFd top_;
  std::string top_path_;  // "" of the root
  std::string own_cgroups_;
  std::unordered_map<std::uint64_t, std::string> paths_;
  MonotonicTime next_listing_;
};

}  // namespace exa
