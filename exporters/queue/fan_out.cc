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
  const auto deliver = [&](const Branch& branch, std::vector<Span> spans) {
    const SpanDelivery delivery = branch.exporter->export_spans(std::move(spans), deadline);
    if (branch.authoritative && badness(delivery) > badness(verdict)) verdict = delivery;
  };
  for (std::size_t i = 0; i + 1 < branches_.size(); ++i)
    deliver(branches_[i], batch);
  deliver(branches_.back(), std::move(batch));
  return verdict;
}

void FanOutSpanExporter::shutdown(std::chrono::steady_clock::time_point deadline) {
  for (const Branch& branch : branches_)
    branch.exporter->shutdown(deadline);
}

}  // namespace exa
