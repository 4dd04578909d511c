// The outputs of the agent in the order in which they are served. Knows none of them: each is what
// its maker made of it.
// Used and ended on the window thread's side, its failure and its port also on the capture thread.
// Owned by the pipeline or the replay.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "exa/export/output.h"
#include "exa/model/exemplar_store.h"

namespace exa {

class ExportChain {
 public:
  // Metrics go out in the order of the outputs, spans in the opposite one: who may keep the others
  // waiting stands last for metrics (the console, whose reader may be slow) and last for spans (a
  // backend, whose acknowledgement is waited for).
  explicit ExportChain(std::vector<Output> outputs) : outputs_(std::move(outputs)) {}

  // They live as long as the chain.
  [[nodiscard]] std::vector<SpanExporter*> span_exporters() const;
  [[nodiscard]] std::vector<MetricExporter*> metric_exporters() const;
  [[nodiscard]] std::vector<SpanExporter*> record_exporters() const;
  // Spans that are not decided yet.
  [[nodiscard]] std::size_t queued_spans() const;
  // Whether fewer spans would be better, see SpanExporter.
  [[nodiscard]] bool take_pressure() const;
  [[nodiscard]] std::uint16_t listening_port() const;  // 0: none listens
  // Of the output that keeps exemplars for scrapers; none: there is no such output.
  [[nodiscard]] std::optional<ExemplarStoreState> exemplar_store() const;
  // What an output failed with for good; 0: none did.
  [[nodiscard]] int failure() const;
  void shutdown(std::chrono::steady_clock::time_point deadline);

 private:
  std::vector<Output> outputs_;
};

}  // namespace exa
