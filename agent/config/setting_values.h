// How the values of settings are stored and printed, for the rows of setting.cc and nobody else. A
// stored value is checked; the place is untouched on error.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <chrono>

#include "agent/config/policy_text.h"
#include "agent/config/route_text.h"
#include "agent/config/setting.h"
#include "agent/config/value_text.h"
#include "exa/base/hex.h"

namespace exa::setting_values {

using Entries = std::span<const SettingEntry>;
using Printed = std::vector<SettingEntry>;
using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

inline SettingResult refuse(std::string text, std::size_t entry = 0) {
  return std::unexpected(SettingError{entry, std::move(text)});
}

template <typename T, typename U>
SettingResult store(Result<T>&& parsed, U& place) {
  if (!parsed) return refuse(std::move(parsed.error().text));
  place = static_cast<U>(std::move(*parsed));
  return {};
}

inline SettingResult store_text(Entries e, std::string& place) {
  if (e[0].value.size() > 4096) return refuse("longer than 4096 bytes");
  place = e[0].value;
  return {};
}

inline Printed one(std::string value) {
  return {{"", std::move(value)}};
}
inline Printed one_unless_empty(const std::string& value) {
  return value.empty() ? Printed{} : one(value);
}
inline Printed one_bool(bool value) {
  return one(value ? "true" : "false");
}

template <typename T>
struct Name {
  std::string_view name;
  T value;
};
constexpr std::array<Name<OutputForm>, 4> kOutputs = {{{"auto", OutputForm::kAuto},
                                                       {"table", OutputForm::kTable},
                                                       {"json", OutputForm::kJson},
                                                       {"none", OutputForm::kNone}}};
constexpr std::array<Name<TableOrder>, 6> kTableOrders = {{{"time", TableOrder::kTime},
                                                           {"rate", TableOrder::kRate},
                                                           {"errors", TableOrder::kErrors},
                                                           {"p99", TableOrder::kP99},
                                                           {"max", TableOrder::kMax},
                                                           {"name", TableOrder::kName}}};
constexpr std::array<Name<LogThreshold>, 5> kLevels = {{{"debug", LogThreshold::kDebug},
                                                        {"info", LogThreshold::kInfo},
                                                        {"warn", LogThreshold::kWarn},
                                                        {"error", LogThreshold::kError},
                                                        {"off", LogThreshold::kOff}}};
constexpr std::array<Name<LogFormat>, 2> kFormats = {
    {{"text", LogFormat::kText}, {"json", LogFormat::kJson}}};
constexpr std::array<Name<PodSource>, 2> kPodSources = {
    {{"api", PodSource::kApiServer}, {"kubelet", PodSource::kKubelet}}};
constexpr std::array<Name<BesideSdk>, 2> kBesideSdk = {
    {{"link", BesideSdk::kLink}, {"skip", BesideSdk::kSkip}}};
constexpr std::array<Name<Temporality>, 2> kTemporalities = {
    {{"cumulative", Temporality::kCumulative}, {"delta", Temporality::kDelta}}};
constexpr std::array<Name<Eviction>, 2> kEvictions = {
    {{"oldest", Eviction::kOldest}, {"smallest_value", Eviction::kSmallestValue}}};
constexpr std::array<Name<HistogramForm>, 2> kHistogramForms = {
    {{"explicit", HistogramForm::kExplicit}, {"exponential", HistogramForm::kExponential}}};
constexpr std::array<Name<OtlpProtocol>, 2> kOtlpProtocols = {
    {{"http/protobuf", OtlpProtocol::kHttp}, {"grpc", OtlpProtocol::kGrpc}}};
constexpr std::array<Name<bool>, 2> kCompressions = {{{"gzip", true}, {"none", false}}};

template <typename T, std::size_t N>
SettingResult store_name(Entries e, const std::array<Name<T>, N>& names, T& place) {
  const auto found = std::ranges::find(names, std::string_view(e[0].value), &Name<T>::name);
  if (found != names.end()) {
    place = found->value;
    return {};
  }
  std::string known;
  for (const auto& name : names)
    known += (known.empty() ? "" : ", ") + std::string(name.name);
  return refuse("'" + e[0].value + "' is not one of " + known);
}

template <typename T, std::size_t N>
Printed print_name(const std::array<Name<T>, N>& names, T value) {
  return one(std::string(std::ranges::find(names, value, &Name<T>::value)->name));
}

constexpr std::size_t kMaxPatterns = 256;

inline SettingResult refuse_beyond(std::size_t most_entries) {
  return refuse("more than " + std::to_string(most_entries) + " entries", most_entries);
}

template <typename Number>
SettingResult store_numbers(Entries e, std::size_t most_entries, std::uint64_t most,
                            std::vector<Number>& place) {
  if (e.size() > most_entries) return refuse_beyond(most_entries);
  std::vector<Number> numbers;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const auto number = parse_count(e[i].value, 1, most);
    if (!number) return refuse(number.error().text, i);
    numbers.push_back(static_cast<Number>(*number));
  }
  place = std::move(numbers);
  return {};
}

