#include "agent/request_pipeline/account_series.h"

namespace exa {

AccountSum AccountWindow::total() const {
  AccountSum sum;
  for (const auto& bucket : by_bucket)
    sum.merge(bucket);
  return sum;
}

void AccountWindow::merge(const AccountWindow& later) {
  for (std::size_t bucket = 0; bucket < kMaxBuckets; ++bucket)
    by_bucket[bucket].merge(later.by_bucket[bucket]);
}

}  // namespace exa
