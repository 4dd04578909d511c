// Field numbers of the OpenTelemetry protocol 1.x (opentelemetry-proto), one enum a message, for
// protozero. A field that we never write is not listed.
#pragma once

#include <protozero/types.hpp>

namespace exa::otlp {

using Tag = protozero::pbf_tag_type;

// Requests, and the items of resources and scopes, have the same shape for each signal.
enum class RequestField : Tag { kResourceItems = 1 };
enum class ResourceItemsField : Tag { kResource = 1, kScopeItems = 2, kSchemaUrl = 3 };
enum class ScopeItemsField : Tag { kScope = 1, kItems = 2, kSchemaUrl = 3 };

enum class ReplyField : Tag { kPartialSuccess = 1 };
enum class PartialSuccessField : Tag { kRejected = 1, kErrorMessage = 2 };

enum class ResourceField : Tag { kAttributes = 1 };
enum class ScopeField : Tag { kName = 1, kVersion = 2 };
enum class KeyValueField : Tag { kKey = 1, kValue = 2 };
enum class AnyValueField : Tag { kString = 1, kBool = 2, kInt = 3, kDouble = 4 };

enum class MetricField : Tag {
  kName = 1,
  kDescription = 2,
  kUnit = 3,
  kGauge = 5,
  kSum = 7,
  kHistogram = 9,
  kExponentialHistogram = 10,
};
// Gauge, Sum and Histogram.
enum class PointsField : Tag { kPoints = 1, kTemporality = 2, kMonotonic = 3 };
inline constexpr int kDelta = 1;
inline constexpr int kCumulative = 2;

enum class NumberPointField : Tag {
  kStart = 2,
  kTime = 3,
  kAsDouble = 4,
  kExemplars = 5,
  kAsInt = 6,
  kAttributes = 7,
};
enum class HistogramPointField : Tag {
  kStart = 2,
  kTime = 3,
  kCount = 4,
  kSum = 5,
  kBucketCounts = 6,
  kExplicitBounds = 7,
  kExemplars = 8,
  kAttributes = 9,
  kMin = 11,
  kMax = 12,
};
enum class ExponentialPointField : Tag {
  kAttributes = 1,
  kStart = 2,
  kTime = 3,
  kCount = 4,
  kSum = 5,
  kScale = 6,
  kZeroCount = 7,
  kPositive = 8,
  kExemplars = 11,
  kMin = 12,
  kMax = 13,
};
enum class BucketsField : Tag { kOffset = 1, kCounts = 2 };
enum class ExemplarField : Tag {
  kTime = 2,
  kAsDouble = 3,
  kSpanId = 4,
  kTraceId = 5,
  kFilteredAttributes = 7,
};

enum class SpanField : Tag {
  kTraceId = 1,
  kSpanId = 2,
  kTraceState = 3,
  kParentSpanId = 4,
  kName = 5,
  kKind = 6,
  kStart = 7,
  kEnd = 8,
  kAttributes = 9,
  kEvents = 11,
  kStatus = 15,
  kFlags = 16,
};
enum class LogRecordField : Tag {
  kTime = 1,
  kSeverityNumber = 2,
  kSeverityText = 3,
  kBody = 5,
  kAttributes = 6,
  kFlags = 8,
  kTraceId = 9,
  kSpanId = 10,
  kObservedTime = 11,
  kEventName = 12,
};
enum class EventField : Tag { kTime = 1, kName = 2 };
enum class StatusField : Tag { kMessage = 2, kCode = 3 };

}  // namespace exa::otlp
