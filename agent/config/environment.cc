#include "agent/config/environment.h"

#include <algorithm>
#include <array>
#include <optional>
#include <set>
#include <span>

#include "agent/config/config_text.h"
#include "agent/config/value_text.h"
#include "exa/base/ascii.h"
#include "exa/base/take_until.h"
#include "exa/base/whitespace.h"
#include "exa/model/address.h"

namespace exa {
namespace {

constexpr std::string_view kPrefix = "OTEL_";

struct Signal {
  const char* variables;
  const char* keys;
};
constexpr auto kSignals = std::to_array<Signal>({{"OTEL_EXPORTER_OTLP_TRACES_", "otlp.traces."},
                                                 {"OTEL_EXPORTER_OTLP_METRICS_", "otlp.metrics."},
                                                 {"OTEL_EXPORTER_OTLP_LOGS_", "otlp.logs."}});

std::string not_supported(std::string_view name) {
  std::string text("'");
  return text.append(name).append("' is not supported; ignored");
}

class EnvironmentReader {
 public:
  EnvironmentReader(const Environment& environment, const OtlpConfig& before)
      : environment_(environment),
        protocols_{before.traces.protocol, before.metrics.protocol, before.logs.protocol} {}

  EnvironmentReading read() {
    read_protocols();
    read_endpoints();
    read_otlp("OTEL_EXPORTER_OTLP_", "otlp.");
    for (const auto& signal : kSignals)
      read_otlp(signal.variables, signal.keys);
    read_temporality();
    read_aggregation();
    read_exporters();
    read_prometheus();
    read_milliseconds("OTEL_METRIC_EXPORT_INTERVAL", "window");
    read_resource();
    read_exemplar_filter();
    read_propagators();
    read_disabled();
    if (const auto level = value("OTEL_LOG_LEVEL")) put("log.level", "OTEL_LOG_LEVEL", *level);
    tell_of_the_unread();
    return std::move(reading_);
  }

 private:
  std::optional<std::string> value(std::string_view variable) {
    known_.emplace(variable);
    const auto found = environment_.find(variable);
    if (found == environment_.end() || found->second.empty()) return std::nullopt;
    // What no file could hold would not load again when it was printed.
    if (const auto problem = problem_of_text("=" + found->second)) {
      warn(variable, problem->text + "; ignored");
      return std::nullopt;
    }
    return found->second;
  }

  void warn(std::string_view variable, std::string_view text) {
    reading_.warnings.push_back(std::string(variable) + ": " + std::string(text));
  }

  // Parts of an SDK that the agent does not have: whoever sets one expects something of it.
  void tell_of_the_unread() {
    for (const auto& [variable, text] : environment_)
      if (!text.empty() && !known_.contains(variable))
        warn(variable, "the agent does not read this variable; ignored");
  }

  // Without what the entry holds: it may be a secret.
  std::vector<std::pair<std::string, std::string>> pairs_of(std::string_view variable,
                                                            const std::string& text) {
    auto pairs = parse_pairs(text);
    std::size_t written = 0;
    for (std::string_view rest = text; !rest.empty();)
      if (!trimmed(take_until(rest, ',')).empty()) ++written;
    if (!pairs.empty() && pairs.size() < written)
      warn(variable, "an entry that is no key=value pair is left out");
    return pairs;
  }

  void put(std::string_view key, std::string_view variable, std::string text) {
    put_entries(key, variable, {{"", std::move(text)}});
  }
  void put_entries(std::string_view key, std::string_view variable,
                   std::vector<SettingEntry> entries) {
    reading_.settings.push_back({find_setting(key), std::move(entries), std::string(variable)});
  }

  void put_pairs(std::string_view key, std::string_view variable, const std::string& text) {
    std::vector<SettingEntry> entries;
    for (auto& [name, content] : pairs_of(variable, text)) {
      const auto same = std::ranges::find(entries, name, &SettingEntry::key);
      if (same != entries.end())
        same->value = std::move(content);
      else
        entries.push_back({std::move(name), std::move(content)});
    }
    if (entries.empty())
      warn(variable, "contains no key=value pair; ignored");
    else
      put_entries(key, variable, std::move(entries));
  }

  void read_milliseconds(const std::string& variable, std::string_view key) {
    const auto text = value(variable);
    if (!text) return;
    if (parse_count(*text, 1, 86'400'000))
      put(key, variable, *text + "ms");
    else
      warn(variable, "'" + *text + "' is not a number of milliseconds; ignored");
  }

  // True and false, in any case; others are false.
  bool is_true(const std::string& variable) {
    const auto text = value(variable);
    if (!text || equals_ignoring_case(*text, "false")) return false;
    if (equals_ignoring_case(*text, "true")) return true;
    warn(variable, "'" + *text + "' is neither true nor false; false is used");
    return false;
  }

