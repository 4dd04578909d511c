// Which outputs a configuration asks for, and what is said of them.
#include "agent/outputs/outputs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>

namespace exa {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

// A backend where nobody listens, which is no failure at the start.
Config config_with(bool traces, bool metrics, OutputForm form) {
  Config config;
  if (traces) config.otlp.traces.endpoint = "http://127.0.0.1:1/v1/traces?token=s3cret";
  if (metrics) config.otlp.metrics.endpoint = "http://127.0.0.1:1/v1/metrics";
  config.openmetrics.port = 0;
  config.output = form;
  return config;
}

class Outputs : public testing::Test {
 protected:
  Result<ExportChain> start(const Config& config) {
    return start_exports(config, counters_, {}, log_);
  }
  ExportCounters counters_;
  Log log_{LogThreshold::kOff, LogFormat::kText, "test"};
};

TEST_F(Outputs, AreThoseThatTheConfigurationAsksFor) {
  struct Case {
    bool traces, metrics, endpoint;
    OutputForm form;
    std::size_t span_exporters, metric_exporters;
  };
  for (const auto& asked : {Case{false, false, false, OutputForm::kNone, 0, 0},
                            Case{false, false, true, OutputForm::kNone, 0, 1},
                            Case{true, false, true, OutputForm::kNone, 1, 1},
                            Case{false, true, false, OutputForm::kTable, 0, 2},
                            Case{true, true, true, OutputForm::kJson, 2, 3}}) {
    auto config = config_with(asked.traces, asked.metrics, asked.form);
    config.openmetrics.enabled = asked.endpoint;
    auto chain = start(config);
    ASSERT_TRUE(chain.has_value()) << chain.error().text;
    EXPECT_EQ(chain->span_exporters().size(), asked.span_exporters);
    EXPECT_EQ(chain->metric_exporters().size(), asked.metric_exporters);
    EXPECT_EQ(chain->listening_port() != 0, asked.endpoint);
    EXPECT_EQ(chain->failure(), 0);
    chain->shutdown(std::chrono::steady_clock::now());
  }
}

TEST_F(Outputs, DoNotStartWhereAnAddressIsTaken) {
  const auto config = config_with(false, false, OutputForm::kNone);
  auto first = start(config);
  ASSERT_TRUE(first.has_value());
  auto second = config;
  second.openmetrics.port = first->listening_port();
  const auto refused = start(second);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, HasSubstr("--openmetrics HOST:PORT"));
}

TEST_F(Outputs, AreCheckedBySignal) {
  auto config = config_with(true, true, OutputForm::kNone);
  EXPECT_TRUE(check_export_settings(config).has_value());
  config.otlp.metrics.endpoint = "http://hunter2@h:99999/v1/metrics";
  const auto refused = check_export_settings(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, StartsWith("otlp.metrics: the OTLP endpoint is not usable: "));
  EXPECT_THAT(refused.error().text, Not(HasSubstr("hunter2")));
  config.otlp.metrics.enabled = false;
  EXPECT_TRUE(check_export_settings(config).has_value()) << "what is off is not looked at";
}

TEST_F(Outputs, NameTheCertificateFileThatCannotBeRead) {
  auto config = config_with(true, false, OutputForm::kNone);
  EXPECT_TRUE(check_export_files(config).has_value());
  config.otlp.traces.client_key = "/nowhere/key.pem";
  const auto refused = check_export_files(config);
  ASSERT_FALSE(refused.has_value());
  EXPECT_THAT(refused.error().text, StartsWith("otlp.traces.client_key: "));
}

TEST_F(Outputs, AreDescribedInOneLineWithoutSecrets) {
  auto config = config_with(true, true, OutputForm::kNone);
  EXPECT_EQ(
      describe_exports(config, 9464),
      "metrics on http://127.0.0.1:9464/metrics, OTLP traces to http://127.0.0.1:1/v1/traces, "
      "OTLP metrics to http://127.0.0.1:1/v1/metrics");
  config.otlp.traces.enabled = false;
  EXPECT_EQ(describe_exports(config, 0),
            "OTLP metrics to http://127.0.0.1:1/v1/metrics, no traces, so exemplars have ids only "
            "where callers sampled (--otlp-endpoint URL)");
  config.output = OutputForm::kJson;
  EXPECT_EQ(describe_exports(config, 0), "OTLP metrics to http://127.0.0.1:1/v1/metrics")
      << "spans are printed";
  config.otlp.metrics.enabled = false;
  EXPECT_EQ(describe_exports(config, 0), "no exporter is enabled");
}

TEST_F(Outputs, SayWhatToDoWhereNobodyReads) {
  EXPECT_THAT(output_failure(EPIPE), HasSubstr("use --output none to run without it"));
  EXPECT_THAT(output_failure(ENOSPC), HasSubstr("the output is lost"));
}

}  // namespace
}  // namespace exa
