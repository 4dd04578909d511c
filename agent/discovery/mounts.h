// Which file systems cover which folders of this process, by what the kernel says of its mounts: to
// know before a path is walked whether somebody else would have to answer.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "exa/base/unique_fd.h"

namespace exa {

struct Mount {
  std::uint64_t id = 0;
  std::string root;  // the part of its file system that is mounted
  std::string point;
  std::string file_system;
};

class Mounts {
 public:
  // The text of /proc/self/mountinfo.
  explicit Mounts(std::string_view text);
  static Mounts of_this_process();

  // The kind of file system at an absolute path; empty if that is not known. By the path as it is
  // written: links in it are the administrator's.
  [[nodiscard]] std::string_view file_system_of(std::string_view path) const;
  [[nodiscard]] const std::vector<Mount>& all() const { return mounts_; }

 private:
  std::vector<Mount> mounts_;  // in order of mounting: a later one covers an earlier one
};

// Which mount an open place lies on; nothing of its file system is asked for that.
std::uint64_t mount_of(int place);

// What lies there in the folder's own file system, whatever somebody mounted over it: then nothing.
UniqueFd open_below_no_mount(int directory, const char* name, int flags);

}  // namespace exa