  void read_protocols() {
    const auto read = [&](const std::string& variable, const std::string& key,
                          std::span<OtlpProtocol> protocols) {
      const auto text = value(variable);
      if (!text) return;
      if (*text != "grpc" && *text != "http/protobuf") {
        warn(variable, "'" + *text + "' is not supported; ignored");
        return;
      }
      std::ranges::fill(protocols, *text == "grpc" ? OtlpProtocol::kGrpc : OtlpProtocol::kHttp);
      put(key, variable, *text);
    };
    read("OTEL_EXPORTER_OTLP_PROTOCOL", "otlp.protocol", protocols_);
    for (std::size_t i = 0; i < kSignals.size(); ++i)
      read(std::string(kSignals[i].variables) + "PROTOCOL",
           std::string(kSignals[i].keys) + "protocol", std::span(protocols_).subspan(i, 1));
  }

  // Only endpoints of gRPC may come without a scheme: then they are encrypted, unless that is not
  // wanted.
  void read_endpoints() {
    const std::string both = "OTEL_EXPORTER_OTLP_";
    known_.emplace(both + "INSECURE");  // says nothing of the others
    for (const auto& signal : kSignals)
      known_.emplace(std::string(signal.variables) + "INSECURE");
    const auto has_scheme = [](const auto& text) { return text->find("://") != std::string::npos; };
    const auto endpoint_of_both = value(both + "ENDPOINT");
    if (endpoint_of_both && has_scheme(endpoint_of_both))
      put("otlp.endpoint", both + "ENDPOINT", *endpoint_of_both);
    for (std::size_t i = 0; i < kSignals.size(); ++i) {
      const std::string variables = kSignals[i].variables;
      const auto own = value(variables + "ENDPOINT");
      const auto& text = own ? own : endpoint_of_both;
      if (!text || (!own && has_scheme(text))) continue;
      auto endpoint = *text;
      if (protocols_[i] == OtlpProtocol::kGrpc && !has_scheme(text))
        endpoint = (is_true((value(variables + "INSECURE") ? variables : both) + "INSECURE")
                        ? "http://"
                        : "https://") +
                   endpoint;
      put(std::string(kSignals[i].keys) + "endpoint", (own ? variables : both) + "ENDPOINT",
          std::move(endpoint));
    }
  }

  void read_otlp(const std::string& variables, const std::string& keys) {
    if (const auto text = value(variables + "HEADERS"))
      put_pairs(keys + "headers", variables + "HEADERS", *text);
    if (const auto text = value(variables + "COMPRESSION"))
      put(keys + "compression", variables + "COMPRESSION", *text);
    read_milliseconds(variables + "TIMEOUT", keys + "timeout");
    if (const auto text = value(variables + "CERTIFICATE"))
      put(keys + "certificate", variables + "CERTIFICATE", *text);
    if (const auto text = value(variables + "CLIENT_CERTIFICATE"))
      put(keys + "client_certificate", variables + "CLIENT_CERTIFICATE", *text);
    if (const auto text = value(variables + "CLIENT_KEY"))
      put(keys + "client_key", variables + "CLIENT_KEY", *text);
  }

  void read_aggregation() {
    const std::string variable = "OTEL_EXPORTER_OTLP_METRICS_DEFAULT_HISTOGRAM_AGGREGATION";
    const auto text = value(variable);
    if (text == "base2_exponential_bucket_histogram")
      put("metrics.histograms", variable, "exponential");
    else if (text == "explicit_bucket_histogram")
      put("metrics.histograms", variable, "explicit");
    else if (text)
      warn(variable, "'" + *text + "' is not supported, explicit_bucket_histogram is used");
  }

  void read_temporality() {
    const std::string variable = "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE";
    const auto text = value(variable);
    if (!text) return;
    // Low memory: of what is measured synchronously, as our histograms are.
    if (equals_ignoring_case(*text, "delta") || equals_ignoring_case(*text, "lowmemory"))
      put("otlp.metrics.temporality", variable, "delta");
    else if (equals_ignoring_case(*text, "cumulative"))
      put("otlp.metrics.temporality", variable, "cumulative");
    else
      warn(variable, "'" + *text + "' is not supported, cumulative is used");
  }

  void read_exporters() {
    if (const auto text = value("OTEL_TRACES_EXPORTER")) {
      if (*text == "none" || *text == "console")
        put("otlp.traces.enabled", "OTEL_TRACES_EXPORTER", "false");
      else if (*text != "otlp")
        warn("OTEL_TRACES_EXPORTER", "'" + *text + "' is not supported; ignored");
    }
    if (const auto text = value("OTEL_LOGS_EXPORTER")) {
      if (*text == "otlp" || *text == "none")
        put("otlp.logs.enabled", "OTEL_LOGS_EXPORTER", *text == "otlp" ? "true" : "false");
      else
        warn("OTEL_LOGS_EXPORTER", "'" + *text + "' is not supported; ignored");
    }
    const auto text = value("OTEL_METRICS_EXPORTER");
    if (!text) return;
    bool otlp = false;
    bool prometheus = false;
    for (std::string_view rest = *text; !rest.empty();) {
      const auto name = take_until(rest, ',');
      otlp |= name == "otlp";
      prometheus |= name == "prometheus";
      if (name != "otlp" && name != "prometheus" && name != "console" && name != "none") {
        warn("OTEL_METRICS_EXPORTER", not_supported(name));
        return;
      }
    }
    if (!otlp) put("otlp.metrics.enabled", "OTEL_METRICS_EXPORTER", "false");
    if (!prometheus) put("openmetrics.listen", "OTEL_METRICS_EXPORTER", "off");
    serves_prometheus_ = prometheus;
  }

