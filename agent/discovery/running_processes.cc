#include "agent/discovery/running_processes.h"

#include <dirent.h>

#include <cerrno>
#include <charconv>
#include <csignal>
#include <memory>
#include <string_view>

namespace exa {

std::vector<std::uint32_t> running_processes(const std::string& root, std::size_t limit) {
  std::vector<std::uint32_t> found;
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(root.c_str()), ::closedir);
  if (directory == nullptr) return found;
  while (const auto* entry = ::readdir(directory.get())) {
    const std::string_view name(entry->d_name);
    std::uint32_t tgid = 0;
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), tgid);
    if (parsed.ec != std::errc() || parsed.ptr != name.data() + name.size()) continue;
    if (found.size() >= limit) break;
    found.push_back(tgid);
  }
  return found;
}

bool is_gone(std::uint32_t tgid) {
  return ::kill(static_cast<pid_t>(tgid), 0) != 0 && errno == ESRCH;
}

}  // namespace exa
