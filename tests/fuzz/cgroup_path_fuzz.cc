// /proc/PID/cgroup in any shape: identities are well formed or empty.
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "agent/discovery/container/cgroup_path.h"

namespace {

void require(bool holds) {
  if (!holds) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(bytes), size);
  const auto path = exa::choose_cgroup_path(text);
  require(path.empty() || path.front() == '/');
  for (const auto& found : {exa::identify_cgroup(path), exa::identify_cgroup(text)}) {
    require(found.container_id.empty() || found.container_id.size() == 64);
    require(found.pod_uid.empty() || found.pod_uid.size() == 36 || found.pod_uid.size() == 32);
    require(!found.in_container() || found.systemd_unit.empty());
    require(found.systemd_unit.size() <= 255 && found.container_name.size() <= 255);
  }
  return 0;
}
