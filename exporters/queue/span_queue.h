// A bounded, retrying queue of spans around a plain sender.
// export_spans on the window thread; a sending loop of its own sends. Owned by the composing layer.
// Budget: settings.queue_bytes of spans; beyond it the oldest not in flight are dropped, counted.
#pragma once

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "exa/export/export_counters.h"
#include "exa/export/span_exporter.h"
#include "exporters/queue/sending_loop.h"

namespace exa {

// What becomes of spans, or of what is told of them, is counted here.
struct SpanFates {
  bool are_records = false;  // in log lines: log records
  ExportCounter queued = ExportCounter::kSpansQueued;
  ExportCounter sent = ExportCounter::kSpansSent;
  ExportCounter rejected = ExportCounter::kSpansRejected;
  ExportCounter queue_full = ExportCounter::kSpansDroppedQueueFull;
  ExportCounter refused = ExportCounter::kSpansDroppedRefused;
  ExportCounter expired = ExportCounter::kSpansDroppedExpired;
  ExportCounter shutdown = ExportCounter::kSpansDroppedShutdown;
};

using SpanEncoder = std::function<std::string(std::span<const Span>)>;

// What a span holds in memory, without its resource.
std::size_t footprint_bytes(const Span& span);

class QueuedSpanExporter final : public SpanExporter, private Backlog {
 public:
  QueuedSpanExporter(std::unique_ptr<Sender> sender, SpanEncoder encode,
                     const QueueSettings& settings, ExportCounters& counters, LogSink log,
                     const SpanFates& fates = {});

  // Returns kPending before the deadline when the next attempt is known to come after it.
  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point deadline) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

  [[nodiscard]] std::size_t queued_spans() const override;
  [[nodiscard]] bool take_pressure() override;
  // Any thread: their bytes.
  [[nodiscard]] std::size_t queued_bytes() const;

 private:
  using Clock = std::chrono::steady_clock;

  // The fate of one export_spans call, shared by its pieces. Guarded by the loop's lock.
  struct Ticket {
    std::size_t open_pieces = 0;
    bool refused = false;
    bool dropped = false;
  };
  struct Piece {
    std::vector<Span> spans;
    std::size_t bytes = 0;
    Clock::time_point born;
    std::shared_ptr<Ticket> ticket;
  };

  [[nodiscard]] bool empty() const override { return pieces_.empty(); }
  void drop_expired(Clock::time_point now) override;
  [[nodiscard]] Clock::time_point next_expiry() const override;
  SendOutcome attempt(Sender& sender) override;
  [[nodiscard]] bool divide() override;
  void settle(Verdict verdict, std::uint64_t rejected) override;
  void attempt_ended(bool paused) override;
  void drop_rest() override;

  [[nodiscard]] const Piece& locked_front() const;
  void make_room();
  void drop(std::list<Piece>::iterator piece, ExportCounter counter);
  [[nodiscard]] SpanDelivery fate_of(const Ticket& ticket) const;
  [[nodiscard]] Piece make_piece(std::vector<Span> spans, const std::shared_ptr<Ticket>& ticket,
                                 Clock::time_point now) const;

  const SpanEncoder encode_;
  const QueueSettings settings_;
  const SpanFates fates_;
  ExportCounters& counters_;
  std::atomic<bool> pressed_ = false;

  // Guarded by the loop's lock.
  std::list<Piece> pieces_;  // oldest first; the front may be in flight, so it stays put
  std::size_t bytes_ = 0;
  std::condition_variable decided_;  // export_spans waits here
  SendingLoop loop_;                 // the last: its thread uses the others
};

}  // namespace exa