  // Where to serve, which does not say that anything is served.
  void read_prometheus() {
    if (!serves_prometheus_) return;
    const auto host = value("OTEL_EXPORTER_PROMETHEUS_HOST");
    const auto port = value("OTEL_EXPORTER_PROMETHEUS_PORT");
    if (!host && !port) return;
    const OpenMetricsSettings defaults;
    const auto number = port ? parse_count(*port, 0, 65535) : Result<std::uint64_t>(defaults.port);
    if (!number) warn("OTEL_EXPORTER_PROMETHEUS_PORT", "'" + *port + "' is not a port; ignored");
    put("openmetrics.listen",
        host ? "OTEL_EXPORTER_PROMETHEUS_HOST" : "OTEL_EXPORTER_PROMETHEUS_PORT",
        host_port_text(host.value_or(defaults.host),
                       static_cast<std::uint16_t>(number.value_or(defaults.port))));
  }

  // The agent speaks for many services: a name or an instance for all of them would merge them.
  void read_resource() {
    const auto text = value("OTEL_RESOURCE_ATTRIBUTES");
    if (value("OTEL_SERVICE_NAME"))
      warn("OTEL_SERVICE_NAME",
           "names one process; for the agent's targets use "
           "targets.service_names; ignored");
    if (!text) return;
    std::vector<SettingEntry> entries;
    for (auto& [name, content] : pairs_of("OTEL_RESOURCE_ATTRIBUTES", *text)) {
      if (name == "service.name" || name == "service.instance.id") continue;
      // Decoded by now, so it may be no text although the variable is.
      if (const auto problem = problem_of_text(name + "=" + content)) {
        warn("OTEL_RESOURCE_ATTRIBUTES", "an attribute is left out: " + problem->text);
        continue;
      }
      std::erase_if(entries, [&](const auto& entry) { return entry.key == name; });
      entries.push_back({name, content});
    }
    if (!entries.empty())
      put_entries("targets.resource", "OTEL_RESOURCE_ATTRIBUTES", std::move(entries));
  }

  void read_exemplar_filter() {
    const std::string variable = "OTEL_METRICS_EXEMPLAR_FILTER";
    const auto text = value(variable);
    if (!text || *text == "always_on") return;
    if (*text == "always_off")
      put("exemplars.budget", variable, "0");
    else if (*text == "trace_based")
      put("exemplars.policy", variable, "trace_based");
    else
      warn(variable, "'" + *text + "' is not supported, always_on is used");
  }

  // What is not supported is passed over and the others hold. Baggage is left alone: it is no trace
  // context, and nothing that we export has a place for it.
  void read_propagators() {
    const auto text = value("OTEL_PROPAGATORS");
    if (!text) return;
    const auto& setting = *find_setting("propagators");
    std::vector<SettingEntry> entries;
    for (std::string_view rest = *text; !rest.empty();) {
      const auto name = trimmed(take_until(rest, ','));
      if (name.empty() || name == "baggage") continue;
      const SettingEntry entry{"", std::string(name)};
      if (Config alone; setting.apply(alone, std::span(&entry, 1)))
        entries.push_back(entry);
      else
        warn("OTEL_PROPAGATORS", not_supported(name));
    }
    if (!entries.empty()) put_entries("propagators", "OTEL_PROPAGATORS", std::move(entries));
  }

  void read_disabled() {
    if (!is_true("OTEL_SDK_DISABLED")) return;
    put("otlp.traces.enabled", "OTEL_SDK_DISABLED", "false");
    put("otlp.metrics.enabled", "OTEL_SDK_DISABLED", "false");
    put("otlp.logs.enabled", "OTEL_SDK_DISABLED", "false");
    put("openmetrics.listen", "OTEL_SDK_DISABLED", "off");
  }

  const Environment& environment_;
  std::set<std::string, std::less<>> known_;  // variables, whether or not they are set
  std::array<OtlpProtocol, 3> protocols_;     // by kSignals
  bool serves_prometheus_ = true;             // as far as OTEL_METRICS_EXPORTER says
  EnvironmentReading reading_;
};

}  // namespace

Environment whole_environment(const char* const* environment_block) {
  Environment environment;
  for (const auto* entry = environment_block; entry != nullptr && *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (equals != std::string_view::npos)
      environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return environment;
}

Environment otel_environment(const char* const* environment_block) {
  auto environment = whole_environment(environment_block);
  std::erase_if(environment, [](const auto& one) { return !one.first.starts_with(kPrefix); });
  return environment;
}

EnvironmentReading read_environment(const Environment& environment, const OtlpConfig& before) {
  return EnvironmentReader(environment, before).read();
}

}  // namespace exa
