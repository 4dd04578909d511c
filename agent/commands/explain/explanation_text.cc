#include "agent/commands/explain/explanation_text.h"

#include <algorithm>

#include "agent/commands/status/told_json.h"
#include "exa/base/readable_duration.h"
#include "exa/base/utc.h"
#include "exporters/console/safe_text.h"

namespace exa {
namespace {

constexpr std::size_t kMostShown = 5;  // of the slow, and of the failing
constexpr std::uint64_t kLateMs = 5'000;

std::string time_text(std::uint64_t unix_ms) {
  return utc_text(static_cast<std::time_t>(unix_ms / 1000), "%Y-%m-%d %H:%M:%SZ");
}

std::string safe(const ToldJson& object, const char* key) {
  return terminal_safe(text_in(object, key));
}

std::string duration_in(const ToldJson& object, const char* key) {
  return readable_duration(real_in(object, key));
}

// "checkout, server: GET 200"
std::string title_of(const ToldJson& operation) {
  const auto service = safe(operation, "service");
  return (service.empty() ? "unknown_service" : service) + ", " + safe(operation, "end") + ": " +
         safe(operation, "operation");
}

std::string line(const char* label, const std::string& text) {
  return text.empty() ? std::string() : "    " + std::string(label) + text + "\n";
}

std::string request_text(const ToldJson& request, bool of_client) {
  auto path = safe(request, "path");
  if (const auto route = safe(request, "route"); !route.empty() && route != path)
    path += " (" + route + ")";
  std::string text = path.empty() ? "a request" : path;
  if (const auto peer = safe(request, "peer"); !peer.empty())
    text += (of_client ? " to " : " from ") + peer;
  text += " at " + time_text(number_in(request, "begin_unix_ms"));
  const auto trace = safe(request, "trace_id");
  return text + (trace.empty() ? ", no stored trace" : "  trace " + trace);
}

std::string slow_text(const ToldJson& slow) {
  const auto requests = number_in(slow, "requests");
  std::string text = title_of(slow) + "\n";
  std::string numbers = std::to_string(requests) + (requests == 1 ? " request" : " requests") +
                        ", mean " + duration_in(slow, "mean_s");
  if (slow.contains("usual_mean_s"))
    numbers += " (usually " + duration_in(slow, "usual_mean_s") + ")";
  numbers += ", p99 about " + duration_in(slow, "p99_s") + ", max " + duration_in(slow, "max_s");
  text += line("", numbers);
  text += line("than usual   ", safe(slow, "than_usual"));
  text += line("than others  ", safe(slow, "than_others"));
  const auto slowest = value_in(slow, "slowest");
  if (!slowest.is_object()) return text;
  text += line("slowest      ", duration_in(slowest, "duration_s") + "  " +
                                    request_text(slowest, text_in(slow, "end") == "client"));
  return text + line("why          ", safe(slowest, "why"));
}

std::string failing_text(const ToldJson& failing, std::uint64_t start_ms, std::uint64_t end_ms) {
  std::string text = title_of(failing) + "\n";
  const auto since_ms = number_in(failing, "since_unix_ms");
  const auto when = since_ms >= start_ms ? std::string("first seen in this window")
                                         : "in every window since " + time_text(since_ms) + " (" +
                                               readable_age(since_ms, end_ms) + ")";
  text += line("", std::to_string(number_in(failing, "failed")) + " of " +
                       std::to_string(number_in(failing, "requests")) +
                       " requests of the service, " + when);
  const auto example = value_in(failing, "example");
  if (!example.is_object()) return text;
  text += line("example      ", request_text(example, text_in(failing, "end") == "client"));
  return text + line("why          ", safe(example, "why"));
}

template <typename Text>
std::string list_text(const ToldJson& list, std::uint64_t left_out, Text text_of) {
  std::string text;
  for (std::size_t i = 0; i < std::min(list.size(), kMostShown); ++i)
    text += text_of(list[i]);
  const auto more = left_out + list.size() - std::min(list.size(), kMostShown);
  if (more > 0) text += "and " + std::to_string(more) + " more, see --json\n";
  return text;
}

Result<ToldJson> explanation_in(std::string_view windows) {
  const auto told = parsed_told(windows);
  if (told.is_discarded())
    return fail("the running agent's data has an unknown format; is it the same version?");
  auto explanation = value_in(told, "explanation");
  if (!explanation.is_object())
    return fail("the running agent has not closed a window yet; try again in a few seconds");
  return explanation;
}

}  // namespace

Result<std::string> explanation_text(std::string_view windows, WallTime now) {
  const auto told = explanation_in(windows);
  if (!told) return std::unexpected(told.error());
  const auto end_ms = number_in(*told, "end_unix_ms");
  const auto start_ms = number_in(*told, "start_unix_ms");
  const auto window_s = static_cast<double>(end_ms - std::min(start_ms, end_ms)) / 1e3;
  std::string text = "The " + readable_duration(window_s) + " until " + time_text(end_ms) + "\n\n";
  // A window is told within seconds of its end, and the next one follows.
  if (const auto now_ms = now.ns / 1'000'000; now_ms > end_ms + 2 * (end_ms - start_ms) + kLateMs)
    text += "That is " + readable_age(end_ms, now_ms) +
            " ago: the agent is behind or hung; what follows may be out of date.\n\n";
  const auto operations = list_in(*told, "slow");
  if (operations.empty()) return text + "No requests.\n";
  auto slow = ToldJson::array();
  for (const auto& operation : operations)
    if (real_in(operation, "lost_s") > 0) slow.push_back(operation);
  if (slow.empty()) {
    text += "Nothing was slower than usual, or than other requests like it.\n\n";
  } else {
    const bool all_told = slow.size() < operations.size();
    text += "SLOW: what lost the most time, against usual or against the others\n";
    text += list_text(slow, all_told ? 0 : number_in(*told, "slow_left_out"), slow_text) + "\n";
  }
  const auto failing = list_in(*told, "failing");
  if (failing.empty()) return text + "No errors.\n";
  text += "FAILING: the most frequent errors\n";
  return text + list_text(failing, number_in(*told, "failing_left_out"),
                          [&](const ToldJson& one) { return failing_text(one, start_ms, end_ms); });
}

Result<std::string> explanation_as_json(std::string_view windows) {
  const auto told = explanation_in(windows);
  if (!told) return std::unexpected(told.error());
  return told->dump(2, ' ', false, ToldJson::error_handler_t::replace) + "\n";
}

}  // namespace exa
