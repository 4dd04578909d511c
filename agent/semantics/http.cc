#include "agent/semantics/http.h"

#include "agent/semantics/errors.h"
#include "agent/semantics/path_template.h"
#include "agent/semantics/server_name.h"

namespace exa {
namespace {

constexpr std::string_view scheme_text(bool tls) {
  return tls ? "https" : "http";
}

// "1.1", "2"; empty if unknown.
std::string_view protocol_version_text(ProtocolVersion version) {
  switch (version) {
    case ProtocolVersion::kUnknown:
      return {};
    case ProtocolVersion::k10:
      return "1.0";
    case ProtocolVersion::k11:
      return "1.1";
    case ProtocolVersion::k2:
      return "2";
  }
  return {};
}

// The conventions name an unknown method "HTTP" in span names.
std::string span_name_of(Method method, std::string_view route) {
  std::string name(method == Method::kOther ? "HTTP" : method_text(method));
  if (!route.empty()) name.append(" ").append(route);
  return name;
}

}  // namespace

std::string_view method_text(Method method) {
  switch (method) {
    case Method::kOther:
      return "_OTHER";
    case Method::kGet:
      return "GET";
    case Method::kHead:
      return "HEAD";
    case Method::kPost:
      return "POST";
    case Method::kPut:
      return "PUT";
    case Method::kDelete:
      return "DELETE";
    case Method::kConnect:
      return "CONNECT";
    case Method::kOptions:
      return "OPTIONS";
    case Method::kTrace:
      return "TRACE";
    case Method::kPatch:
      return "PATCH";
    case Method::kQuery:
      return "QUERY";
  }
  return "_OTHER";
}

namespace http_semantics {

ErrorType error_type(const Exchange& exchange) {
  if (exchange.operation.status >= 500 ||
      (exchange.role == Role::kClient && exchange.operation.status >= 400))
    return ErrorType::kStatusCode;
  return broken_off(exchange);
}

std::string error_text(ErrorType type, std::uint16_t status) {
  return type == ErrorType::kStatusCode ? std::to_string(status) : broken_off_text(type);
}

std::string_view spoken(const OperationKey& key) {
  switch (key.protocol_version) {
    case ProtocolVersion::k10:
    case ProtocolVersion::k11:
      return key.tls ? "HTTP/1 over TLS" : "HTTP/1";
    case ProtocolVersion::k2:
      return key.tls ? "HTTP/2 over TLS" : "HTTP/2";
    case ProtocolVersion::kUnknown:
      break;
  }
  return {};
}

std::string label(const OperationKey& key, const KeyTexts& texts) {
  std::string label(method_text(key.method));
  if (!texts.name.empty()) label.append(" ").append(texts.name.view());
  if (key.status != 0) label += " " + std::to_string(key.status);
  // An answer that broke off has a status all the same.
  if (key.error != ErrorType::kNone && key.error != ErrorType::kStatusCode)
    label += " " + error_text(key.error, key.status);
  return label;
}

std::string asked(const OperationKey& key, const KeyTexts& /*texts*/) {
  return std::string(method_text(key.method));
}

std::string answered(const OperationKey& key) {
  return key.status != 0 ? std::to_string(key.status) : broken_off_text(key.error);
}

std::string_view key_name(const Exchange& exchange) {
  return exchange.route == nullptr ? std::string_view() : std::string_view(*exchange.route);
}

void fill_key(const Exchange& exchange, MetricKind kind, OperationKey& key) {
  key.method = exchange.operation.method;
  key.tls = exchange.tls;
  if (kind == MetricKind::kServerActive) return;
  key.protocol_version = exchange.protocol_version;
  if (kind == MetricKind::kServerQueue) return;
  key.status = exchange.operation.status;
  key.error = error_type(exchange);
}

Attributes point_attributes(const OperationKey& key, const KeyTexts& texts, MetricKind kind) {
  Attributes attributes{{"http.request.method", std::string(method_text(key.method))}};
  attributes.push_back({"url.scheme", std::string(scheme_text(key.tls))});
  // A client does not know it, nor is it known of a request that is still open.
  if (!texts.name.empty() && kind != MetricKind::kClientDuration &&
      kind != MetricKind::kServerActive)
    attributes.push_back({"http.route", std::string(texts.name.view())});
  if (key.status != 0)
    attributes.push_back({"http.response.status_code", std::int64_t{key.status}});
  if (key.error != ErrorType::kNone)
    attributes.push_back({"error.type", error_text(key.error, key.status)});
  if (const auto version = protocol_version_text(key.protocol_version); !version.empty())
    attributes.push_back({"network.protocol.version", std::string(version)});
  add_server(key, texts, attributes);
  return attributes;
}

std::string presentable(const Exchange& exchange) {
  return presentable_path(exchange.operation.name.view());
}

std::string route(const Exchange& exchange) {
  if (exchange.route != nullptr) return *exchange.route;
  return path_template(exchange.operation.name.view(), exchange.operation.name.cut());
}

std::string span_name(const Exchange& exchange, std::string_view route) {
  return span_name_of(exchange.operation.method, route);
}

std::string series_span_name(const OperationKey& key, const KeyTexts& texts) {
  return span_name_of(key.method, texts.name.view());
}

void span_attributes(const Exchange& exchange, std::string_view route, Attributes& attributes) {
  attributes.push_back(
      {"http.request.method", std::string(method_text(exchange.operation.method))});
  if (!exchange.operation.method_original.empty() && !exchange.operation.method_original.cut())
    attributes.push_back(
        {"http.request.method_original", std::string(exchange.operation.method_original.view())});
  attributes.push_back({"url.scheme", std::string(scheme_text(exchange.tls))});
  if (!exchange.operation.name.empty()) attributes.push_back({"url.path", presentable(exchange)});
  // What was only guessed for a name is none that the conventions mean.
  if (!route.empty())
    attributes.push_back(
        {exchange.route != nullptr ? "http.route" : "exemplar_agent.route", std::string(route)});
  if (exchange.operation.status != 0)
    attributes.push_back({"http.response.status_code", std::int64_t{exchange.operation.status}});
  add_outcome(exchange, attributes);
  if (const auto version = protocol_version_text(exchange.protocol_version); !version.empty())
    attributes.push_back({"network.protocol.version", std::string(version)});
}

// Whatever is before it.
bool carries_spans(const Exchange& exchange) {
  return exchange.operation.method == Method::kPost &&
         exchange.operation.name.view().ends_with("/v1/traces");
}

}  // namespace http_semantics

}  // namespace exa
