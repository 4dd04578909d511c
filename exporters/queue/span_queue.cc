#include "exporters/queue/span_queue.h"

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "exa/base/overloaded.h"

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

std::size_t heap_bytes(const std::vector<SpanEvent>& events) {
  std::size_t bytes = events.capacity() * sizeof(SpanEvent);
  for (const SpanEvent& event : events)
    bytes += event.name.size();
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

constexpr BacklogWords kSpanWords{
    .waits = "; spans wait in a bounded queue",
    .again = "spans are being delivered again",
    .dropped = "; the spans were dropped",
    .too_large = "a single span is larger than the backend accepts: it was dropped"};
constexpr BacklogWords kRecordWords{
    .waits = "; log records wait in a bounded queue",
    .again = "log records are being delivered again",
    .dropped = "; the log records were dropped",
    .too_large = "a single log record is larger than the backend accepts: it was dropped"};

}  // namespace

std::size_t footprint_bytes(const Span& span) {
  return sizeof(Span) + heap_bytes(span.attributes) + span.name.size() + span.trace_state.size() +
         span.status_message.size() + heap_bytes(span.events);
}

QueuedSpanExporter::QueuedSpanExporter(std::unique_ptr<Sender> sender, SpanEncoder encode,
                                       const QueueSettings& settings, ExportCounters& counters,
                                       LogSink log, const SpanFates& fates)
    : encode_(std::move(encode)),
      settings_(settings),
      fates_(fates),
      counters_(counters),
      loop_(*this, std::move(sender), fates.are_records ? kRecordWords : kSpanWords, settings,
            counters, std::move(log)) {}

SpanDelivery QueuedSpanExporter::export_spans(std::vector<Span> batch, Clock::time_point deadline) {
  if (batch.empty()) return SpanDelivery::kAcknowledged;
  counters_.add(fates_.queued, batch.size());
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

  auto lock = loop_.lock();
  if (loop_.closing()) {
    counters_.add(fates_.shutdown, batch.size());
    return SpanDelivery::kDropped;
  }
  ticket->open_pieces = pieces.size();
  for (Piece& piece : pieces) {
    bytes_ += piece.bytes;
    pieces_.push_back(std::move(piece));
  }
  if (bytes_ > settings_.queue_bytes / 2) pressed_ = true;
  make_room();
  loop_.wake();
  decided_.wait_until(lock, deadline, [&] {
    // Fate sealed, or known not to be sealed in time.
    return ticket->open_pieces == 0 || loop_.pauses_until(deadline);
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
    const auto oldest = std::next(pieces_.begin(), loop_.in_flight() ? 1 : 0);
    if (oldest == pieces_.end()) return;
    drop(oldest, fates_.queue_full);
    loop_.log().say(LogCause::kQueueFull, LogLevel::kWarning,
                    fates_.are_records
                        ? "the queue of log records is full: the oldest were dropped. The backend "
                          "is down or too slow"
                        : "the span queue is full: the oldest were dropped; their exemplars carry "
                          "no trace id. The backend is down or too slow");
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
    drop(pieces_.begin(), fates_.expired);
    any = true;
  }
  if (any)
    loop_.log().say(LogCause::kExpired, LogLevel::kWarning,
                    std::string(fates_.are_records ? "log records" : "spans") +
                        " that the backend did not accept for " +
                        std::to_string(settings_.longest_age.count()) + " s were dropped");
}

QueuedSpanExporter::Clock::time_point QueuedSpanExporter::next_expiry() const {
  return pieces_.front().born + settings_.longest_age + std::chrono::milliseconds(1);
}

void QueuedSpanExporter::drop_rest() {
  while (!pieces_.empty())
    drop(pieces_.begin(), fates_.shutdown);
}

const QueuedSpanExporter::Piece& QueuedSpanExporter::locked_front() const {
  const auto lock = loop_.lock();
  return pieces_.front();
}

SendOutcome QueuedSpanExporter::attempt(Sender& sender) {
  // Neither moved nor dropped while in flight, so it is read without the lock.
  const Piece& front = locked_front();
  const std::string request = encode_(front.spans);
  if (request.size() > settings_.request_bytes) return {.status = SendStatus::kTooLarge};
  return sender.send(request);
}

bool QueuedSpanExporter::divide() {
  if (pieces_.front().spans.size() <= 1) return false;
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
  return true;
}

void QueuedSpanExporter::settle(Verdict verdict, std::uint64_t rejected) {
  const Piece& front = pieces_.front();
  const std::uint64_t spans = front.spans.size();
  if (verdict == Verdict::kDelivered) {
    rejected = std::min(rejected, spans);
    counters_.add(fates_.sent, spans - rejected);
    counters_.add(fates_.rejected, rejected);
  } else {
    counters_.add(fates_.refused, spans);
  }
  if (verdict != Verdict::kDelivered || rejected != 0) front.ticket->refused = true;
  --front.ticket->open_pieces;
  bytes_ -= front.bytes;
  pieces_.pop_front();
}

void QueuedSpanExporter::attempt_ended(bool paused) {
  if (paused) pressed_ = true;
  make_room();
  decided_.notify_all();
}

void QueuedSpanExporter::shutdown(Clock::time_point deadline) {
  loop_.finish(deadline);
}

bool QueuedSpanExporter::take_pressure() {
  const bool pressed = pressed_.exchange(false);
  const auto lock = loop_.lock();
  return pressed || loop_.failing();
}

std::size_t QueuedSpanExporter::queued_spans() const {
  const auto lock = loop_.lock();
  std::size_t spans = 0;
  for (const Piece& piece : pieces_)
    spans += piece.spans.size();
  return spans;
}

std::size_t QueuedSpanExporter::queued_bytes() const {
  const auto lock = loop_.lock();
  return bytes_;
}

}  // namespace exa
