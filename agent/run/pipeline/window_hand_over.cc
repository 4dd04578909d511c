#include "agent/run/pipeline/window_hand_over.h"

#include <utility>

namespace exa {

WindowHandOver::WindowHandOver(const RequestPipeline& pipeline, const SelfGauges& gauges,
                               Counters& counters, WindowLoop::Publish publish)
    : pipeline_(pipeline),
      gauges_(gauges),
      counters_(counters),
      publish_(std::move(publish)),
      loop_(publish_) {}

bool WindowHandOver::take(ClosedWindow window) {
  const bool joins = pending_.has_value();
  if (joins) {
    counters_.add(Counter::kWindowsLate);
    pending_->window.absorb(std::move(window));
    pending_->gauges = gauges_now();
  } else {
    pending_.emplace(std::move(window), gauges_now());
  }
  if (loop_.push(std::move(*pending_))) pending_.reset();
  return joins;
}

void WindowHandOver::finish() {
  loop_.finish();
  if (pending_) publish_(*pending_);  // the window thread is gone
  pending_.reset();
}

SelfGauges WindowHandOver::gauges_now() const {
  SelfGauges gauges = gauges_;
  gauges.exemplar_budget = pipeline_.spans_per_window();
  gauges.policy_totals = pipeline_.policy_totals();
  gauges.live_series = pipeline_.live_series();
  gauges.targets = pipeline_.targets();
  gauges.held_exchanges = pipeline_.held_exchanges();
  gauges.connections = pipeline_.connections();
  gauges.connections_limit = pipeline_.connections_limit();
  return gauges;
}

}  // namespace exa
