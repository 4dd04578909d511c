// What a convention (OpenTelemetry semantic conventions 1.44: http, rpc, later database) makes of
// an exchange. One row says all of it; series keys and spans ask the row and know no convention.
// Pure; what takes part in a series key allocates nothing.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "exa/base/enum_table.h"
#include "exa/base/inline_string.h"
#include "exa/model/attribute.h"
#include "exa/model/exchange.h"

namespace exa {

// What went wrong, of low cardinality.
enum class ErrorType : std::uint8_t {
  kNone,
  kStatusCode,  // the status itself is the type
  kConnectionReset,
  kTimeout,
  kAborted,
};

enum class MetricKind : std::uint8_t {
  kServerDuration,
  kClientDuration,
  kServerQueue,
  kServerRequestSize,
  kServerResponseSize,
  kServerActive,
  kCount
};
inline constexpr auto kMetricKinds = static_cast<std::size_t>(MetricKind::kCount);

// What the accounts of all exchanges of a series add up to, told beside its durations.
enum class AccountMetric : std::uint8_t {
  kServerTime,
  kServerRetransmits,
  kClientRetransmits,
  kCount
};

// Its unit, and how it is measured: metrics/metric_table.
struct MetricDescription {
  const char* name = nullptr;
  const char* description = nullptr;
  bool by_server = false;  // a client's: told apart by whom it talks to
};

// The server a client talks to: its name in lower case, without its port, or the bytes of its
// address. Never cut.
using ServerHost = InlineString<46>;

// A text in a key, see metrics/names.h: the name of an operation, or a ServerHost. Never cut.
using KeyText = InlineString<101>;
using NameId = std::uint32_t;
inline constexpr NameId kNoName = 0;

// Clients only.
struct ServerKey {
  NameId name = kNoName;
  std::uint16_t port = 0;
  bool is_address = false;  // the name holds the bytes of one
};

// What a series' points say of their operations. Another field is one of the words of a series' key
// too (metrics/series_key).
struct OperationKey {
  ServerKey server;
  NameId name = kNoName;  // of the operation, where a convention tells series apart by it
  std::uint16_t status = 0;
  Convention convention = Convention::kHttp;
  Method method = Method::kOther;
  ProtocolVersion protocol_version = ProtocolVersion::kUnknown;
  ErrorType error = ErrorType::kNone;
  bool tls = false;
};

// The texts of a key's numbers; empty where it has none.
struct KeyTexts {
  KeyText server;
  KeyText name;
};

struct Semantics {
  Convention convention;
  std::string_view name;
  // What was spoken, for people; empty: the key does not say. Null: the name.
  std::string_view (*spoken)(const OperationKey& key) = nullptr;
  // What a series of durations is of, for people: "GET 200". Null: the convention's name.
  std::string (*label)(const OperationKey& key, const KeyTexts& texts) = nullptr;
  // Likewise, in two columns: "GET" and "200", or what went wrong where there was no status. Empty:
  // the key does not say.
  std::string (*asked)(const OperationKey& key, const KeyTexts& texts);
  std::string (*answered)(const OperationKey& key);
  // A metric that it has not got has no row, and so no name.
  EnumTable<MetricKind, MetricDescription> metrics;
  EnumTable<AccountMetric, MetricDescription> account_metrics = {};

  [[nodiscard]] bool has(MetricKind kind) const { return metrics[kind].name != nullptr; }

  // kNone: it is no error. The only definition of one.
  ErrorType (*error_type)(const Exchange& exchange);
  // error.type; not for kNone.
  std::string (*error_text)(ErrorType type, std::uint16_t status);

  // By what name series are told apart, of at most as many bytes as a KeyText has; empty: by none.
  // Null: the convention has no such names.
  std::string_view (*key_name)(const Exchange& exchange) = nullptr;
  bool by_route = false;  // names of its operations are paths, of which only a route is a label
  // What a measurement of that kind is distinguished by; everything but convention and texts.
  void (*fill_key)(const Exchange& exchange, MetricKind kind, OperationKey& key);
  Attributes (*point_attributes)(const OperationKey& key, const KeyTexts& texts, MetricKind kind);

  // What the spans of a series' requests are called.
  std::string (*series_span_name)(const OperationKey& key, const KeyTexts& texts);

  // The operation's name as people may see it: valid text, without what looks like a secret.
  std::string (*presentable)(const Exchange& exchange);
  // The operation's name of low cardinality, without its parameters; empty: it has none.
  std::string (*route)(const Exchange& exchange);
  std::string (*span_name)(const Exchange& exchange, std::string_view route);
  // All but what every exchange has: the two ends, times, and why the span is exported.
  void (*span_attributes)(const Exchange& exchange, std::string_view route, Attributes& attributes);

  // Does the request carry spans to a collector, as OTLP's specification names it? Null: none does.
  bool (*carries_spans)(const Exchange& exchange) = nullptr;
};

// The row of a convention.
const Semantics& semantics_of(Convention convention);

inline bool is_error(const Exchange& exchange) {
  return semantics_of(exchange.operation.convention).error_type(exchange) != ErrorType::kNone;
}

}  // namespace exa
