#include "agent/outputs/export_chain.h"

#include <algorithm>
#include <ranges>

namespace exa {

std::vector<SpanExporter*> ExportChain::span_exporters() const {
  std::vector<SpanExporter*> exporters;
  for (const auto& output : std::views::reverse(outputs_))
    for (const auto& exporter : output.spans)
      exporters.push_back(exporter.get());
  return exporters;
}

std::vector<SpanExporter*> ExportChain::record_exporters() const {
  std::vector<SpanExporter*> exporters;
  for (const auto& output : outputs_)
    for (const auto& exporter : output.records)
      exporters.push_back(exporter.get());
  return exporters;
}

std::vector<MetricExporter*> ExportChain::metric_exporters() const {
  std::vector<MetricExporter*> exporters;
  for (const auto& output : outputs_)
    for (const auto& exporter : output.metrics)
      exporters.push_back(exporter.get());
  return exporters;
}

std::size_t ExportChain::queued_spans() const {
  std::size_t spans = 0;
  for (const auto& output : outputs_)
    for (const auto& exporter : output.spans)
      spans += exporter->queued_spans();
  return spans;
}

bool ExportChain::take_pressure() const {
  bool pressed = false;
  for (auto* const exporter : span_exporters())
    pressed = exporter->take_pressure() || pressed;
  return pressed;
}

std::uint16_t ExportChain::listening_port() const {
  for (const auto& output : outputs_)
    if (output.listening_port != 0) return output.listening_port;
  return 0;
}

std::optional<ExemplarStoreState> ExportChain::exemplar_store() const {
  for (const auto& output : outputs_)
    if (output.exemplar_store) return output.exemplar_store();
  return std::nullopt;
}

int ExportChain::failure() const {
  for (const auto& output : outputs_)
    if (output.failure)
      if (const int error = output.failure(); error != 0) return error;
  return 0;
}

void ExportChain::shutdown(std::chrono::steady_clock::time_point deadline) {
  // A trace backend that is down must not take the last metrics with it.
  const auto now = std::chrono::steady_clock::now();
  const auto spans_deadline =
      now + std::max((deadline - now) / 2, std::chrono::steady_clock::duration::zero());
  for (auto* const exporter : span_exporters())
    exporter->shutdown(spans_deadline);
  for (auto* const exporter : record_exporters())
    exporter->shutdown(spans_deadline);
  for (auto* const exporter : metric_exporters())
    exporter->shutdown(deadline);
}

}  // namespace exa
