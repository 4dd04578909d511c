// What the pipeline may still reach of the host once it is confined; all else is taken away. Made
// from the settings before the fork, while links and folders can be looked at.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace exa {

struct PipelineReach {
  std::uint32_t uid = 0;  // and its only group
  // Opened again whenever they change, be it that a link on the way leads elsewhere.
  std::vector<std::string> files{};
  bool resolves_names = false;                 // a backend is told by name
  std::optional<std::uint16_t> listen_port{};  // 0: any
  std::vector<std::uint16_t> connect_ports{};  // TCP
};

}  // namespace exa
