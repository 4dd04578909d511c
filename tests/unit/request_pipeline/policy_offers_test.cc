// What the pipeline offers to policies: each value of each series, and a request once as a request.
#include <gtest/gtest.h>

#include <memory>

#include "agent/request_pipeline/request_pipeline.h"
#include "synthetic_exchanges.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using testing::exchange_of;
using testing::kStart;
using testing::target_of;

TEST(PolicyOffers, ARequestCountsOnceHoweverManySeriesItHas) {
  Counters counters;
  RequestPipelineOptions options;
  options.id_seed = {1, 2, 3};
  options.sampler.policies = {.policy = {policy::ErrorBoost{.base = 0, .error = 0, .slow = 0}},
                              .rules = {}};
  const auto pipeline = std::make_unique<RequestPipeline>(options, counters);
  pipeline->begin(kStart);
  pipeline->on_target(target_of(100, "shop"));
  // Each has a duration and a queue time.
  const auto fail = [&](std::uint32_t sequence) {
    pipeline->on_exchange(exchange_of({.status = 500, .sequence = sequence}));
    return pipeline->policy_totals().at(0);
  };
  // Twenty are needed before errors are too many.
  for (std::uint32_t i = 1; i < 20; ++i) {
    const auto total = fail(i);
    EXPECT_EQ(total.admitted, 0u) << i;
    EXPECT_EQ(total.refused, 2 * i);
  }
  EXPECT_EQ(fail(20).admitted, 2u);
}

}  // namespace
}  // namespace exa
