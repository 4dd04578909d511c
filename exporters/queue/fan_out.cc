#include "exporters/queue/fan_out.h"

#include <algorithm>

namespace exa {
namespace {

// Larger is worse.
int badness(SpanDelivery delivery) {
  switch (delivery) {
    case SpanDelivery::kAcknowledged:
      return 0;
    case SpanDelivery::kPending:
      return 1;
    case SpanDelivery::kRefused:
      return 2;
    case SpanDelivery::kDropped:
      return 3;
  }
  return 3;
}

}  // namespace

FanOutSpanExporter::FanOutSpanExporter(std::vector<Branch> branches)
    : branches_(std::move(branches)) {
  const bool any = std::any_of(branches_.begin(), branches_.end(),
                               [](const Branch& branch) { return branch.authoritative; });
  if (!any)
    for (Branch& branch : branches_)
      branch.authoritative = true;
}

SpanDelivery FanOutSpanExporter::export_spans(std::vector<Span> batch,
                                              std::chrono::steady_clock::time_point deadline) {
  if (branches_.empty()) return SpanDelivery::kDropped;
  SpanDelivery verdict = SpanDelivery::kAcknowledged;
  for (std::size_t i = 0; i < branches_.size(); ++i) {
    const bool last = i + 1 == branches_.size();
    const SpanDelivery delivery = branches_[i].exporter->export_spans(
        last ? std::move(batch) : std::vector<Span>(batch), deadline);
    if (branches_[i].authoritative && badness(delivery) > badness(verdict)) verdict = delivery;
  }
  return verdict;
}

void FanOutSpanExporter::shutdown(std::chrono::steady_clock::time_point deadline) {
  for (const Branch& branch : branches_)
    branch.exporter->shutdown(deadline);
}

}  // namespace exa
