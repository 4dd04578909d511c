// What the prober tells of itself while it serves: heartbeats to the pipeline, noisy processes to
// the log.
#include "agent/heartbeat.h"
#include "agent/prober.h"

namespace exa {

// An old beat says nothing: while the pipeline is behind there are none.
void Prober::beat() {
  if (!outbox_.empty()) return;
  const auto figures = tls_ ? tls_->figures() : TlsFigures{};
  const Heartbeat beat{
      .probes_placed = !tls_ || tls_->probes_placed(),
      .totals = {figures.files_held_up + reader_.held_up(), figures.files_unread,
                 figures.files_refused, figures.files_over_budget, figures.files_over_share,
                 figures.files_over_limit, programs_.skipped_calls()}};
  write_heartbeat(beat, message_);
  if (const auto sent = send(message_); !sent)
    occasional_.warn("heartbeat", sent.error().text, monotonic_now());
  if (!beat.probes_placed || told_of_probes_) return;
  told_of_probes_ = true;
  set_timer(kSweepInterval, kSweepInterval);
}

void Prober::tell_noisy() {
  for (const auto& noisy : programs_.noisy_processes())
    occasional_.warn(
        "share",
        "process " + std::to_string(noisy.tgid) + " (" + noisy.comm +
            ") fills a ring buffer beyond its share: " + std::to_string(noisy.refused_chunks) +
            " of its calls were left out so far",
        monotonic_now());
}

}  // namespace exa
