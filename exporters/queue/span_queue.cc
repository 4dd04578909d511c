#include "exporters/queue/span_queue.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "exa/base/overloaded.h"
#include "exporters/queue/exporter_thread.h"

namespace exa {
namespace {

std::size_t heap_bytes(const Attributes& attributes) {
  std::size_t bytes = attributes.capacity() * sizeof(Attribute);
  for (const Attribute& attribute : attributes) {
    bytes += attribute.key.size();
    bytes += std::visit(Overloaded{
                            [](const std::string& text) { return text.size(); },
                            [](std::int64_t) { return std::size_t{0}; },
                            [](double) { return std::size_t{0}; },
                            [](bool) { return std::size_t{0}; },
                        },
                        attribute.value);
  }
  return bytes;
}

// A resource is shared: it counts once a piece.
std::size_t footprint_bytes(const std::vector<Span>& spans) {
  std::size_t bytes = 0;
  std::unordered_set<const Resource*> seen;
  for (const Span& span : spans) {
    bytes += footprint_bytes(span);
    if (span.resource && seen.insert(span.resource.get()).second)
      bytes += sizeof(Resource) + heap_bytes(span.resource->attributes);
  }
  return bytes;
}

std::uint64_t seed_from_clock() {
  return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch().count());
}

}  // namespace

std::size_t footprint_bytes(const Span& span) {
  return sizeof(Span) + heap_bytes(span.attributes) + span.name.size() + span.trace_state.size() +
         span.status_message.size();
}

QueuedSpanExporter::QueuedSpanExporter(std::unique_ptr<Sender> sender, SpanEncoder encode,
                                       QueueSettings settings, ExportCounters& counters,
                                       LogSink log)
    : sender_(std::move(sender)),
      encode_(std::move(encode)),
      settings_(settings),
      counters_(counters),
      log_(std::move(log)),
      backoff_(settings.shortest_backoff, settings.longest_backoff, seed_from_clock()),
      thread_(start_exporter_thread([this] { run(); })) {}

QueuedSpanExporter::~QueuedSpanExporter() {
  shutdown(Clock::now());
}

SpanDelivery QueuedSpanExporter::export_spans(std::vector<Span> batch, Clock::time_point deadline) {
  if (batch.empty()) return SpanDelivery::kAcknowledged;
  counters_.add(ExportCounter::kSpansQueued, batch.size());
  const auto ticket = std::make_shared<Ticket>();
  const auto now = Clock::now();

  std::vector<Piece> pieces;
  const std::size_t step = std::max<std::size_t>(settings_.request_spans, 1);
  for (std::size_t first = 0; first < batch.size(); first += step) {
    const auto begin = batch.begin() + static_cast<std::ptrdiff_t>(first);
    const auto end = begin + static_cast<std::ptrdiff_t>(std::min(step, batch.size() - first));
    pieces.push_back(
        make_piece(std::vector<Span>(std::make_move_iterator(begin), std::make_move_iterator(end)),
                   ticket, now));
  }

  std::unique_lock lock(mutex_);
  if (closing_) {
    counters_.add(ExportCounter::kSpansDroppedShutdown, batch.size());
    return SpanDelivery::kDropped;
  }
  ticket->open_pieces = pieces.size();
  for (Piece& piece : pieces) {
    bytes_ += piece.bytes;
    pieces_.push_back(std::move(piece));
  }
  make_room();
  work_.notify_one();
  decided_.wait_until(lock, deadline, [&] {
    // Fate sealed, or known not to be sealed in time.
    return ticket->open_pieces == 0 || (!in_flight_ && failing_ && next_attempt_ >= deadline);
  });
  return fate_of(*ticket);
}

QueuedSpanExporter::Piece QueuedSpanExporter::make_piece(std::vector<Span> spans,
                                                         const std::shared_ptr<Ticket>& ticket,
                                                         Clock::time_point now) const {
  const std::size_t bytes = footprint_bytes(spans);
  return {.spans = std::move(spans), .bytes = bytes, .born = now, .ticket = ticket};
}

SpanDelivery QueuedSpanExporter::fate_of(const Ticket& ticket) const {
  if (ticket.dropped) return SpanDelivery::kDropped;
  if (ticket.refused) return SpanDelivery::kRefused;
  return ticket.open_pieces == 0 ? SpanDelivery::kAcknowledged : SpanDelivery::kPending;
}

void QueuedSpanExporter::make_room() {
  while (bytes_ > settings_.queue_bytes) {
    // What is being sent stays: it may be the backend's already.
    const auto oldest = std::next(pieces_.begin(), in_flight_ ? 1 : 0);
    if (oldest == pieces_.end()) return;
    drop(oldest, ExportCounter::kSpansDroppedQueueFull);
    log_.say(LogCause::kQueueFull, LogLevel::kWarning,
             "the queue of spans is full: the oldest were dropped; their exemplars carry no trace "
             "id. The backend is down or too slow");
  }
}

void QueuedSpanExporter::drop(std::list<Piece>::iterator piece, ExportCounter counter) {
  counters_.add(counter, piece->spans.size());
  bytes_ -= piece->bytes;
  piece->ticket->dropped = true;
  --piece->ticket->open_pieces;
  pieces_.erase(piece);
  decided_.notify_all();
}

void QueuedSpanExporter::drop_expired(Clock::time_point now) {
  bool any = false;
  while (!pieces_.empty() && now - pieces_.front().born > settings_.longest_age) {
    drop(pieces_.begin(), ExportCounter::kSpansDroppedExpired);
    any = true;
  }
  if (any)
    log_.say(LogCause::kExpired, LogLevel::kWarning,
             "spans that the backend did not take for " +
                 std::to_string(settings_.longest_age.count()) + " s were dropped");
}

