// The convention of RPC calls, of gRPC: the stable part of OpenTelemetry's RPC conventions, with
// rpc.status_code as they name it since 1.45. Pure.
//
// Of an exchange, operation.name is the path of the call ("/package.Service/Method"), and
// operation.status one more than the status of gRPC, whose OK is 0; 0: no status was seen.
#pragma once

#include <string>
#include <string_view>

#include "agent/semantics/semantics.h"
#include "exa/model/rpc_status.h"

namespace exa {

namespace rpc_semantics {

std::string_view spoken(const OperationKey& key);
std::string label(const OperationKey& key, const KeyTexts& texts);
std::string asked(const OperationKey& key, const KeyTexts& texts);
std::string answered(const OperationKey& key);
ErrorType error_type(const Exchange& exchange);
std::string error_text(ErrorType type, std::uint16_t status);
std::string_view key_name(const Exchange& exchange);
std::string series_span_name(const OperationKey& key, const KeyTexts& texts);
void fill_key(const Exchange& exchange, MetricKind kind, OperationKey& key);
Attributes point_attributes(const OperationKey& key, const KeyTexts& texts, MetricKind kind);
std::string presentable(const Exchange& exchange);
std::string route(const Exchange& exchange);
std::string span_name(const Exchange& exchange, std::string_view route);
void span_attributes(const Exchange& exchange, std::string_view route, Attributes& attributes);
bool carries_spans(const Exchange& exchange);

}  // namespace rpc_semantics

inline constexpr Semantics kRpcSemantics = {
    .convention = Convention::kRpc,
    .name = "rpc",
    .spoken = rpc_semantics::spoken,
    .label = rpc_semantics::label,
    .asked = rpc_semantics::asked,
    .answered = rpc_semantics::answered,
    .metrics =
        {
            {MetricKind::kServerDuration,
             {"rpc.server.call.duration", "Duration of RPC calls at the server."}},
            {MetricKind::kClientDuration,
             {"rpc.client.call.duration", "Duration of RPC calls at the client.", true}},
            {MetricKind::kServerQueue,
             {"exemplar_agent.rpc.server.queue.duration",
              "Time from the arrival of a call in the socket until the server reads it."}},
        },
    .account_metrics =
        {
            {AccountMetric::kServerTime,
             {"exemplar_agent.rpc.server.time_spent",
              "Where the time of RPC calls at the server went; adds up to their durations."}},
            {AccountMetric::kServerRetransmits,
             {"exemplar_agent.rpc.server.retransmits",
              "Segments sent again by sockets of RPC servers during calls."}},
            {AccountMetric::kClientRetransmits,
             {"exemplar_agent.rpc.client.retransmits",
              "Segments sent again by sockets of RPC clients during calls."}},
        },
    .error_type = rpc_semantics::error_type,
    .error_text = rpc_semantics::error_text,
    .key_name = rpc_semantics::key_name,
    .fill_key = rpc_semantics::fill_key,
    .point_attributes = rpc_semantics::point_attributes,
    .series_span_name = rpc_semantics::series_span_name,
    .presentable = rpc_semantics::presentable,
    .route = rpc_semantics::route,
    .span_name = rpc_semantics::span_name,
    .span_attributes = rpc_semantics::span_attributes,
    .carries_spans = rpc_semantics::carries_spans,
};

}  // namespace exa
