// The convention of the line protocol.
#pragma once

#include "agent/semantics/errors.h"
#include "agent/semantics/semantics.h"

namespace exa {
namespace line {

// One more than the product has.
inline constexpr Convention kLine = Convention::kCount;

inline ErrorType error_type(const Exchange& exchange) {
  return exchange.operation.status != 0 ? ErrorType::kStatusCode : broken_off(exchange);
}
inline std::string error_text(ErrorType type, std::uint16_t status) {
  return type == ErrorType::kStatusCode ? "ERR " + std::to_string(status) : broken_off_text(type);
}
inline std::string asked(const OperationKey& /*key*/, const KeyTexts& /*texts*/) {
  return "ask";
}
inline std::string answered(const OperationKey& key) {
  return key.error == ErrorType::kNone ? "OK" : error_text(key.error, key.status);
}
inline void fill_key(const Exchange& exchange, MetricKind kind, OperationKey& key) {
  if (kind != MetricKind::kServerQueue) key.error = error_type(exchange);
  if (kind != MetricKind::kServerQueue) key.status = exchange.operation.status;
}
inline Attributes point_attributes(const OperationKey& key, const KeyTexts& /*texts*/,
                                   MetricKind /*kind*/) {
  if (key.error == ErrorType::kNone) return {};
  return {{"error.type", error_text(key.error, key.status)}};
}
inline std::string series_span_name(const OperationKey& /*key*/, const KeyTexts& /*texts*/) {
  return "ASK";
}
inline std::string presentable(const Exchange& exchange) {
  return std::string(exchange.operation.name.view());
}
inline std::string route(const Exchange& /*exchange*/) {
  return {};
}
inline std::string span_name(const Exchange& /*exchange*/, std::string_view /*route*/) {
  return "ASK";
}
inline void span_attributes(const Exchange& exchange, std::string_view /*route*/,
                            Attributes& attributes) {
  attributes.push_back({"line.word", std::string(exchange.operation.name.view())});
  add_outcome(exchange, attributes);
}

}  // namespace line

inline constexpr Semantics kLineSemantics = {
    .convention = line::kLine,
    .name = "line",
    .asked = line::asked,
    .answered = line::answered,
    .metrics =
        {
            {MetricKind::kServerDuration,
             {"line.server.request.duration", "Duration of lines answered."}},
            {MetricKind::kClientDuration,
             {"line.client.request.duration", "Duration of lines asked.", true}},
            {MetricKind::kServerQueue,
             {"line.server.queue.duration", "Time until a line was read."}},
        },
    .error_type = line::error_type,
    .error_text = line::error_text,
    .fill_key = line::fill_key,
    .point_attributes = line::point_attributes,
    .series_span_name = line::series_span_name,
    .presentable = line::presentable,
    .route = line::route,
    .span_name = line::span_name,
    .span_attributes = line::span_attributes,
};

}  // namespace exa
