#include "agent/run/pipeline/prober_talk.h"

#include <utility>
#include <variant>

#include "agent/request_pipeline/request_pipeline.h"
#include "agent/run/messages/look_message.h"
#include "agent/run/messages/share_losses.h"
#include "exa/base/overloaded.h"

namespace exa {

ProberTalk::Heard ProberTalk::hear(MonotonicTime now) {
  for (int i = 0; i < kWordsPerTurn; ++i) {
    auto word = line_.hear();
    if (!word) break;
    const bool complete = std::visit(Overloaded{[&](ToldComplete& told) {
                                                  tls_ = told.tls;
                                                  return true;
                                                },
                                                [&](LogThreshold level) {
                                                  log_.set_level(level);
                                                  return false;
                                                },
                                                [&](const PolicySettings& policies) {
                                                  policies_ = policies;
                                                  return false;
                                                },
                                                [&](const Heartbeat& beat) {
                                                  health_.on_heartbeat(beat, counters_, now);
                                                  return false;
                                                },
                                                [&](const ToldShutdown& told) {
                                                  deadline_ = told.deadline;
                                                  return false;
                                                },
                                                [&](ToldTarget& told) {
                                                  naming_.on_target(std::move(told), now);
                                                  return false;
                                                }},
                                     *word);
    // What comes behind it is for one who has begun.
    if (complete) return Heard::kTargetsComplete;
  }
  if (deadline_) return Heard::kEnd;
  if (!line_.over()) return Heard::kGoOn;
  if (!line_.violation().empty()) log_.error("the prober sent " + line_.violation());
  return Heard::kLost;
}

// Totals, so that one for which there is no room is made good by the next.
void ProberTalk::say_share_losses(const RequestPipeline& pipeline) {
  const auto losses = pipeline.share_losses(kShareLossesPerMessage);
  if (losses.empty()) return;
  write_share_losses(losses, message_);
  line_.say_share_losses(message_);
}

static_assert(SlowExchanges::kMost <= kMostLookedAt);
void ProberTalk::say_look(std::span<const std::uint32_t> threads) {
  if (threads.empty()) return;
  write_look(threads, message_);
  line_.say_look(message_);
}

}  // namespace exa
