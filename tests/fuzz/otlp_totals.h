// What OTLP requests hold, read back from their bytes by the field numbers of the protocol. Aborts
// on bytes that are no such request, and on text that is not UTF-8.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <protozero/pbf_reader.hpp>
#include <string_view>

#include "exporters/encoding/utf8.h"
#include "exporters/otlp/wire.h"

namespace exa::fuzz {

struct OtlpTotals {
  std::size_t spans = 0;
  std::size_t points = 0;
  std::uint64_t duration_count = 0;  // of the histograms of request durations
  std::size_t exemplars_with_ids = 0;
};

class OtlpReader {
 public:
  explicit OtlpReader(bool traces) : traces_(traces) {}

  void read(std::string_view request) {
    each(request, otlp::RequestField::kResourceItems, [&](std::string_view resource_items) {
      each(resource_items, otlp::ResourceItemsField::kResource,
           [&](std::string_view resource) { attributes(resource, 1); });
      each(resource_items, otlp::ResourceItemsField::kScopeItems,
           [&](std::string_view scope_items) {
             each(scope_items, otlp::ScopeItemsField::kItems,
                  [&](std::string_view item) { traces_ ? span(item) : metric(item); });
           });
    });
  }
  [[nodiscard]] const OtlpTotals& totals() const { return totals_; }

 private:
  static void require(bool holds) {
    if (!holds) std::abort();
  }

  // Visits each field of that number and passes over the others, so that all bytes are looked at.
  template <typename Field, typename Visit>
  static void each(std::string_view bytes, Field wanted, Visit visit) {
    protozero::pbf_reader reader(bytes.data(), bytes.size());
    while (reader.next()) {
      if (reader.tag() == static_cast<protozero::pbf_tag_type>(wanted) &&
          reader.wire_type() == protozero::pbf_wire_type::length_delimited)
        visit(view(reader));
      else
        reader.skip();
    }
  }
  static std::string_view view(protozero::pbf_reader& reader) {
    const auto bytes = reader.get_view();
    return {bytes.data(), bytes.size()};
  }

  static void text(std::string_view bytes) { require(is_valid_utf8(bytes)); }
  static void attributes(std::string_view bytes, int field) {
    each(bytes, field, [](std::string_view pair) {
      each(pair, otlp::KeyValueField::kKey, text);
      each(pair, otlp::KeyValueField::kValue,
           [](std::string_view value) { each(value, otlp::AnyValueField::kString, text); });
    });
  }

  void span(std::string_view bytes) {
    ++totals_.spans;
    std::size_t ids = 0;
    each(bytes, otlp::SpanField::kTraceId, [&](auto id) { ids += id.size(); });
    each(bytes, otlp::SpanField::kSpanId, [&](auto id) { ids += id.size(); });
    require(ids == 24);
    for (const auto field : {otlp::SpanField::kTraceState, otlp::SpanField::kName})
      each(bytes, field, text);
    attributes(bytes, static_cast<int>(otlp::SpanField::kAttributes));
    each(bytes, otlp::SpanField::kStatus,
         [](std::string_view status) { each(status, otlp::StatusField::kMessage, text); });
  }

  void metric(std::string_view bytes) {
    bool is_duration = false;
    each(bytes, otlp::MetricField::kName, [&](std::string_view name) {
      text(name);
      is_duration = name.ends_with(".request.duration");
    });
    each(bytes, otlp::MetricField::kSum, [&](std::string_view sum) {
      each(sum, otlp::PointsField::kPoints, [&](std::string_view point) {
        ++totals_.points;
        attributes(point, static_cast<int>(otlp::NumberPointField::kAttributes));
      });
    });
    each(bytes, otlp::MetricField::kHistogram, [&](std::string_view histogram) {
      each(histogram, otlp::PointsField::kPoints, [&](std::string_view point) {
        ++totals_.points;
        attributes(point, static_cast<int>(otlp::HistogramPointField::kAttributes));
        const auto count = count_of(point);
        if (is_duration) totals_.duration_count += count;
      });
    });
  }

  std::uint64_t count_of(std::string_view point) {
    protozero::pbf_reader reader(point.data(), point.size());
    std::uint64_t count = 0;
    std::uint64_t buckets = 0;
    while (reader.next()) {
      switch (static_cast<otlp::HistogramPointField>(reader.tag())) {
        case otlp::HistogramPointField::kCount:
          count = reader.get_fixed64();
          break;
        case otlp::HistogramPointField::kBucketCounts:
          for (const auto bucket : reader.get_packed_fixed64())
            buckets += bucket;
          break;
        case otlp::HistogramPointField::kExemplars: {
          std::size_t ids = 0;
          const auto exemplar = view(reader);
          each(exemplar, otlp::ExemplarField::kTraceId, [&](auto id) { ids += id.size(); });
          each(exemplar, otlp::ExemplarField::kSpanId, [&](auto id) { ids += id.size(); });
          require(ids == 0 || ids == 24);
          totals_.exemplars_with_ids += ids == 24 ? 1 : 0;
          break;
        }
        default:
          reader.skip();
      }
    }
    require(count == buckets);
    return count;
  }

  const bool traces_;
  OtlpTotals totals_;
};

}  // namespace exa::fuzz