void QueuedSpanExporter::drop_rest() {
  while (!pieces_.empty())
    drop(pieces_.begin(), ExportCounter::kSpansDroppedShutdown);
}

void QueuedSpanExporter::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto now = Clock::now();
    drop_expired(now);
    if (closing_ && (pieces_.empty() || now >= closing_deadline_)) break;
    if (pieces_.empty()) {
      work_.wait(lock, [&] { return closing_ || !pieces_.empty(); });
      continue;
    }
    if (failing_ && now < next_attempt_) {
      auto until = std::min(next_attempt_, pieces_.front().born + settings_.longest_age +
                                               std::chrono::milliseconds(1));
      if (closing_) until = std::min(until, closing_deadline_);
      const bool was_closing = closing_;
      work_.wait_until(lock, until, [&] { return closing_ != was_closing; });
      continue;
    }

    in_flight_ = true;
    // Neither moved nor dropped while in flight, so it is read without the lock.
    const Piece& front = pieces_.front();
    lock.unlock();
    const std::string request = encode_(front.spans);
    const SendOutcome outcome = request.size() > settings_.request_bytes
                                    ? SendOutcome{.status = SendStatus::kTooLarge}
                                    : sender_->send(request);
    lock.lock();
    in_flight_ = false;
    apply(outcome);
    make_room();
    decided_.notify_all();
  }
  drop_rest();
  decided_.notify_all();
}

void QueuedSpanExporter::apply(const SendOutcome& outcome) {
  const std::uint64_t spans = pieces_.front().spans.size();
  if (outcome.status == SendStatus::kRetry) {
    counters_.add(ExportCounter::kAttemptsRetried);
    const auto pause = std::max<std::chrono::milliseconds>(
        backoff_.next(), outcome.retry_after.value_or(std::chrono::seconds(0)));
    next_attempt_ = Clock::now() + pause;
    failing_ = true;
    log_.say(outcome.trouble == SendTrouble::kUnreachable ? LogCause::kUnreachable
                                                          : LogCause::kRetryStatus,
             LogLevel::kWarning, outcome.text + "; spans wait in a bounded queue");
    return;
  }
  if (outcome.status == SendStatus::kTooLarge && spans > 1) {
    counters_.add(ExportCounter::kAttemptsRetried);
    return split_front();
  }
  if (failing_ && outcome.status == SendStatus::kDelivered)
    log_.say(LogCause::kRecovered, LogLevel::kInfo, "spans are delivered again");
  failing_ = false;
  backoff_.reset();

  switch (outcome.status) {
    case SendStatus::kDelivered: {
      const std::uint64_t rejected = std::min(outcome.rejected, spans);
      counters_.add(ExportCounter::kSpansSent, spans - rejected);
      counters_.add(ExportCounter::kSpansRejected, rejected);
      if (!outcome.text.empty()) log_.say(LogCause::kRejected, LogLevel::kWarning, outcome.text);
      settle_front(rejected == 0 ? Fate::kSent : Fate::kRefused);
      return;
    }
    case SendStatus::kTooLarge:
      counters_.add(ExportCounter::kAttemptsFailed);
      counters_.add(ExportCounter::kSpansDroppedRefused, spans);
      log_.say(LogCause::kTooLarge, LogLevel::kWarning,
               "a single span is larger than the backend takes: it was dropped");
      settle_front(Fate::kRefused);
      return;
    case SendStatus::kRefused:
    case SendStatus::kRetry:
      counters_.add(ExportCounter::kAttemptsFailed);
      counters_.add(ExportCounter::kSpansDroppedRefused, spans);
      log_.say(outcome.trouble == SendTrouble::kBadReply ? LogCause::kBadReply : LogCause::kRefused,
               LogLevel::kError, outcome.text + "; the spans were dropped");
      settle_front(Fate::kRefused);
      return;
  }
}

void QueuedSpanExporter::split_front() {
  Piece whole = std::move(pieces_.front());
  pieces_.pop_front();
  bytes_ -= whole.bytes;
  const auto middle = whole.spans.begin() + static_cast<std::ptrdiff_t>(whole.spans.size() / 2);
  Piece second = make_piece(std::vector<Span>(std::make_move_iterator(middle),
                                              std::make_move_iterator(whole.spans.end())),
                            whole.ticket, whole.born);
  whole.spans.erase(middle, whole.spans.end());
  Piece first = make_piece(std::move(whole.spans), whole.ticket, whole.born);
  bytes_ += first.bytes + second.bytes;
  ++whole.ticket->open_pieces;
  pieces_.push_front(std::move(second));
  pieces_.push_front(std::move(first));
}

void QueuedSpanExporter::settle_front(Fate fate) {
  Piece& front = pieces_.front();
  if (fate == Fate::kRefused) front.ticket->refused = true;
  --front.ticket->open_pieces;
  bytes_ -= front.bytes;
  pieces_.pop_front();
}

void QueuedSpanExporter::shutdown(Clock::time_point deadline) {
  {
    std::unique_lock lock(mutex_);
    if (!closing_) {
      closing_ = true;
      closing_deadline_ = deadline;
      // One more attempt at once, whatever the pause was.
      next_attempt_ = std::min(next_attempt_, Clock::now());
    }
    work_.notify_all();
    decided_.notify_all();
  }
  sender_->finish_by(deadline);
  if (thread_.joinable()) thread_.join();
}

std::size_t QueuedSpanExporter::queued_spans() const {
  const std::lock_guard lock(mutex_);
  std::size_t spans = 0;
  for (const Piece& piece : pieces_)
    spans += piece.spans.size();
  return spans;
}

std::size_t QueuedSpanExporter::queued_bytes() const {
  const std::lock_guard lock(mutex_);
  return bytes_;
}

}  // namespace exa
