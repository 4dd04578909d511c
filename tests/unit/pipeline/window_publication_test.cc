// What goes out with a window, of the agent itself.
#include "agent/run/pipeline/window_publication.h"

#include <gtest/gtest.h>

#include <memory>
#include <utility>
#include <vector>

#include "agent/config/config.h"
#include "exa/abi/counters.h"
#include "exa/model/metric.h"

namespace exa {
namespace {

class Kept : public MetricExporter {
 public:
  void export_metrics(std::shared_ptr<const MetricBatch> batch) override { newest = batch; }
  void shutdown(std::chrono::steady_clock::time_point) override {}

  [[nodiscard]] std::vector<std::int64_t> kernel_values() const {
    std::vector<std::int64_t> values;
    for (const auto& resource : newest->resources)
      for (const auto& metric : resource.metrics)
        if (metric.name.starts_with("exemplar_agent.kernel."))
          for (const auto& point : counter_points(metric))
            values.push_back(std::get<std::int64_t>(point.value));
    return values;
  }
  std::shared_ptr<const MetricBatch> newest;
};

TEST(WindowPublication, RepeatsTheKernelsCountersWhereTheyCannotBeRead) {
  const Config config;
  Counters counters;
  ExportCounters export_counters;
  const ExportChain outputs({});
  const Log log(LogThreshold::kOff, LogFormat::kText, "test");
  OccasionalLog occasional(log);
  Kept store;
  bool readable = true;
  WindowPublication publication({.config = config,
                                 .counters = counters,
                                 .export_counters = export_counters,
                                 .outputs = outputs,
                                 .occasional = occasional,
                                 .agent = std::make_shared<const Resource>(),
                                 .kernel_totals = [&]() -> Result<std::vector<std::uint64_t>> {
                                   if (!readable) return fail("not now");
                                   return std::vector<std::uint64_t>(EXA_COUNTER_COUNT, 7);
                                 },
                                 .services_file = {},
                                 .start = {}},
                                WindowPublisher({}, counters, {}, {&store}));
  WindowJob job;
  publication.publish(job);
  const auto read = store.kernel_values();
  ASSERT_FALSE(read.empty());
  readable = false;
  publication.publish(job);
  EXPECT_EQ(store.kernel_values(), read);
}

}  // namespace
}  // namespace exa
