// What the prober tells while it serves: heartbeats to the pipeline; processes that wanted more
// than their share to the log and to whoever asks for the status.
#include "agent/run/messages/heartbeat.h"
#include "agent/run/prober/prober.h"

namespace exa {

// An old beat says nothing: while the pipeline is behind there are none.
void Prober::beat() {
  if (!line_.waiting().empty()) return;
  const auto figures = tls_ ? tls_->figures() : TlsFigures{};
  const Heartbeat beat{
      .probes_placed = !tls_ || tls_->probes_placed(),
      .totals = {figures.files_held_up + reader_.held_up(), figures.files_unread,
                 figures.files_refused, figures.files_over_budget, figures.files_over_share,
                 figures.files_over_limit, programs_.skipped_calls()}};
  write_heartbeat(beat, message_);
  if (const auto sent = line_.say(message_); !sent)
    occasional_.warn("heartbeat", sent.error().text, monotonic_now());
  if (!beat.probes_placed || told_of_probes_) return;
  told_of_probes_ = true;
  set_timer(kSweepInterval, kSweepInterval);
}

void Prober::note_refused_by_kernel() {
  for (const auto& noisy : programs_.noisy_processes()) {
    note_refused(SharedTable::kDataRing, noisy.tgid, noisy.comm, noisy.refused_chunks);
    note_refused(SharedTable::kTlsStreams, noisy.tgid, noisy.comm, noisy.refused_tls_calls);
  }
}

void Prober::note_refused(SharedTable table, std::uint32_t tgid, const std::string& comm,
                          std::uint64_t refused) {
  if (!shares_.note(table, tgid, comm, refused)) return;
  const std::string name(name_of(table));
  occasional_.warn("share of " + name,
                   "process " + std::to_string(tgid) + " (" + comm + ") exceeds its share of " +
                       name + ": refused " + std::to_string(refused) + " times so far",
                   monotonic_now());
}

void Prober::write_status() {
  const std::string without = config_.tls.enabled ? R"({"processes":[],"tls":"refused"})"
                                                  : R"({"processes":[],"tls":"off"})";
  const auto tls = tls_ ? tls_->status() : without;
  if (tls_ && tls.empty()) return;  // not known yet
  if (const auto written = status_.write(shares_.status(tls)); !written)
    occasional_.warn("status", written.error().text, monotonic_now());
}

void Prober::note_share_losses() {
  for (const auto& loss : line_.share_losses()) {
    const std::string comm(loss.comm.view());
    const auto lost = [&](Place place) { return loss.lost[static_cast<std::size_t>(place)]; };
    note_refused(SharedTable::kConnections, loss.tgid, comm, lost(Place::kConnection));
    note_refused(SharedTable::kUnansweredRequests, loss.tgid, comm, lost(Place::kRequest));
    note_refused(SharedTable::kIncompleteHeads, loss.tgid, comm,
                 lost(Place::kHead) + lost(Place::kLargeHead));
  }
}

}  // namespace exa
