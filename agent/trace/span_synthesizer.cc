#include "agent/trace/span_synthesizer.h"

#include <string>
#include <string_view>
#include <utility>

#include "agent/semantics/semantics.h"
#include "agent/semantics/server_name.h"
#include "agent/trace/ids/randomness.h"
#include "agent/why/sentence.h"
#include "agent/why/thread_doing.h"
#include "exa/base/enum_table.h"
#include "exa/base/hex.h"
#include "exa/base/readable_duration.h"

namespace exa {
namespace {

constexpr EnumTable<SpanLink, std::string_view> kLinkNames = {
    {SpanLink::kNone, ""},
    {SpanLink::kConnection, "connection"},
    {SpanLink::kContext, "context"},
    {SpanLink::kThread, "thread"},
};
static_assert(kLinkNames.is_whole());

std::string randomness_text(std::uint64_t randomness) {
  std::string text;
  for (int shift = kRandomnessBits - 4; shift >= 0; shift -= 4)
    text += hex_digit(randomness >> shift);
  return text;
}

// OpenTelemetry probability sampling: up to 14 hex digits, trailing zeros left out.
std::string threshold_text(std::uint64_t threshold) {
  auto text = randomness_text(threshold);
  const auto last = text.find_last_not_of('0');
  text.resize(last == std::string::npos ? 1 : last + 1);
  return text;
}

std::string trace_state(const Exchange& exchange, const SpanPurpose& purpose) {
  std::string value;
  if (purpose.threshold != 0) value = "th:" + threshold_text(purpose.threshold);
  if (exchange.has_incoming_rv) {
    if (!value.empty()) value += ';';
    value += "rv:" + randomness_text(exchange.randomness);
  }
  return value.empty() ? value : "ot=" + value;
}

// W3C bits: what we export is sampled; the random bit is the caller's, or ours for ids of ours.
std::uint32_t span_flags(const Exchange& exchange, SpanId parent) {
  std::uint32_t flags = kTraceSampled;
  flags |= exchange.trace_flags & kTraceRandom;
  if (parent.valid()) {
    flags |= kSpanHasIsRemote;
    // A server's caller is another process; the parent of a client span is its own process' SDK.
    if (exchange.role == Role::kServer) flags |= kSpanIsRemote;
  }
  return flags;
}

// Port 0: the socket under a TLS stream is not known, and nothing is said of it.
void add_peer_attributes(Attributes& attributes, const Exchange& exchange) {
  const bool known = exchange.local.port != 0;
  if (exchange.role == Role::kClient) {
    ServerHost host;
    const auto port = name_server(exchange, host);
    if (!host.empty() || known)
      attributes.push_back({"server.address", host.empty() ? address_text(exchange.remote)
                                                           : std::string(host.view())});
    if (port != 0) attributes.push_back({"server.port", std::int64_t{port}});
  } else if (known) {
    attributes.push_back({"client.address", address_text(exchange.remote)});
    attributes.push_back({"server.address", address_text(exchange.local)});
    attributes.push_back({"server.port", std::int64_t{exchange.local.port}});
  }
  if (!known) return;
  attributes.push_back({"network.peer.address", address_text(exchange.remote)});
  attributes.push_back({"network.peer.port", std::int64_t{exchange.remote.port}});
}

void add_timing_attributes(Attributes& attributes, const Exchange& exchange) {
  if (exchange.role == Role::kServer && exchange.arrival.known() && exchange.read.known())
    attributes.push_back(
        {"exemplar_agent.queue_time_s", seconds(elapsed(exchange.arrival, exchange.read))});
  if (exchange.first_response.known())
    attributes.push_back({"exemplar_agent.time_to_first_byte_s",
                          seconds(elapsed(exchange.read, exchange.first_response))});
}

std::string delivery_sentence(const Delivery& delivery) {
  const auto after = [](Duration time) {
    return readable_duration(seconds(time)) + " after it was written";
  };
  std::string text;
  if (delivery.sent_again == 1)
    text = "its answer was sent again " + after(delivery.sent_again_after);
  else if (delivery.sent_again > 1)
    text = "its answer was sent again " + std::to_string(delivery.sent_again) + " times, until " +
           after(delivery.sent_again_after);
  if (delivery.acknowledged_after > Duration::zero())
    text += (text.empty() ? "its answer was acknowledged " : ", and acknowledged ") +
            after(delivery.acknowledged_after);
  return text;
}

// Where a part of the time was measured it is told, even if it is nothing; counts only where there
// is something to count.
void add_account_attributes(Attributes& attributes, const Exchange& exchange,
                            const Delivery& delivery) {
  const auto& account = exchange.account;
  const auto time = [&](const char* name, Duration value) {
    attributes.push_back({name, seconds(value)});
  };
  const auto count = [&](const char* name, std::uint32_t value) {
    if (value > 0) attributes.push_back({name, std::int64_t{value}});
  };
  if (account.cpu_wait_known) time("exemplar.why.cpu_wait", account.cpu_wait);
  if (account.throttled > Duration::zero()) {
    time("exemplar.why.throttled", account.throttled);
    count("exemplar.why.throttled_times", account.throttled_times);
  }
  if (account.thread_known) {
    time("exemplar.why.on_cpu", account.on_cpu);
    time("exemplar.why.asleep", account.asleep(exchange.duration()));
  }
  if (account.downstream > Duration::zero()) time("exemplar.why.downstream", account.downstream);
  for (std::size_t i = 0; i < kSleepCauses; ++i)
    if (account.asleep_us[i] > 0)
      attributes.push_back({"exemplar.why." + std::string(name_of(static_cast<SleepCause>(i))),
                            account.asleep_us[i] / 1e6});
  count("exemplar.why.page_faults", account.minor_faults);
  count("exemplar.why.major_page_faults", account.major_faults);
  count("exemplar.why.retransmits", account.retransmits);
  count("exemplar.why.out_of_order", account.out_of_order);
  if (account.receiver_limited_ms > 0)
    time("exemplar.why.receiver_limited", std::chrono::milliseconds(account.receiver_limited_ms));
  const auto before = [&](const char* name, std::uint32_t us) {
    if (us > 0) time(name, std::chrono::microseconds(us));
  };
  before("exemplar.why.connect", account.before.connect_us);
  before("exemplar.why.queue.cpu_wait", account.before.queued_cpu_wait_us);
  before("exemplar.why.queue.other_work", account.before.queued_other_work_us);
  count("exemplar.why.shared_with", account.shared_with);
  auto sentence = why_sentence(account, exchange.duration(), exchange.queued());
  if (delivery.sent_again > 0) {
    count("exemplar.why.sent_again", delivery.sent_again);
    time("exemplar.why.sent_again_after", delivery.sent_again_after);
  }
  if (delivery.acknowledged_after > Duration::zero())
    time("exemplar.why.acknowledged_after", delivery.acknowledged_after);
  if (const auto delivered = delivery_sentence(delivery); !delivered.empty())
    sentence += (sentence.empty() ? "" : "; ") + delivered;
  if (!sentence.empty()) attributes.push_back({"exemplar.why", std::move(sentence)});
}

// What a picture of the trace then marks; the answer may have been sent again after its end.
std::vector<SpanEvent> events_of(const Exchange& exchange, const Delivery& delivery,
                                 WallClockOffset offset) {
  std::vector<SpanEvent> events;
  if (exchange.arrival.known())
    events.push_back({offset.to_wall(exchange.arrival), "exemplar.request.arrived"});
  if (exchange.first_response.known())
    events.push_back({offset.to_wall(exchange.first_response), "exemplar.response.first_byte"});
  if (delivery.sent_again > 0)
    events.push_back({offset.to_wall(exchange.last_response + delivery.sent_again_after),
                      "exemplar.response.sent_again"});
  if (delivery.acknowledged_after > Duration::zero())
    events.push_back({offset.to_wall(exchange.last_response + delivery.acknowledged_after),
                      "exemplar.response.acknowledged"});
  return events;
}

}  // namespace

Span synthesize_span(const Exchange& exchange, const SpanPurpose& purpose,
                     std::shared_ptr<const Resource> resource, WallClockOffset offset) {
  Span span;
  span.resource = std::move(resource);
  span.trace_id = exchange.trace_id;
  span.span_id = exchange.span_id;
  span.parent_span_id = purpose.link == SpanLink::kNone ? exchange.parent_span_id : purpose.parent;
  span.trace_state = trace_state(exchange, purpose);
  span.kind = exchange.role == Role::kClient ? SpanKind::kClient : SpanKind::kServer;
  span.flags = span_flags(exchange, span.parent_span_id);
  span.start = offset.to_wall(exchange.read);
  // From the start and not from the clock: the span is as long as its exemplar says, exactly.
  span.end = {span.start.ns + static_cast<std::uint64_t>(exchange.duration().count())};

  const auto& semantics = semantics_of(exchange.operation.convention);
  const auto route = semantics.route(exchange);
  span.name = semantics.span_name(exchange, route);
  if (semantics.error_type(exchange) != ErrorType::kNone) span.status = SpanStatus::kError;

  auto& attributes = span.attributes;
  attributes.reserve(32);
  semantics.span_attributes(exchange, route, attributes);
  add_peer_attributes(attributes, exchange);
  add_timing_attributes(attributes, exchange);
  add_account_attributes(attributes, exchange, purpose.delivery);
  span.events = events_of(exchange, purpose.delivery, offset);
  if (!purpose.growth.empty()) attributes.push_back({"exemplar.why.grew", purpose.growth});
  if (purpose.link != SpanLink::kNone)
    attributes.push_back({"exemplar.link", std::string(kLinkNames[purpose.link])});
  if (purpose.beside_sdk) attributes.push_back({"exemplar.beside_sdk", std::string("true")});
  if (purpose.reason) {
    attributes.push_back({"exemplar", std::string("true")});
    attributes.push_back({"exemplar.reason", std::string(reason_text(*purpose.reason))});
  }
  return span;
}

}  // namespace exa
