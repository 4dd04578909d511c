#include "exporters/console/json_exporter.h"

#include <algorithm>
#include <nlohmann/json.hpp>
#include <utility>
#include <vector>

#include "exa/base/overloaded.h"

namespace exa {
namespace {

using Json = nlohmann::ordered_json;

Json to_json(const AttributeValue& value) {
  return std::visit([](const auto& held) { return Json(held); }, value);
}

Json to_json(const Attributes& attributes) {
  Json object = Json::object();
  for (const Attribute& attribute : attributes)
    object[attribute.key] = to_json(attribute.value);
  return object;
}

std::string service_of(const Resource* resource) {
  return resource == nullptr ? std::string() : attribute_text(resource->attributes, "service.name");
}

Json to_json(const Resource* resource) {
  return resource == nullptr ? Json::object() : to_json(resource->attributes);
}

std::string line_of(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

const char* kind_text(SpanKind kind) {
  switch (kind) {
    case SpanKind::kInternal:
      return "INTERNAL";
    case SpanKind::kServer:
      return "SERVER";
    case SpanKind::kClient:
      return "CLIENT";
  }
  return "INTERNAL";
}

const char* status_text(SpanStatus status) {
  switch (status) {
    case SpanStatus::kUnset:
      return "UNSET";
    case SpanStatus::kOk:
      return "OK";
    case SpanStatus::kError:
      return "ERROR";
  }
  return "UNSET";
}

Json to_json(const Exemplar& exemplar) {
  Json json = {{"value", exemplar.value}, {"time_unix_ns", exemplar.time.ns}};
  if (exemplar.has_ids()) {
    json["trace_id"] = to_hex(exemplar.trace_id);
    json["span_id"] = to_hex(exemplar.span_id);
  }
  json["reason"] = reason_text(exemplar.reason);
  return json;
}

Json point_json(const char* type, const Resource* resource, const std::string& metric,
                const Attributes& attributes) {
  return {{"type", type},
          {"metric", metric},
          {"service", service_of(resource)},
          {"resource", to_json(resource)},
          {"attributes", to_json(attributes)}};
}

std::string histogram_json(const Resource* resource, const std::string& metric,
                           const HistogramPoint& point) {
  Json json = point_json("histogram", resource, metric, point.attributes);
  json["count"] = point.count;
  json["sum"] = point.sum;
  if (point.count > 0) {
    json["min"] = point.min;
    json["max"] = point.max;
  }
  json["bounds"] = point.bounds ? *point.bounds : std::vector<double>();
  json["bucket_counts"] = point.bucket_counts;
  json["exemplars"] = Json::array();
  for (const Exemplar& exemplar : point.exemplars)
    json["exemplars"].push_back(to_json(exemplar));
  return line_of(json);
}

std::string number_json(const char* type, const Resource* resource, const std::string& metric,
                        const NumberPoint& point) {
  Json json = point_json(type, resource, metric, point.attributes);
  std::visit([&](auto value) { json["value"] = value; }, point.value);
  return line_of(json);
}

std::vector<std::string> lines_of(const Resource* resource, const Metric& metric) {
  std::vector<std::string> lines;
  const auto add_numbers = [&](const char* type, const std::vector<NumberPoint>& points) {
    for (const NumberPoint& point : points)
      lines.push_back(number_json(type, resource, metric.name, point));
  };
  std::visit(Overloaded{
                 [&](const Gauge& gauge) { add_numbers("gauge", gauge.points); },
                 [&](const Sum& sum) { add_numbers("sum", sum.points); },
                 [&](const Histogram& histogram) {
                   for (const HistogramPoint& point : histogram.points)
                     lines.push_back(histogram_json(resource, metric.name, point));
                 },
             },
             metric.points);
  return lines;
}

}  // namespace

std::string span_json(const Span& span) {
  Json json = {{"type", "span"},
               {"service", service_of(span.resource.get())},
               {"trace_id", to_hex(span.trace_id)},
               {"span_id", to_hex(span.span_id)},
               {"parent_span_id", span.parent_span_id.valid() ? to_hex(span.parent_span_id) : ""},
               {"name", span.name},
               {"kind", kind_text(span.kind)},
               {"start_unix_ns", span.start.ns},
               {"end_unix_ns", span.end.ns},
               {"attributes", to_json(span.attributes)},
               {"status", status_text(span.status)}};
  for (const SpanEvent& event : span.events)
    json["events"].push_back({{"name", event.name}, {"unix_ns", event.time.ns}});
  if (!span.status_message.empty()) json["status_message"] = span.status_message;
  if (!span.trace_state.empty()) json["trace_state"] = span.trace_state;
  json["resource"] = to_json(span.resource.get());
  return line_of(json);
}

std::string batch_json(const MetricBatch& batch) {
  std::vector<std::string> lines;
  for (const ResourceMetrics& resource : batch.resources) {
    if (resource.of_agent) continue;  // only services' are printed
    for (const Metric& metric : resource.metrics)
      for (std::string& line : lines_of(resource.resource.get(), metric))
        lines.push_back(std::move(line));
  }
  // By metric, service and so on, whatever order the tables of the agent had.
  std::sort(lines.begin(), lines.end());
  std::string text = line_of({{"type", "window"},
                              {"start_unix_ns", batch.window_start.ns},
                              {"end_unix_ns", batch.window_end.ns}});
  for (const std::string& line : lines)
    text += line;
  return text;
}

void JsonMetricExporter::export_metrics(std::shared_ptr<const MetricBatch> batch) {
  output_->write(batch_json(*batch));
}

SpanDelivery JsonSpanExporter::export_spans(std::vector<Span> batch,
                                            std::chrono::steady_clock::time_point deadline) {
  std::string text;
  for (const Span& span : batch)
    text += span_json(span);
  const auto spans = batch.size();
  if (counters_ != nullptr) counters_->add(ExportCounter::kSpansQueued, spans);
  *waiting_ += spans;
  const auto settled = [counters = counters_, waiting = waiting_, spans](bool written) {
    *waiting -= spans;
    if (counters != nullptr)
      counters->add(written ? ExportCounter::kSpansSent : ExportCounter::kSpansDroppedRefused,
                    spans);
  };
  switch (output_->write(std::move(text), settled, deadline)) {
    case Printed::kWritten:
      return SpanDelivery::kAcknowledged;
    case Printed::kWaiting:
      return SpanDelivery::kPending;
    case Printed::kLost:
      return SpanDelivery::kDropped;
  }
  return SpanDelivery::kDropped;
}

std::size_t JsonSpanExporter::queued_spans() const {
  return counters_ != nullptr ? waiting_->load() : 0;
}

}  // namespace exa
