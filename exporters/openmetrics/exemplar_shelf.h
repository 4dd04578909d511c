// Which exemplar each bucket of a histogram, and each counter, shows. A scraper may come less often
// than windows close, so each bucket keeps one until a newer one takes its place or it is too old.
// What was never shown is replaced only by one that says more. Prometheus keeps exemplars of a
// bucket in the order of their time and refuses what is older, so the times that a bucket shows
// only rise. Guarded by its owner, ScrapeCache. Budget: limits.total; beyond it some are evicted.
#pragma once

#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "exa/model/exemplar_store.h"
#include "exa/model/metric.h"

namespace exa {

struct BucketExemplar {
  std::size_t bucket = 0;  // 0, too, of a counter
  Exemplar exemplar;
};
// By series_name, at most one a bucket.
using ShownExemplars = std::unordered_map<std::string, std::vector<BucketExemplar>>;

class ExemplarShelf {
 public:
  explicit ExemplarShelf(const ExemplarStoreLimits& limits = {}) : limits_(limits) {}

  // Exemplars that no scrape has seen and none will.
  struct Losses {
    std::size_t replaced = 0;
    std::size_t expired = 0;
    std::size_t series_full = 0;
    std::size_t full = 0;
  };

  // Takes in the exemplars of a batch that have ids, and forgets what has become too old.
  Losses add(const MetricBatch& batch);

  // What a scrape shows now; from here on it counts as shown.
  ShownExemplars show();

  [[nodiscard]] ExemplarStoreState state() const;

 private:
  struct Kept {
    std::size_t bucket = 0;
    std::uint64_t shown_ms = 0;  // time of the last one that this bucket has shown, 0 none
    Exemplar exemplar;
    [[nodiscard]] bool shown() const;
  };
  template <typename Bucket>
  void take_all(const ResourceMetrics& resource, const Metric& metric, const Attributes& attributes,
                const std::vector<Exemplar>& exemplars, Bucket bucket, Losses& losses);
  void take(std::vector<Kept>& series, std::size_t bucket, const Exemplar& exemplar,
            Losses& losses);
  // Forgets those, and counts in `lost` the ones that nobody has seen.
  template <typename Condition>
  void forget_if(Condition condition, std::size_t& lost);
  void forget_surplus(Losses& losses);
  // Whoever goes first.
  [[nodiscard]] bool goes_before(const Exemplar& a, const Exemplar& b) const;

  ExemplarStoreLimits limits_;
  WallTime now_;
  std::unordered_map<std::string, std::vector<Kept>> series_;
  std::size_t kept_ = 0;
};

// The bucket that a value is counted in: the first whose upper bound is not below it.
std::size_t bucket_of(double value, const std::vector<double>& bounds);

}  // namespace exa
