#include "agent/config/policy_text.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "agent/config/policy_arguments.h"
#include "agent/config/value_text.h"
#include "exa/base/overloaded.h"
#include "exa/base/whitespace.h"

namespace exa {
namespace {

using namespace policy_arguments;

constexpr int kMostDepth = 4;
constexpr std::size_t kMostPolicies = 16;  // in one of several
constexpr std::size_t kMostTiers = 16;
constexpr Duration kMostDuration = std::chrono::hours(1);

Result<double> parse_number(std::string_view text) {
  double value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size() || !(value > 0 && value <= 1e9))
    return refuse(text, "is not a number above 0");
  return value;
}

Result<Duration> parse_positive_duration(std::string_view text) {
  auto duration = parse_duration(text);
  if (duration && (*duration <= Duration::zero() || *duration > kMostDuration))
    return refuse(text, "is not in the range up to 1h");
  return duration;
}

auto count_from(std::uint64_t least, std::uint64_t most) {
  return [least, most](std::string_view text) { return parse_count(text, least, most); };
}

using Parsed = Result<PolicySpec>;

template <typename T>
Parsed with(std::string_view policy, T spec, const Arguments& arguments,
            std::vector<Place> (*places)(T&)) {
  if (auto taken = take(policy, arguments, places(spec)); !taken)
    return std::unexpected(taken.error());
  return PolicySpec{std::move(spec)};
}

template <typename T>
Parsed without_arguments(std::string_view policy, const Arguments& arguments) {
  return with<T>(policy, {}, arguments, [](T&) { return std::vector<Place>{}; });
}

Parsed parse_traffic_tiered(std::string_view policy, const Arguments& arguments) {
  policy::TrafficTiered tiered;
  if (!arguments.empty()) tiered.tiers.clear();
  for (const auto& argument : arguments) {
    const auto share = parse_ratio(argument.value);
    if (!share) return fail(std::string(policy) + ": " + share.error().text);
    if (argument.name == "above") {
      tiered.above = *share;
      continue;
    }
    const auto below = parse_number(argument.name);
    if (!below || (!tiered.tiers.empty() && *below <= tiered.tiers.back().below) ||
        tiered.tiers.size() == kMostTiers)
      return refuse(argument.name,
                    "is not a larger number of requests per second than the tier "
                    "before it, as in traffic_tiered(10=1, 100=10%, above=1%)");
    tiered.tiers.push_back({*below, *share});
  }
  return PolicySpec{std::move(tiered)};
}

Parsed parse_latency_tiered(std::string_view policy, const Arguments& arguments) {
  policy::LatencyTiered tiered;
  if (!arguments.empty()) tiered.tiers.clear();
  for (const auto& argument : arguments) {
    const auto share = parse_ratio(argument.value);
    if (!share) return fail(std::string(policy) + ": " + share.error().text);
    const auto from = parse_duration(argument.name);
    if (!from || (!tiered.tiers.empty() && *from <= tiered.tiers.back().from) ||
        tiered.tiers.size() == kMostTiers)
      return refuse(argument.name,
                    "is not a longer duration than the tier before it, as in "
                    "latency_tiered(0s=0.1%, 100ms=1%, 1s=1)");
    tiered.tiers.push_back({*from, *share});
  }
  return PolicySpec{std::move(tiered)};
}

Parsed parse_percentile(std::string_view policy, const Arguments& arguments) {
  return with<policy::Percentile>(policy, {}, arguments, [](policy::Percentile& p) {
    return std::vector<Place>{{"quantile", into(p.quantile, parse_ratio), true, true},
                              {"last", into(p.last, count_from(10, 100))}};
  });
}

Parsed parse_adaptive(std::string_view policy, const Arguments& arguments) {
  policy::Adaptive adaptive;
  if (auto taken = take(policy, arguments,
                        {{"per_second", into(adaptive.per_second, parse_number), true, true},
                         {"least", into(adaptive.least, parse_ratio)},
                         {"most", into(adaptive.most, parse_ratio)}});
      !taken)
    return std::unexpected(taken.error());
  if (adaptive.least > adaptive.most)
    return fail("adaptive: its minimum share exceeds its maximum");
  return PolicySpec{adaptive};
}

struct Row {
  std::string_view name;
  PolicyDescription description;
  Parsed (*parse)(std::string_view policy, const Arguments& arguments);  // null: of policies
};

constexpr auto kRows = std::to_array<Row>({
    {"coordinated",
     {"coordinated", "every request; of each bucket the same traces are chosen on all nodes"},
     without_arguments<policy::Always>},
    {"always", {"always", "the same"}, without_arguments<policy::Always>},
    {"never", {"never", "none"}, without_arguments<policy::Never>},
    {"trace_based",
     {"trace_based", "requests whose caller has sampled their trace"},
     without_arguments<policy::TraceBased>},
    {"bucket",
     {"bucket", "the first request of each bucket of a series in each window"},
     without_arguments<policy::FirstOfBucket>},
    {"probability",
     {"probability(10%)", "that share of all traces, the same on all nodes"},
     [](std::string_view policy, const Arguments& arguments) {
       return with<policy::Probability>(policy, {}, arguments, [](policy::Probability& p) {
         return std::vector<Place>{{"share", into(p.share, parse_ratio), true, true}};
       });
     }},
    {"outlier",
     {"outlier(500ms)", "requests that took longer"},
     [](std::string_view policy, const Arguments& arguments) {
       return with<policy::Outlier>(policy, {}, arguments, [](policy::Outlier& p) {
         return std::vector<Place>{{"above", into(p.above, parse_positive_duration), true, true}};
       });
     }},
    {"percentile",
     {"percentile(95%, last=100)",
      "values above that quantile of the last ones of their series; none before the first ten"},
     parse_percentile},
    {"time_window",
     {"time_window(10, per=1s)", "at most so many requests of a series in any time of that length"},
     [](std::string_view policy, const Arguments& arguments) {
       return with<policy::TimeWindow>(policy, {}, arguments, [](policy::TimeWindow& p) {
         return std::vector<Place>{{"most", into(p.most, count_from(1, 100)), true, true},
                                   {"per", into(p.per, parse_positive_duration)}};
       });
     }},
    {"traffic_tiered",
     {"traffic_tiered(10=1, 100=10%, 1000=1%, above=0.1%)",
      "of a series with fewer requests per second that share, above all tiers the last one"},
     parse_traffic_tiered},
    {"adaptive",
     {"adaptive(10, least=0.1%, most=1)",
      "so many requests per second, by a share of all traces that follows the traffic"},
     parse_adaptive},
    {"latency_tiered",
     {"latency_tiered(0s=0.1%, 100ms=1%, 500ms=10%, 1s=1)",
      "of requests that took so long or longer, up to the next tier, that share"},
     parse_latency_tiered},
    {"error_boost",
     {"error_boost(base=1%, error=1, slow=1, slow_from=1s)",
      "shares of all, of failed and of slow requests; everything of a process of whose requests "
      "more than a tenth fail"},
     [](std::string_view policy, const Arguments& arguments) {
       return with<policy::ErrorBoost>(policy, {}, arguments, [](policy::ErrorBoost& p) {
         return std::vector<Place>{{"base", into(p.base, parse_ratio)},
                                   {"error", into(p.error, parse_ratio)},
                                   {"slow", into(p.slow, parse_ratio)},
                                   {"slow_from", into(p.slow_from, parse_positive_duration)}};
       });
     }},
    {"path_prefix",
     {"path_prefix(/admin/)", "requests whose path begins so"},
     [](std::string_view policy, const Arguments& arguments) {
       return with<policy::PathPrefix>(policy, {}, arguments, [](policy::PathPrefix& p) {
         const auto text = [](std::string_view prefix) -> Result<std::string> {
           if (prefix.empty()) return refuse(prefix, "is every path's prefix; use always");
           if (auto checked = check_path_prefix(prefix); !checked)
             return std::unexpected(checked.error());
           return std::string(prefix);
         };
         return std::vector<Place>{{"prefix", into(p.prefix, text), true, true}};
       });
     }},
    {"any_of",
     {"any_of(outlier(500ms), probability(1%))", "what any of the policies admits, asked in order"},
     nullptr},
    {"all_of",
     {"all_of(trace_based, time_window(1, per=10s))",
      "what all of them admit, asked in order until one refuses"},
     nullptr},
});

const auto& descriptions() {
  static const auto kAll = [] {
    std::array<PolicyDescription, kRows.size()> all;
    std::ranges::transform(kRows, all.begin(), &Row::description);
    return all;
  }();
  return kAll;
}

// The comma or the end at which the first of several policies ends; none: its parentheses are not
// closed.
std::optional<std::size_t> end_of_first(std::string_view text) {
  int open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++open;
    if (text[i] == ')' && --open < 0) return std::nullopt;
    if (text[i] == ',' && open == 0) return i;
  }
  return open == 0 ? std::optional(text.size()) : std::nullopt;
}

