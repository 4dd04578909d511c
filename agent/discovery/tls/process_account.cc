#include "agent/discovery/tls/process_account.h"

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

}  // namespace exa
