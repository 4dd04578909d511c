#include "agent/discovery/tls/process_account.h"

#include <fcntl.h>
#include <unistd.h>

#include <array>
#include <climits>
#include <string_view>

#include "agent/discovery/container/cgroup_path.h"
#include "agent/discovery/proc_reader.h"
#include "exa/base/unique_fd.h"

namespace exa {

ProcessAccount account_of(int process_fd) {
  ProcessAccount account{.user = owner_of(process_fd), .name = {}};
  const auto path = choose_cgroup_path(read_process_file(process_fd, "cgroup"));
  if (auto container = identify_cgroup(path).container_id; !container.empty())
    account.name = std::move(container);
  else
    account.name = account.user != 0 ? std::to_string(account.user) : path;
  return account;
}

std::string executable_of(int process_fd) {
  std::array<char, PATH_MAX> target{};
  const auto length = ::readlinkat(process_fd, "exe", target.data(), target.size());
  if (length < 0) return {};
  std::string_view path(target.data(), static_cast<std::size_t>(length));
  constexpr std::string_view kDeleted = " (deleted)";
  if (path.ends_with(kDeleted)) path.remove_suffix(kDeleted.size());
  return std::string(path);
}

}  // namespace exa
