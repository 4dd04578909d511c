// A bounded, retrying queue of spans around a plain sender.
// export_spans on the window thread; one thread of its own sends. Owned by the composing layer.
// Budget: settings.queue_bytes of spans; beyond it the oldest not in flight are dropped, counted.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "exa/export/export_counters.h"
#include "exa/export/span_exporter.h"
#include "exporters/queue/backoff.h"
#include "exporters/queue/log_sink.h"
#include "exporters/queue/sender.h"

namespace exa {

struct QueueSettings {
  std::size_t queue_bytes = 8u << 20;
  std::size_t request_spans = 2048;          // spans of one request at most
  std::size_t request_bytes = 3'500u << 10;  // encoded, before compression
  std::chrono::milliseconds shortest_backoff{1'000};
  std::chrono::milliseconds longest_backoff{30'000};
  std::chrono::seconds longest_age{300};  // a span still undelivered then is dropped as expired
};

using SpanEncoder = std::function<std::string(std::span<const Span>)>;

// What a span holds in memory, without its resource.
std::size_t footprint_bytes(const Span& span);

class QueuedSpanExporter final : public SpanExporter {
 public:
  QueuedSpanExporter(std::unique_ptr<Sender> sender, SpanEncoder encode, QueueSettings settings,
                     ExportCounters& counters, LogSink log);
  ~QueuedSpanExporter() override;
  QueuedSpanExporter(const QueuedSpanExporter&) = delete;
  QueuedSpanExporter& operator=(const QueuedSpanExporter&) = delete;

  // Returns kPending before the deadline when the next attempt is known to come after it.
  SpanDelivery export_spans(std::vector<Span> batch,
                            std::chrono::steady_clock::time_point deadline) override;
  void shutdown(std::chrono::steady_clock::time_point deadline) override;

  // Any thread, for gauges: spans not yet decided, and their bytes.
  [[nodiscard]] std::size_t queued_spans() const;
  [[nodiscard]] std::size_t queued_bytes() const;

 private:
  using Clock = std::chrono::steady_clock;

  // The fate of one export_spans call, shared by its pieces. Guarded by mutex_.
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
  enum class Fate { kSent, kRefused, kDropped };

  void run();
  void apply(const SendOutcome& outcome);
  void split_front();
  void settle_front(Fate fate);
  void make_room();
  void drop(std::list<Piece>::iterator piece, ExportCounter counter);
  void drop_expired(Clock::time_point now);
  void drop_rest();
  [[nodiscard]] SpanDelivery fate_of(const Ticket& ticket) const;
  [[nodiscard]] Piece make_piece(std::vector<Span> spans, const std::shared_ptr<Ticket>& ticket,
                                 Clock::time_point now) const;

  const std::unique_ptr<Sender> sender_;
  const SpanEncoder encode_;
  const QueueSettings settings_;
  ExportCounters& counters_;
  LimitedLog log_;

  mutable std::mutex mutex_;
  std::condition_variable work_;     // the sending thread waits here
  std::condition_variable decided_;  // export_spans and shutdown wait here
  std::list<Piece> pieces_;          // oldest first; the front may be in flight, so it stays put
  std::size_t bytes_ = 0;
  bool in_flight_ = false;
  bool failing_ = false;
  Backoff backoff_;
  Clock::time_point next_attempt_{};
  bool closing_ = false;
  Clock::time_point closing_deadline_{};
  std::thread thread_;
};

}  // namespace exa
