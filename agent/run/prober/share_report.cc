#include "agent/run/prober/share_report.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "exa/base/enum_table.h"

namespace exa {

std::string_view name_of(SharedTable table) {
  constexpr EnumTable<SharedTable, std::string_view> kNames = {
      {SharedTable::kDataRing, "data ring"},
      {SharedTable::kTlsStreams, "TLS streams"},
      {SharedTable::kConnections, "connections"},
      {SharedTable::kUnansweredRequests, "unanswered requests"},
      {SharedTable::kIncompleteHeads, "incomplete heads"},
  };
  static_assert(kNames.is_whole());
  return kNames[table];
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
