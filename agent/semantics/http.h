// The convention of HTTP requests. Pure.
#pragma once

#include <string>
#include <string_view>

#include "agent/semantics/methods.h"
#include "agent/semantics/semantics.h"

namespace exa {

namespace http_semantics {

std::string_view spoken(const OperationKey& key);
std::string label(const OperationKey& key, const KeyTexts& texts);
std::string asked(const OperationKey& key, const KeyTexts& texts);
std::string answered(const OperationKey& key);
ErrorType error_type(const Exchange& exchange);
std::string error_text(ErrorType type, std::uint16_t status);
void fill_key(const Exchange& exchange, MetricKind kind, OperationKey& key);
Attributes point_attributes(const OperationKey& key, const KeyTexts& texts, MetricKind kind);
std::string_view key_name(const Exchange& exchange);
std::string series_span_name(const OperationKey& key, const KeyTexts& texts);
std::string presentable(const Exchange& exchange);
std::string route(const Exchange& exchange);
std::string span_name(const Exchange& exchange, std::string_view route);
void span_attributes(const Exchange& exchange, std::string_view route, Attributes& attributes);
bool carries_spans(const Exchange& exchange);

}  // namespace http_semantics

inline constexpr Semantics kHttpSemantics = {
    .convention = Convention::kHttp,
    .name = "http",
    .spoken = http_semantics::spoken,
    .label = http_semantics::label,
    .asked = http_semantics::asked,
    .answered = http_semantics::answered,
    .metrics =
        {
            {MetricKind::kServerDuration,
             {"http.server.request.duration", "Duration of HTTP server requests."}},
            {MetricKind::kClientDuration,
             {"http.client.request.duration", "Duration of HTTP client requests.", true}},
            {MetricKind::kServerQueue,
             {"exemplar_agent.http.server.queue.duration",
              "Time from the arrival of a request in the socket until the server reads it."}},
            {MetricKind::kServerRequestSize,
             {"http.server.request.body.size", "Size of HTTP server request bodies."}},
            {MetricKind::kServerResponseSize,
             {"http.server.response.body.size", "Size of HTTP server response bodies."}},
            {MetricKind::kServerActive,
             {"http.server.active_requests", "Number of active HTTP server requests."}},
        },
    .account_metrics =
        {
            {AccountMetric::kServerTime,
             {"exemplar_agent.http.server.time_spent",
              "Where the time of HTTP server requests went; adds up to their durations."}},
            {AccountMetric::kServerRetransmits,
             {"exemplar_agent.http.server.retransmits",
              "Segments sent again by sockets of HTTP servers during requests."}},
            {AccountMetric::kClientRetransmits,
             {"exemplar_agent.http.client.retransmits",
              "Segments sent again by sockets of HTTP clients during requests."}},
        },
    .error_type = http_semantics::error_type,
    .error_text = http_semantics::error_text,
    .key_name = http_semantics::key_name,
    .by_route = true,
    .fill_key = http_semantics::fill_key,
    .point_attributes = http_semantics::point_attributes,
    .series_span_name = http_semantics::series_span_name,
    .presentable = http_semantics::presentable,
    .route = http_semantics::route,
    .span_name = http_semantics::span_name,
    .span_attributes = http_semantics::span_attributes,
    .carries_spans = http_semantics::carries_spans,
};

}  // namespace exa
