#include "agent/exemplars/policies/make_policy.h"

#include <variant>
#include <vector>

#include "agent/exemplars/policies/adaptive.h"
#include "agent/exemplars/policies/always.h"
#include "agent/exemplars/policies/composite.h"
#include "agent/exemplars/policies/error_boost.h"
#include "agent/exemplars/policies/first_of_bucket.h"
#include "agent/exemplars/policies/latency_tiered.h"
#include "agent/exemplars/policies/outlier.h"
#include "agent/exemplars/policies/path_prefix.h"
#include "agent/exemplars/policies/percentile.h"
#include "agent/exemplars/policies/probability.h"
#include "agent/exemplars/policies/time_window.h"
#include "agent/exemplars/policies/trace_based.h"
#include "agent/exemplars/policies/traffic_tiered.h"
#include "exa/base/overloaded.h"

namespace exa {
namespace {

using Made = std::unique_ptr<Policy>;

std::vector<Made> make_all(const std::vector<PolicySpec>& specs,
                           std::shared_ptr<ErrorRatios>& errors) {
  std::vector<Made> made;
  for (const auto& spec : specs)
    made.push_back(make_policy(spec, errors));
  return made;
}

}  // namespace

std::unique_ptr<Policy> make_policy(const PolicySpec& spec, std::shared_ptr<ErrorRatios>& errors) {
  return std::visit(
      Overloaded{
          [](const policy::Always&) -> Made { return std::make_unique<Always>(); },
          [](const policy::Never&) -> Made { return std::make_unique<Never>(); },
          [](const policy::TraceBased&) -> Made { return std::make_unique<TraceBased>(); },
          [](const policy::FirstOfBucket&) -> Made { return std::make_unique<FirstOfBucket>(); },
          [](const policy::Probability& probability) -> Made {
            return std::make_unique<Probability>(probability.share);
          },
          [](const policy::Outlier& outlier) -> Made {
            return std::make_unique<Outlier>(outlier.above);
          },
          [](const policy::Percentile& percentile) -> Made {
            return std::make_unique<Percentile>(percentile.quantile, percentile.last);
          },
          [](const policy::TimeWindow& window) -> Made {
            return std::make_unique<TimeWindow>(window.most, window.per);
          },
          [](const policy::TrafficTiered& tiered) -> Made {
            return std::make_unique<TrafficTiered>(tiered);
          },
          [](const policy::Adaptive& adaptive) -> Made {
            return std::make_unique<Adaptive>(adaptive);
          },
          [](const policy::LatencyTiered& tiered) -> Made {
            return std::make_unique<LatencyTiered>(tiered.tiers);
          },
          [&](const policy::ErrorBoost& boost) -> Made {
            if (!errors) errors = std::make_shared<ErrorRatios>();
            return std::make_unique<ErrorBoost>(boost, errors);
          },
          [](const policy::PathPrefix& path) -> Made {
            return std::make_unique<PathPrefix>(path.prefix);
          },
          [&](const policy::AnyOf& any) -> Made {
            return std::make_unique<AnyOf>(make_all(any.policies, errors));
          },
          [&](const policy::AllOf& all) -> Made {
            return std::make_unique<AllOf>(make_all(all.policies, errors));
          },
      },
      spec.what);
}

}  // namespace exa
