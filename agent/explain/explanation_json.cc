#include "agent/explain/explanation_json.h"

#include <nlohmann/json.hpp>

namespace exa {
namespace {

using Json = nlohmann::ordered_json;

std::uint64_t milliseconds(WallTime time) {
  return time.ns / 1'000'000;
}

Json json_of(const SlowestRequest& request) {
  Json json = {{"begin_unix_ms", milliseconds(request.begin)},
               {"path", request.path},
               {"route", request.route},
               {"peer", request.peer},
               {"why", request.why}};
  if (request.trace_id.valid()) json["trace_id"] = to_hex(request.trace_id);
  return json;
}

Json json_of(const ExplainedOperation& operation) {
  return {{"service", operation.service},
          {"end", operation.end == Role::kClient ? "client" : "server"},
          {"operation", operation.operation}};
}

Json json_of(const SlowOperation& slow) {
  Json json = json_of(static_cast<const ExplainedOperation&>(slow));
  json["requests"] = slow.requests;
  json["mean_s"] = slow.mean_s;
  if (slow.usual_s) json["usual_mean_s"] = *slow.usual_s;
  json["p99_s"] = slow.p99_s;
  json["max_s"] = slow.max_s;
  json["lost_s"] = slow.lost_s;
  json["than_usual"] = slow.than_usual;
  json["than_others"] = slow.than_others;
  if (slow.slowest) {
    json["slowest"] = json_of(*slow.slowest);
    json["slowest"]["duration_s"] = slow.slowest_s;
  }
  return json;
}

Json json_of(const FailingOperation& failing) {
  Json json = json_of(static_cast<const ExplainedOperation&>(failing));
  json["failed"] = failing.failed;
  json["requests"] = failing.requests;
  json["since_unix_ms"] = milliseconds(failing.since);
  if (failing.example) json["example"] = json_of(*failing.example);
  return json;
}

template <typename Told>
Json json_of(const std::vector<Told>& all) {
  auto list = Json::array();
  for (const auto& one : all)
    list.push_back(json_of(one));
  return list;
}

}  // namespace

std::string explanation_json(const Explanation& explanation) {
  const Json json = {{"start_unix_ms", milliseconds(explanation.start)},
                     {"end_unix_ms", milliseconds(explanation.end)},
                     {"slow", json_of(explanation.slow)},
                     {"slow_left_out", explanation.slow_left_out},
                     {"failing", json_of(explanation.failing)},
                     {"failing_left_out", explanation.failing_left_out}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace exa
