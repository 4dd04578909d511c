// What each observed service has done since the agent began, for the verb `status`.
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
  // A JSON array.
  [[nodiscard]] std::string json() const;

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
