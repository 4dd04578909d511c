// Which file systems cover which folders of this process, by what the kernel says of its mounts: to
// know before a path is walked whether somebody else would have to answer.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace exa {

class Mounts {
 public:
  // The text of /proc/self/mountinfo.
  explicit Mounts(std::string_view text);
  static Mounts of_this_process();

  // The kind of file system at an absolute path; empty if that is not known. By the path as it is
  // written: links in it are the administrator's.
  [[nodiscard]] std::string_view file_system_of(std::string_view path) const;

 private:
  struct Mount {
    std::string point;
    std::string file_system;
  };
  std::vector<Mount> mounts_;  // in order of mounting: a later one covers an earlier one
};

}  // namespace exa
