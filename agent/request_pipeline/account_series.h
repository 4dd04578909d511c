// The accounts of all exchanges of each series in the open window, by the bucket of their
// durations: so the slowest can be compared with the others when all are known.
//
// Capture thread only, owned by RequestPipeline. As many as the registry has series of durations,
// 1.4 KiB each.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "agent/metrics/bounds.h"
#include "agent/metrics/series_registry.h"
#include "agent/request_pipeline/window_entries.h"
#include "agent/why/account_sum.h"
#include "exa/model/exchange.h"

namespace exa {

// Of one series and one window.
struct AccountWindow {
  std::array<AccountSum, kMaxBuckets> by_bucket{};

  [[nodiscard]] AccountSum total() const;
  void merge(const AccountWindow& later);
};

class AccountSeries {
 public:
  explicit AccountSeries(bool kept) : kept_(kept) {}

  void add(SeriesIndex series, std::uint8_t bucket, const Exchange& exchange) {
    if (!kept_) return;
    auto* window = entries_.find(series);
    if (window == nullptr) [[unlikely]] {
      window = &entries_.add(series);
      *window = {};
    }
    window->by_bucket[bucket].add(exchange.account, exchange.duration());
  }

  // Null where nothing was kept.
  [[nodiscard]] std::shared_ptr<AccountWindow> window_of(SeriesIndex series) const {
    const auto* const window = entries_.find(series);
    return window == nullptr ? nullptr : std::make_shared<AccountWindow>(*window);
  }
  void begin_window() { entries_.begin_window(); }

 private:
  const bool kept_;
  WindowEntries<AccountWindow> entries_;
};

}  // namespace exa
