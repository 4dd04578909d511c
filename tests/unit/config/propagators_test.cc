// Which propagators are read, as the file and OTEL_PROPAGATORS say.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "agent/config/load.h"

namespace exa {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

Result<LoadedConfig> load_file(std::string text) {
  return load_config({.file_name = "agent.yaml", .file_text = std::move(text)});
}

std::string error_of(std::string text) {
  const auto loaded = load_file(std::move(text));
  return loaded ? "no error" : loaded.error().text;
}

TEST(ConfigFile, ReadsPropagators) {
  const auto of = [](const char* text) {
    const auto loaded = load_file(text);
    return loaded ? loaded->config.propagators : PropagatorList{};
  };
  EXPECT_EQ(of("propagators: [datadog, tracecontext]\n"),
            (PropagatorList{Propagator::kDatadog, Propagator::kW3c}));
  EXPECT_EQ(of("propagators: xray\n"), PropagatorList{Propagator::kXray});
  EXPECT_EQ(of("propagators: none\n"), PropagatorList{});
  EXPECT_EQ(of("propagators: []\n"), PropagatorList{});
  EXPECT_EQ(error_of("propagators: [tracecontext, zipkin]\n"),
            "agent.yaml:1:29: propagators: 'zipkin' is not one of tracecontext, b3, b3multi, "
            "jaeger, xray, datadog, none");
  EXPECT_EQ(error_of("propagators: [none, b3]\n"),
            "agent.yaml:1:15: propagators: 'none' must stand alone");
}

TEST(ConfigPrecedence, OfPropagatorsTheVariableBeatsTheFile) {
  const auto loaded = load_config({.file_name = "agent.yaml",
                                   .file_text = "propagators: [jaeger]\n",
                                   .environment = {{"OTEL_PROPAGATORS", "b3,tracecontext"}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.propagators, (PropagatorList{Propagator::kB3, Propagator::kW3c}));
}

PropagatorList propagators_of(const char* variable, std::vector<std::string>* warnings = nullptr) {
  const auto loaded = load_config({.environment = {{"OTEL_PROPAGATORS", variable}}});
  if (!loaded) return {};
  if (warnings != nullptr) *warnings = loaded->warnings;
  return loaded->config.propagators;
}

TEST(ConfigEnvironment, PropagatorsAreReadInTheirOrder) {
  EXPECT_EQ(Config{}.propagators, PropagatorList{Propagator::kW3c});
  EXPECT_EQ(propagators_of("tracecontext,b3,jaeger,xray,datadog"),
            (PropagatorList{Propagator::kW3c, Propagator::kB3, Propagator::kJaeger,
                            Propagator::kXray, Propagator::kDatadog}));
  EXPECT_EQ(propagators_of("b3multi, tracecontext,,b3"),
            (PropagatorList{Propagator::kW3c, Propagator::kB3}));
  EXPECT_EQ(propagators_of("none"), PropagatorList{});
}

TEST(ConfigEnvironment, PropagatorsThatAreNotSupportedArePassedOver) {
  std::vector<std::string> warnings;
  EXPECT_EQ(propagators_of("tracecontext,baggage", &warnings), PropagatorList{Propagator::kW3c});
  EXPECT_THAT(warnings, IsEmpty()) << "it identifies nothing, and is left alone";
  EXPECT_EQ(propagators_of("ottrace,B3,jaeger", &warnings), PropagatorList{Propagator::kJaeger});
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("'ottrace'"), HasSubstr("'B3'")));
  EXPECT_EQ(propagators_of("ottrace"), Config{}.propagators) << "nothing is left of it";
  EXPECT_EQ(propagators_of("b3,none", &warnings), Config{}.propagators);
  EXPECT_THAT(warnings, ElementsAre("OTEL_PROPAGATORS: 'none' must stand alone; ignored"));
}

TEST(ConfigPrint, PropagatorsReadBack) {
  for (const char* text : {"propagators: none\n", "propagators: [b3multi, xray]\n"}) {
    const auto loaded = load_file(text);
    ASSERT_TRUE(loaded) << text;
    const auto again =
        load_config({.file_name = "printed.yaml", .file_text = config_yaml(*loaded)});
    ASSERT_TRUE(again) << text;
    EXPECT_EQ(again->config.propagators, loaded->config.propagators) << text;
  }
}

}  // namespace
}  // namespace exa
