// Who wanted more than its share of what all processes share, and was refused some: for the status,
// and for the log. What the kernel refused the prober reads from its map, what the pipeline refused
// the pipeline tells once a window.
// Prober thread. At most kMost processes and tables; the least refused make room.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace exa {

enum class SharedTable : std::uint8_t {
  kDataRing,
  kTlsStreams,
  kConnections,
  kUnansweredRequests,
  kIncompleteHeads,
  kCount
};
std::string_view name_of(SharedTable table);

class ShareReport {
 public:
  static constexpr std::size_t kMost = 256;

  // The process was refused so much in all. False if that is no news.
  bool note(SharedTable table, std::uint32_t tgid, std::string comm, std::uint64_t refused);

  // tls: the status of TLS, an object as JSON, or nothing.
  [[nodiscard]] std::string status(std::string_view tls) const;

 private:
  struct Refused {
    std::string comm;
    std::uint64_t count = 0;
  };
  std::map<std::pair<std::uint32_t, SharedTable>, Refused> refused_;
};

}  // namespace exa