Parsed parse_nested(std::string_view text, int depth);

Parsed parse_several(const Row& row, std::string_view text, int depth) {
  std::vector<PolicySpec> policies;
  while (!trimmed(text).empty()) {
    if (depth == kMostDepth || policies.size() == kMostPolicies)
      return fail(std::string(row.name) + ": too many policies, or nested too deeply");
    const auto end = end_of_first(text);
    if (!end) return refuse(text, "has parentheses that do not match");
    auto one = parse_nested(trimmed(text.substr(0, *end)), depth + 1);
    if (!one) return one;
    policies.push_back(std::move(*one));
    text.remove_prefix(std::min(*end + 1, text.size()));
  }
  if (policies.empty())
    return fail(std::string(row.name) + " needs policies: " + std::string(row.description.example));
  if (row.name == "any_of") return PolicySpec{policy::AnyOf{std::move(policies)}};
  return PolicySpec{policy::AllOf{std::move(policies)}};
}

Parsed parse_nested(std::string_view text, int depth) {
  const auto open = text.find('(');
  const auto name = trimmed(text.substr(0, open));
  const auto row = std::ranges::find(kRows, name, &Row::name);
  if (row == kRows.end()) {
    std::vector<std::string_view> names;
    for (const auto& one : kRows)
      names.push_back(one.name);
    const auto meant = nearest(name, names);
    return refuse(name, meant.empty()
                            ? "is not a policy, such as probability(10%) or outlier(500ms)"
                            : "is not a policy; did you mean '" + std::string(meant) + "'?");
  }
  std::string_view inner;
  if (open != std::string_view::npos) {
    if (!text.ends_with(')')) return refuse(text, "has parentheses that do not match");
    inner = text.substr(open + 1, text.size() - open - 2);
  }
  if (row->parse == nullptr) return parse_several(*row, inner, depth);
  if (inner.find_first_of("()") != std::string_view::npos)
    return refuse(text, "has parentheses where " + std::string(name) + " has none");
  return row->parse(name, arguments_of(inner));
}

