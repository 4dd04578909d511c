// What each observed service has done since the agent began, for the verb `status`. Told through a
// file that the prober opened before the pipeline gave its rights up: one write a window, with a
// checksum, so that a reader knows whether he has met the writer.
// Window thread only, owned by the pipeline. At most kMaxServices; what is beyond adds up in one.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "agent/request_pipeline/closed_window.h"

namespace exa {

class ServiceTotals {
 public:
  static constexpr std::size_t kMaxServices = 1024;
  static constexpr std::size_t kMaxPids = 16;  // of a service, the newest
  static constexpr std::string_view kOthers = "(other services)";

  void add(const ClosedWindow& window);
  [[nodiscard]] std::string json() const;
  // Whoever reads meanwhile sees by the checksum that he has met the writer.
  [[nodiscard]] bool tell(int fd) const;

 private:
  struct Service {
    std::uint64_t served = 0;
    std::uint64_t called = 0;
    std::uint64_t errors = 0;
    std::uint64_t overflow = 0;         // of those, without a place for what else is known of them
    std::set<std::string_view> spoken;  // static texts
    WallTime last;
    std::deque<std::int64_t> pids;
  };
  Service& service_of(const Target* target);

  std::map<std::string, Service, std::less<>> services_;
};

}  // namespace exa
