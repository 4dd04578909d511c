#include "agent/run/prober/share_report.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

namespace exa {

std::string_view name_of(SharedTable table) {
  constexpr std::array<std::string_view, 5> kNames = {"data ring", "TLS streams", "connections",
                                                      "unanswered requests", "incomplete heads"};
  return kNames[static_cast<std::size_t>(table)];
}

bool ShareReport::note(SharedTable table, std::uint32_t tgid, std::string comm,
                       std::uint64_t refused) {
  if (refused == 0) return false;
  const std::pair key(tgid, table);
  const auto known = refused_.find(key);
  if (known != refused_.end() && known->second.count == refused && known->second.comm == comm)
    return false;
  if (known == refused_.end() && refused_.size() >= kMost)
    refused_.erase(std::ranges::min_element(refused_, {},
                                            [](const auto& entry) { return entry.second.count; }));
  refused_[key] = {.comm = std::move(comm), .count = refused};
  return true;
}

std::string ShareReport::status(std::string_view tls) const {
  auto over_share = nlohmann::json::array();
  for (const auto& [key, refused] : refused_)
    over_share.push_back({{"pid", key.first},
                          {"command", refused.comm},
                          {"share_of", name_of(key.second)},
                          {"refused", refused.count}});
  // The other part may be large: it is not parsed again.
  auto text = "{\"over_share\":" +
              over_share.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
  if (tls.starts_with('{') && tls.size() > 2) return text.append(",").append(tls.substr(1));
  return text + ",\"processes\":[]}";
}

}  // namespace exa
