#include "agent/config/load.h"

#include <gmock/gmock.h>

#include "agent/config/setting.h"
#include "agent/config/value_text.h"

namespace exa {
namespace {

using namespace std::chrono_literals;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;
using ::testing::StartsWith;

Result<LoadedConfig> load_file(std::string text) {
  return load_config({.file_name = "agent.yaml", .file_text = std::move(text)});
}

std::string error_of(std::string text) {
  const auto loaded = load_file(std::move(text));
  return loaded ? "no error" : loaded.error().text;
}

TEST(ConfigFile, EmptyFileGivesDefaults) {
  const auto loaded = load_file("# nothing yet\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config, Config{});
}

TEST(ConfigFile, ReadsEverySection) {
  const auto loaded = load_file(R"(
window: 500ms
targets:
  include: {exe: ["/usr/sbin/*", nginx], port: [80, 8080]}
  exclude: {cgroup: /system.slice/ssh.service, pid: [17]}
  service_names: {"/usr/bin/python3*": checkout}
  resource: {deployment.environment.name: test}
capture: {ring_size: 16MiB, budget: 2KiB}
exemplars: {budget: 50, floor: 1%, presume_random: true, why: false, seed: 000102030405060708090a0b0c0d0e0f}
series: {per_metric: 100, per_service: 10}
otlp:
  traces: {timeout: 3s}
  endpoint: https://collector:4318/base/
  headers: {authorization: "Bearer x"}
openmetrics: {listen: "[::1]:9000"}
log: {level: debug, format: json}
)");
  ASSERT_TRUE(loaded) << loaded.error().text;
  const auto& c = loaded->config;
  EXPECT_EQ(c.window, 500ms);
  EXPECT_THAT(c.targets.include.exe, ElementsAre("/usr/sbin/*", "nginx"));
  EXPECT_THAT(c.targets.include.port, ElementsAre(80, 8080));
  EXPECT_THAT(c.targets.exclude.cgroup, ElementsAre("/system.slice/ssh.service"));
  EXPECT_THAT(c.targets.exclude.pid, ElementsAre(17));
  EXPECT_THAT(c.targets.service_names, ElementsAre(Pair("/usr/bin/python3*", "checkout")));
  EXPECT_THAT(c.targets.resource, ElementsAre(Pair("deployment.environment.name", "test")));
  EXPECT_EQ(c.capture.ring_size_bytes, 16u << 20);
  EXPECT_EQ(c.capture.budget_bytes, 2048);
  EXPECT_EQ(c.exemplars.spans_per_window, 50);
  EXPECT_DOUBLE_EQ(c.exemplars.floor, 0.01);
  EXPECT_TRUE(c.exemplars.presume_random);
  EXPECT_FALSE(c.exemplars.why);
  EXPECT_EQ(c.exemplars.seed, "000102030405060708090a0b0c0d0e0f");
  EXPECT_EQ(c.series.per_service, 10);
  EXPECT_EQ(c.otlp.traces.endpoint, "https://collector:4318/base/v1/traces");
  EXPECT_EQ(c.otlp.metrics.endpoint, "https://collector:4318/base/v1/metrics");
  EXPECT_EQ(c.otlp.traces.timeout, 3s);
  EXPECT_EQ(c.otlp.metrics.timeout, 10s);
  EXPECT_THAT(c.otlp.metrics.headers, ElementsAre(Pair("authorization", "Bearer x")));
  EXPECT_EQ(c.openmetrics.host, "::1");
  EXPECT_EQ(c.openmetrics.port, 9000);
  EXPECT_EQ(c.log.level, LogThreshold::kDebug);
  EXPECT_EQ(c.log.format, LogFormat::kJson);
}

TEST(ConfigFile, RefusesMorePortsThanTheKernelCompares) {
  std::string ports = "1";
  for (std::size_t port = 2; port <= kMaxPorts; ++port)
    ports += ", " + std::to_string(port);
  EXPECT_TRUE(load_file("targets: {include: {port: [" + ports + "]}}"));
  EXPECT_THAT(error_of("targets: {include: {port: [" + ports + ", 99]}}"),
              HasSubstr("more than 16 entries"));
}

TEST(ConfigFile, ReadsTheFoldersOfEngines) {
  const auto loaded = load_file("containers: {names: false, docker: /data/docker}\n");
  ASSERT_TRUE(loaded) << loaded.error().text;
  EXPECT_FALSE(loaded->config.containers.names);
  EXPECT_EQ(loaded->config.containers.docker, "/data/docker");
  EXPECT_EQ(loaded->config.containers.podman, "/var/lib/containers/storage");
  EXPECT_TRUE(Config{}.containers.names);
}

TEST(ConfigFile, ReadsTheSourceOfPods) {
  const auto loaded = load_file(R"(
kubernetes:
  source: kubelet
  kubelet: {url: https://10.0.0.7:10250, ca: /etc/kubelet.crt, insecure: true}
)");
  ASSERT_TRUE(loaded) << loaded.error().text;
  const auto& kubernetes = loaded->config.kubernetes;
  EXPECT_EQ(kubernetes.source, PodSource::kKubelet);
  EXPECT_EQ(kubernetes.kubelet.url, "https://10.0.0.7:10250");
  EXPECT_EQ(kubernetes.kubelet.ca, "/etc/kubelet.crt");
  EXPECT_TRUE(kubernetes.kubelet.insecure);
  EXPECT_EQ(Config{}.kubernetes.source, PodSource::kApiServer);
  EXPECT_FALSE(Config{}.kubernetes.kubelet.insecure);
  EXPECT_THAT(error_of("kubernetes: {source: apiserver}"),
              AllOf(HasSubstr("agent.yaml:1:"), HasSubstr("kubernetes.source"),
                    HasSubstr("not one of api, kubelet")));
  EXPECT_THAT(error_of("kubernetes: {kubelet: {insecur: true}}"), HasSubstr("insecure"));
}

TEST(ConfigFile, ShortFormStandsBelowTheSignalsWhateverTheOrder) {
  const auto loaded =
      load_file("otlp:\n  traces: {endpoint: 'http://a:1/x'}\n  endpoint: http://b:2\n");
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.otlp.traces.endpoint, "http://a:1/x");
  EXPECT_EQ(loaded->config.otlp.metrics.endpoint, "http://b:2/v1/metrics");
}

TEST(ConfigFile, UnknownKeyNamesItsPlaceAndTheNearestKey) {
  EXPECT_EQ(error_of("window: 10s\ntargts:\n  include: {}\n"),
            "agent.yaml:2:1: targts: unknown key; did you mean 'targets'?");
  EXPECT_EQ(error_of("capture:\n  ring_sise: 8MiB\n"),
            "agent.yaml:2:3: capture.ring_sise: unknown key; did you mean 'ring_size'?");
  EXPECT_EQ(error_of("log:\n  xyzzyxyzzy: 1\n"),
            "agent.yaml:2:3: log.xyzzyxyzzy: unknown key; valid keys: level, format");
}

TEST(ConfigFile, WrongValuesNamePlaceKeyAndWhatIsExpected) {
  EXPECT_EQ(error_of("window: 10\n"),
            "agent.yaml:1:9: window: '10' is not a duration with its unit, such as 10s or 500ms");
  EXPECT_EQ(error_of("window: 0s\n"),
            "agent.yaml:1:9: window: '0s' is not in the range 100ms to 1h");
  EXPECT_EQ(error_of("capture:\n  ring_size: 3MiB\n"),
            "agent.yaml:2:14: capture.ring_size: '3MiB' is not a power of two, such as 8MiB");
  EXPECT_EQ(error_of("targets:\n  include:\n    port:\n      - 80\n      - http\n"),
            "agent.yaml:5:9: targets.include.port: 'http' is not a whole number from 1 to 65535");
  EXPECT_EQ(error_of("output: jsn\n"),
            "agent.yaml:1:9: output: 'jsn' is not one of auto, table, json, none");
  EXPECT_THAT(error_of("otlp: {endpoint: 'http://user:pw@host'}\n"),
              AllOf(HasSubstr("agent.yaml:1:18: otlp.endpoint: "), Not(HasSubstr("pw"))));
  EXPECT_THAT(error_of("otlp: {headers: {a: \"x\\r\\ny: z\"}}\n"), HasSubstr("control characters"));
}

TEST(ConfigFile, WrongShapesNamePlaceAndKey) {
  EXPECT_EQ(error_of("window: [10s]\n"), "agent.yaml:1:9: window: expected a single value");
  EXPECT_EQ(error_of("targets: 3\n"), "agent.yaml:1:10: targets: expected keys with values");
  EXPECT_EQ(error_of("targets: {resource: 3}\n"),
            "agent.yaml:1:21: targets.resource: expected names with values");
  EXPECT_EQ(error_of("window: 10s\nwindow: 20s\n"), "agent.yaml:2:1: window: duplicate key");
  EXPECT_THAT(error_of("window: 10s\n---\nwindow: 20s\n"), HasSubstr("a second document"));
  EXPECT_THAT(error_of("a: [1\n"), StartsWith("agent.yaml:"));
}

TEST(ConfigFile, EveryProblemIsListed) {
  EXPECT_EQ(error_of("windw: 10s\nlog: {level: loud}\n"),
            "agent.yaml:1:1: windw: unknown key; did you mean 'window'?\n"
            "agent.yaml:2:14: log.level: 'loud' is not one of debug, info, warn, error, off");
}

TEST(ConfigFile, CertificateAndKeyAreNeededTogether) {
  EXPECT_THAT(error_of("otlp: {traces: {client_key: /k.pem}}\n"),
              HasSubstr("otlp.traces: client_certificate and client_key must be set together"));
}

TEST(ConfigFile, ALeadingCommaIsRefusedAndEnds) {
  EXPECT_NE(error_of(",window: 10s"), "no error");
  EXPECT_NE(error_of(","), "no error");
}

TEST(ConfigFile, DeepNestingIsRefusedNotFollowed) {
  EXPECT_NE(error_of(std::string(100'000, '[')), "no error");
  EXPECT_NE(error_of(std::string(100'000, '{')), "no error");
}

TEST(ConfigPrecedence, FlagsBeatEnvironmentBeatsFileBeatsDefaults) {
  ConfigSources sources{
      .file_name = "agent.yaml",
      .file_text = "window: 20s\nlog: {level: warn}\ncapture: {budget: 1KiB}\n",
      .environment = {{"OTEL_METRIC_EXPORT_INTERVAL", "30000"}, {"OTEL_LOG_LEVEL", "error"}},
      .flags = {{"--window", {"40s"}}}};
  const auto loaded = load_config(sources);
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.window, 40s);
  EXPECT_EQ(loaded->config.log.level, LogThreshold::kError);
  EXPECT_EQ(loaded->config.capture.budget_bytes, 1024);
  EXPECT_EQ(loaded->config.series.per_metric, 2000);
}

TEST(ConfigPrecedence, EndpointFlagBeatsTheSignalVariable) {
  const auto loaded = load_config(
      {.environment = {{"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "http://env:1/v1/traces"}},
       .flags = {{"--otlp-endpoint", {"http://flag:4318"}}}});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->config.otlp.traces.endpoint, "http://flag:4318/v1/traces");
}

TEST(ConfigPrecedence, ListsAreReplacedAsAWhole) {
  const auto loaded = load_config({.file_name = "agent.yaml",
                                   .file_text = "targets: {include: {port: [80, 81]}}\n",
                                   .flags = {{"--include-port", {"90"}}}});
  ASSERT_TRUE(loaded);
  EXPECT_THAT(loaded->config.targets.include.port, ElementsAre(90));
}

TEST(ConfigFlags, ErrorsNameTheFlag) {
  const auto loaded = load_config({.flags = {{"--window", {"soon"}}}});
  ASSERT_FALSE(loaded);
  EXPECT_THAT(loaded.error().text, StartsWith("--window: 'soon' is not a duration"));
}

TEST(ConfigPrint, PrintedConfigurationReadsBackTheSame) {
  const auto first = load_file(R"(
window: 1m
targets:
  include: {exe: ["/a b/*", "x: y", "#z"], pid: [1, 2]}
  service_names: {"*\tq\"": "back\\slash"}
otlp: {endpoint: "http://c:4318", traces: {compression: none}}
openmetrics: {listen: off}
exemplars: {floor: 0.25%}
)");
  ASSERT_TRUE(first) << first.error().text;
  const auto yaml = config_yaml(*first);
  const auto second = load_file(yaml);
  ASSERT_TRUE(second) << second.error().text << "\n" << yaml;
  EXPECT_EQ(second->config, first->config) << yaml;
}

TEST(ConfigPrint, AnEndpointSwitchedOffForgetsWhereItWouldHaveListened) {
  const auto first = load_config({.file_name = "agent.yaml",
                                  .file_text = "openmetrics: {listen: \"1.2.3.4:5\"}\n",
                                  .environment = {{"OTEL_SDK_DISABLED", "true"}}});
  ASSERT_TRUE(first);
  EXPECT_FALSE(first->config.openmetrics.enabled);
  const auto second = load_file(config_yaml(*first));
  ASSERT_TRUE(second);
  EXPECT_EQ(second->config, first->config);
}

TEST(ConfigPrint, SecretsAreStarsAndOriginsAreTold) {
  const auto loaded =
      load_config({.file_name = "agent.yaml",
                   .file_text = "otlp: {headers: {authorization: canary-1}}\n"
                                "exemplars: {seed: 00112233445566778899aabbccddeeff}\n",
                   .flags = {{"--window", {"5s"}}}});
  ASSERT_TRUE(loaded);
  const auto yaml = config_yaml(*loaded, Origins::kShown);
  EXPECT_THAT(yaml, HasSubstr("window: 5s  # --window\n"));
  EXPECT_THAT(yaml, HasSubstr("authorization: \"***\"\n"));
  EXPECT_THAT(yaml, HasSubstr("seed: \"***\"  # agent.yaml:2:19\n"));
  EXPECT_THAT(yaml, Not(HasSubstr("canary-1")));
  EXPECT_THAT(yaml, Not(HasSubstr("00112233")));
}

TEST(SettingTable, KeysAndFlagsAreUniqueAndExplained) {
  std::set<std::string_view> keys, flags;
  for (const auto& setting : all_settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    if (!setting.flag.empty()) {
      EXPECT_TRUE(flags.insert(setting.flag).second) << setting.flag;
    }
    EXPECT_FALSE(setting.sentence.empty()) << setting.key;
  }
}

TEST(ValueText, DurationsAndSizesRoundTrip) {
  for (const auto* text : {"1ns", "15us", "500ms", "10s", "2m", "1h"})
    EXPECT_EQ(duration_text(parse_duration(text).value()), text);
  EXPECT_EQ(parse_duration("1.5s").value(), 1500ms);
  for (const auto* text : {"0B", "4095B", "4KiB", "8MiB", "1GiB"})
    EXPECT_EQ(size_text(parse_size(text).value()), text);
  for (const auto* text : {"", "s", "10", "-1s", "1e3s", "1.2.3s", "10 s", "99999999999h", "nan"})
    EXPECT_FALSE(parse_duration(text)) << text;
  for (const auto* text : {"8MB", "8M", "0x10B", "99999999999GiB"})
    EXPECT_FALSE(parse_size(text)) << text;
}

TEST(ValueText, HostAndPort) {
  EXPECT_EQ(parse_host_port("localhost:0").value(),
            std::pair(std::string("localhost"), std::uint16_t{0}));
  for (const auto* text : {":9464", "host", "host:", "host:65536", "::1:80", "[]:80", "h:1x"})
    EXPECT_FALSE(parse_host_port(text)) << text;
}

}  // namespace
}  // namespace exa