inline SettingResult store_texts(Entries e, std::vector<std::string>& place, bool path_prefix) {
  if (e.size() > kMaxPatterns) return refuse_beyond(kMaxPatterns);
  std::vector<std::string> texts;
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (e[i].value.empty()) return refuse("an empty pattern matches nothing", i);
    if (e[i].value.size() > 4096) return refuse("longer than 4096 bytes", i);
    if (path_prefix && e[i].value.front() != '/')
      return refuse("'" + e[i].value + "' does not begin with '/', as cgroup paths do", i);
    texts.push_back(e[i].value);
  }
  place = std::move(texts);
  return {};
}

inline SettingResult store_routes(Entries e, std::vector<RoutePattern>& place) {
  if (e.size() > kMostRoutePatterns) return refuse_beyond(kMostRoutePatterns);
  std::vector<RoutePattern> patterns;
  for (std::size_t i = 0; i < e.size(); ++i) {
    auto pattern = parse_route_pattern(e[i].value);
    if (!pattern) return refuse(pattern.error().text, i);
    patterns.push_back(std::move(*pattern));
  }
  place = std::move(patterns);
  return {};
}

inline Printed print_routes(const std::vector<RoutePattern>& patterns) {
  Printed printed;
  for (const auto& pattern : patterns)
    printed.push_back({"", route_pattern_text(pattern)});
  return printed;
}

inline SettingResult store_policy_rules(Entries e, std::vector<PolicyRule>& place) {
  if (e.size() > kMostPolicyRules) return refuse_beyond(kMostPolicyRules);
  std::vector<PolicyRule> rules;
  for (std::size_t i = 0; i < e.size(); ++i) {
    auto rule = parse_policy_rule(e[i].value);
    if (!rule) return refuse(rule.error().text, i);
    if (std::ranges::find(rules, rule->text, &PolicyRule::text) != rules.end())
      return refuse("'" + rule->text + "' is given twice", i);
    rules.push_back(std::move(*rule));
  }
  place = std::move(rules);
  return {};
}

inline Printed print_policy_rules(const std::vector<PolicyRule>& rules) {
  Printed printed;
  for (const auto& rule : rules)
    printed.push_back({"", policy_rule_text(rule)});
  return printed;
}

// As OTEL_PROPAGATORS names them. B3 has two names by what an SDK writes; whoever reads, reads
// both.
constexpr std::array<Name<Propagator>, 6> kPropagators = {{{"tracecontext", Propagator::kW3c},
                                                           {"b3", Propagator::kB3},
                                                           {"b3multi", Propagator::kB3},
                                                           {"jaeger", Propagator::kJaeger},
                                                           {"xray", Propagator::kXray},
                                                           {"datadog", Propagator::kDatadog}}};
constexpr std::string_view kNoPropagators = "none";

inline SettingResult store_propagators(Entries e, PropagatorList& place) {
  PropagatorList propagators;
  for (std::size_t i = 0; i < e.size(); ++i) {
    const std::string_view name = e[i].value;
    if (name == kNoPropagators && e.size() == 1) break;
    if (name == kNoPropagators) return refuse("'none' must stand alone", i);
    Propagator propagator{};
    if (auto stored = store_name(e.subspan(i, 1), kPropagators, propagator); !stored)
      return refuse(stored.error().text + ", none", i);
    propagators.add(propagator);
  }
  place = propagators;
  return {};
}

inline Printed print_propagators(const PropagatorList& propagators) {
  Printed printed;
  for (const auto propagator : propagators.all())
    printed.push_back(print_name(kPropagators, propagator).front());
  return printed.empty() ? one(std::string(kNoPropagators)) : printed;
}