std::string several_text(std::string_view name, const std::vector<PolicySpec>& policies) {
  std::string text(name);
  for (const auto& policy : policies)
    text += (&policy == &policies.front() ? "(" : ", ") + policy_text(policy);
  return text + ')';
}

}  // namespace

std::span<const PolicyDescription> policy_descriptions() {
  return descriptions();
}

Result<PolicySpec> parse_policy(std::string_view text) {
  if (text.size() > kMostPolicyBytes) return fail("longer than 1024 bytes");
  if (!is_one_line(text)) return refuse(text, "is more than one line of plain text");
  return parse_nested(trimmed(text), 0);
}

std::string policy_text(const PolicySpec& policy) {
  return std::visit(
      Overloaded{
          [](const policy::Always&) { return std::string("coordinated"); },
          [](const policy::Never&) { return std::string("never"); },
          [](const policy::TraceBased&) { return std::string("trace_based"); },
          [](const policy::FirstOfBucket&) { return std::string("bucket"); },
          [](const policy::Probability& p) { return "probability(" + decimal_text(p.share) + ')'; },
          [](const policy::Outlier& p) { return "outlier(" + duration_text(p.above) + ')'; },
          [](const policy::Percentile& p) {
            return "percentile(" + decimal_text(p.quantile) + ", last=" + std::to_string(p.last) +
                   ')';
          },
          [](const policy::TimeWindow& p) {
            return "time_window(" + std::to_string(p.most) + ", per=" + duration_text(p.per) + ')';
          },
          [](const policy::TrafficTiered& p) {
            std::string text("traffic_tiered(");
            for (const auto& tier : p.tiers)
              text += decimal_text(tier.below) + '=' + decimal_text(tier.share) + ", ";
            return text + "above=" + decimal_text(p.above) + ')';
          },
          [](const policy::Adaptive& p) {
            return "adaptive(" + decimal_text(p.per_second) + ", least=" + decimal_text(p.least) +
                   ", most=" + decimal_text(p.most) + ')';
          },
          [](const policy::LatencyTiered& p) {
            std::string text("latency_tiered");
            for (const auto& tier : p.tiers)
              text += (&tier == &p.tiers.front() ? "(" : ", ") + duration_text(tier.from) + '=' +
                      decimal_text(tier.share);
            return text + ')';
          },
          [](const policy::ErrorBoost& p) {
            return "error_boost(base=" + decimal_text(p.base) + ", error=" + decimal_text(p.error) +
                   ", slow=" + decimal_text(p.slow) + ", slow_from=" + duration_text(p.slow_from) +
                   ')';
          },
          [](const policy::PathPrefix& p) {
            const bool reads_as_named = p.prefix.contains('=');
            return "path_prefix(" + std::string(reads_as_named ? "prefix=" : "") + p.prefix + ')';
          },
          [](const policy::AnyOf& p) { return several_text("any_of", p.policies); },
          [](const policy::AllOf& p) { return several_text("all_of", p.policies); },
      },
      policy.what);
}

}  // namespace exa
