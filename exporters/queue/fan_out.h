// One batch of spans to several exporters.
// Window thread only. Owns its branches. No state of its own, no queue.
#pragma once

#include <memory>
#include <vector>

#include "exa/export/span_exporter.h"

namespace exa {

// The fate of a batch is that of the authoritative branches, the stores where an exemplar's trace
// is looked up: kAcknowledged only if every one of them acknowledged; otherwise the worst, in the
// order kDropped, kRefused, kPending. The other branches are served too, and cannot change it. With
// no authoritative branch all count as authoritative; with no branch at all a batch is kDropped.
//
// Branches are served in order, each until the same deadline: put the fastest (console) first.
class FanOutSpanExporter final : public SpanExporter {
 public:
  struct Branch {
    std::unique_ptr<SpanExporter> exporter;
    bool authoritative = true;
  };
  explicit FanOutSpanExporter(std::vector<Branch> branches);

  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point deadline) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

 private:
  std::vector<Branch> branches_;
};

}  // namespace exa