template <typename List>
Printed print_list(const List& list) {
  Printed printed;
  for (const auto& item : list) {
    if constexpr (std::is_arithmetic_v<std::remove_cvref_t<decltype(item)>>)
      printed.push_back({"", std::to_string(item)});
    else
      printed.push_back({"", item});
  }
  return printed;
}

inline SettingResult store_map(Entries e, std::map<std::string, std::string>& place) {
  if (e.size() > kMaxPatterns) return refuse_beyond(kMaxPatterns);
  std::map<std::string, std::string> entries;
  for (std::size_t i = 0; i < e.size(); ++i) {
    if (e[i].key.empty()) return refuse("an entry without a name", i);
    if (e[i].key.size() + e[i].value.size() > 4096) return refuse("longer than 4096 bytes", i);
    if (!entries.emplace(e[i].key, e[i].value).second)
      return refuse("'" + e[i].key + "' appears twice", i);
  }
  place = std::move(entries);
  return {};
}

// Header names and values go on the wire as they are: nothing may end the line.
inline SettingResult store_headers(Entries e, std::map<std::string, std::string>& place) {
  for (std::size_t i = 0; i < e.size(); ++i) {
    for (const char c : e[i].key)
      if (static_cast<unsigned char>(c) <= 0x20 || static_cast<unsigned char>(c) >= 0x7f ||
          c == ':')
        return refuse("a header name may contain only letters, digits and '-'", i);
    for (const char c : e[i].value)
      if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
        return refuse("the value of header '" + e[i].key + "' contains control characters", i);
  }
  return store_map(e, place);
}

inline Printed print_map(const std::map<std::string, std::string>& map) {
  Printed printed;
  for (const auto& [key, value] : map)
    printed.push_back({key, value});
  return printed;
}

inline SettingResult store_duration(Entries e, Duration least, Duration most, Duration& place) {
  auto parsed = parse_duration(e[0].value);
  if (parsed && (*parsed < least || *parsed > most))
    return refuse("'" + e[0].value + "' is not in the range " + duration_text(least) + " to " +
                  duration_text(most));
  return store(std::move(parsed), place);
}

inline SettingResult store_size(Entries e, std::uint64_t least, std::uint64_t most,
                                bool power_of_two, auto& place) {
  auto parsed = parse_size(e[0].value);
  if (parsed && (*parsed < least || *parsed > most))
    return refuse("'" + e[0].value + "' is not in the range " + size_text(least) + " to " +
                  size_text(most));
  if (parsed && power_of_two && !std::has_single_bit(*parsed))
    return refuse("'" + e[0].value + "' is not a power of two, such as 8MiB");
  return store(std::move(parsed), place);
}

inline SettingResult store_seed(Entries e, std::string& place) {
  const auto& text = e[0].value;
  if (text.size() != 32 || !is_lower_hex(text))
    return refuse("the seed is not 32 lower-case hex digits (openssl rand -hex 16)");
  place = text;
  return {};
}

inline SettingResult store_objective(Entries e, double& place) {
  const auto share = parse_ratio(e[0].value);
  if (!share) return refuse(share.error().text);
  if (*share >= 1)
    return refuse("an objective of 1 leaves no error budget: 0.999 allows one in 1000");
  place = *share;
  return {};
}

inline SettingResult store_listen(Entries e, OpenMetricsSettings& place) {
  if (e[0].value == "off" || e[0].value == "false") {  // YAML readers turn off into false
    place = {.enabled = false};  // where it would have listened no longer says anything
    return {};
  }
  const auto parsed = parse_host_port(e[0].value);
  if (!parsed) return refuse(parsed.error().text + ", nor off");
  place = {.enabled = true, .host = parsed->first, .port = parsed->second};
  return {};
}

// The short form of all signals: their paths are appended to its own (OTLP exporter
// specification), before a query, in which a backend may want its key.
inline SettingResult store_base_endpoint(Entries e, OtlpConfig& otlp) {
  const auto url = parse_url(e[0].value);
  if (!url) return refuse(url.error().text);
  const auto path_end = std::min(url->find_first_of("?#"), url->size());
  const auto rest = url->substr(path_end);
  auto base = url->substr(0, path_end);
  while (base.ends_with('/'))
    base.pop_back();
  otlp.traces.endpoint = base + "/v1/traces" + rest;
  otlp.metrics.endpoint = base + "/v1/metrics" + rest;
  otlp.logs.endpoint = base + "/v1/logs" + rest;
  return {};
}

}  // namespace exa::setting_values
