#include "agent/semantics/rpc.h"

#include <algorithm>
#include <array>

#include "agent/semantics/errors.h"
#include "agent/semantics/path_template.h"
#include "agent/semantics/server_name.h"

namespace exa {
namespace {

constexpr std::string_view kSystem = "grpc";
constexpr std::string_view kOther = "_OTHER";

constexpr std::array<std::string_view, kRpcStatuses> kStatusTexts = {
    "OK",
    "CANCELLED",
    "UNKNOWN",
    "INVALID_ARGUMENT",
    "DEADLINE_EXCEEDED",
    "NOT_FOUND",
    "ALREADY_EXISTS",
    "PERMISSION_DENIED",
    "RESOURCE_EXHAUSTED",
    "FAILED_PRECONDITION",
    "ABORTED",
    "OUT_OF_RANGE",
    "UNIMPLEMENTED",
    "INTERNAL",
    "UNAVAILABLE",
    "DATA_LOSS",
    "UNAUTHENTICATED",
};

// What a server itself has failed at; the others are the caller's to mend.
constexpr std::array kServerErrors = {RpcStatus::kUnknown,       RpcStatus::kDeadlineExceeded,
                                      RpcStatus::kUnimplemented, RpcStatus::kInternal,
                                      RpcStatus::kUnavailable,   RpcStatus::kDataLoss};

// A number that gRPC does not define is told as it is.
std::string status_text(std::uint16_t status) {
  const std::size_t code = status - 1U;
  return code < kStatusTexts.size() ? std::string(kStatusTexts[code]) : std::to_string(code);
}

bool is_error_status(const Exchange& exchange) {
  const auto status = exchange.operation.status;
  if (status == 0 || status == status_of(RpcStatus::kOk)) return false;
  if (exchange.role == Role::kClient) return true;
  return status > kRpcStatuses || std::ranges::any_of(kServerErrors, [&](RpcStatus error) {
           return status == status_of(error);
         });
}

// "package.Service/Method"; empty: it is not known, or no method's name.
std::string_view method_of(const Exchange& exchange) {
  const auto& path = exchange.operation.name;
  const auto text = path.view();
  if (path.cut() || text.size() < 4 || text.front() != '/') return {};
  const auto slash = text.find('/', 1);
  if (slash == std::string_view::npos || slash == 1 || slash + 1 == text.size()) return {};
  const bool printable = std::ranges::all_of(text, [](char c) { return c > ' ' && c < 0x7f; });
  return printable ? text.substr(1) : std::string_view{};
}

}  // namespace

namespace rpc_semantics {

std::string_view spoken(const OperationKey& /*key*/) {
  return "gRPC";
}

ErrorType error_type(const Exchange& exchange) {
  return is_error_status(exchange) ? ErrorType::kStatusCode : broken_off(exchange);
}

std::string error_text(ErrorType type, std::uint16_t status) {
  return type == ErrorType::kStatusCode ? status_text(status) : broken_off_text(type);
}

// What a server does not implement may be any text of a stranger's.
std::string_view key_name(const Exchange& exchange) {
  if (exchange.operation.name.empty()) return {};
  if (exchange.role != Role::kClient &&
      exchange.operation.status == status_of(RpcStatus::kUnimplemented))
    return kOther;
  const auto method = method_of(exchange);
  return method.empty() ? kOther : method;
}

std::string label(const OperationKey& key, const KeyTexts& texts) {
  std::string label(texts.name.empty() ? kSystem : texts.name.view());
  if (key.status != 0) label += " " + status_text(key.status);
  if (key.error != ErrorType::kNone && key.error != ErrorType::kStatusCode)
    label += " " + error_text(key.error, key.status);
  return label;
}

std::string asked(const OperationKey& /*key*/, const KeyTexts& texts) {
  return std::string(texts.name.view());
}

std::string answered(const OperationKey& key) {
  return key.status != 0 ? status_text(key.status) : broken_off_text(key.error);
}

void fill_key(const Exchange& exchange, MetricKind kind, OperationKey& key) {
  if (kind == MetricKind::kServerQueue) return;
  key.status = exchange.operation.status;
  key.error = error_type(exchange);
}

Attributes point_attributes(const OperationKey& key, const KeyTexts& texts, MetricKind /*kind*/) {
  Attributes attributes{{"rpc.system.name", std::string(kSystem)}};
  if (!texts.name.empty()) attributes.push_back({"rpc.method", std::string(texts.name.view())});
  if (key.status != 0) attributes.push_back({"rpc.status_code", status_text(key.status)});
  if (key.error != ErrorType::kNone)
    attributes.push_back({"error.type", error_text(key.error, key.status)});
  add_server(key, texts, attributes);
  return attributes;
}

std::string presentable(const Exchange& exchange) {
  return presentable_path(exchange.operation.name.view());
}

std::string route(const Exchange& exchange) {
  return std::string(key_name(exchange));
}

std::string series_span_name(const OperationKey& /*key*/, const KeyTexts& texts) {
  return std::string(texts.name.empty() || texts.name.view() == kOther ? kSystem
                                                                       : texts.name.view());
}

std::string span_name(const Exchange& /*exchange*/, std::string_view route) {
  return std::string(route.empty() || route == kOther ? kSystem : route);
}

void span_attributes(const Exchange& exchange, std::string_view route, Attributes& attributes) {
  attributes.push_back({"rpc.system.name", std::string(kSystem)});
  if (!route.empty()) attributes.push_back({"rpc.method", std::string(route)});
  if (const auto original = method_of(exchange); route == kOther && !original.empty())
    attributes.push_back({"rpc.method_original", std::string(original)});
  if (exchange.operation.status != 0)
    attributes.push_back({"rpc.status_code", status_text(exchange.operation.status)});
  add_outcome(exchange, attributes);
}

bool carries_spans(const Exchange& exchange) {
  return exchange.operation.name.view().ends_with(
      "opentelemetry.proto.collector.trace.v1.TraceService/Export");
}

}  // namespace rpc_semantics

}  // namespace exa
