#include "agent/connection/handed_over.h"

#include "exa/base/raw_values.h"

namespace exa {
namespace {

constexpr std::uint64_t kMark = 0x32726566'6f617865;  // changes with the format

// Numbers as they lie in memory: the text is read on the machine on which it was made.
struct Header {
  std::uint64_t mark;
  std::uint64_t made_ns;
  std::uint64_t directions;
};

struct DirectionHeader {
  std::uint64_t socket;
  std::uint32_t next_sequence;
  std::uint32_t text_bytes;
  std::uint64_t direction;
  std::uint64_t time_ns;
};

}  // namespace

void HandedOver::put(SocketId socket, Direction direction, std::uint32_t next_sequence,
                     MonotonicTime time, std::string_view text) {
  const auto bytes = sizeof(DirectionHeader) + text.size();
  (void)take(socket, direction, next_sequence);  // what was known before
  if (bytes > kMaxTextBytes - text_bytes_) return;
  directions_.try_emplace({socket, direction}, next_sequence, time, std::string(text));
  text_bytes_ += bytes;
}

std::string HandedOver::take(SocketId socket, Direction direction, std::uint32_t sequence) {
  if (directions_.empty()) return {};
  auto found = directions_.extract({socket, direction});
  if (found.empty()) return {};
  text_bytes_ -= sizeof(DirectionHeader) + found.mapped().text.size();
  if (found.mapped().next_sequence != sequence) return {};
  return std::move(found.mapped().text);
}

void HandedOver::forget_old(MonotonicTime now) {
  std::erase_if(directions_, [&](const auto& entry) {
    const auto& known = entry.second;
    if (known.time > now || elapsed(known.time, now) <= kMaxWait) return false;
    text_bytes_ -= sizeof(DirectionHeader) + known.text.size();
    return true;
  });
}

std::string HandedOver::to_text(MonotonicTime now) const {
  std::string text;
  text.reserve(sizeof(Header) + text_bytes_);
  put_raw(text, Header{.mark = kMark, .made_ns = now.ns, .directions = directions_.size()});
  for (const auto& [key, known] : directions_) {
    put_raw(text, DirectionHeader{.socket = key.first,
                                  .next_sequence = known.next_sequence,
                                  .text_bytes = static_cast<std::uint32_t>(known.text.size()),
                                  .direction = static_cast<std::uint64_t>(key.second),
                                  .time_ns = known.time.ns});
    text += known.text;
  }
  return text;
}

HandedOver HandedOver::from_text(std::string_view text, MonotonicTime now) {
  const auto header = take_raw<Header>(text);
  if (!header || header->mark != kMark || header->made_ns > now.ns ||
      elapsed(MonotonicTime{header->made_ns}, now) > kMaxAge)
    return {};
  HandedOver known;
  for (std::uint64_t i = 0; i < header->directions; ++i) {
    const auto one = take_raw<DirectionHeader>(text);
    if (!one || one->direction > 1 || one->text_bytes > text.size() || one->time_ns > now.ns)
      return {};
    known.put(one->socket, static_cast<Direction>(one->direction), one->next_sequence,
              {one->time_ns}, text.substr(0, one->text_bytes));
    text.remove_prefix(one->text_bytes);
  }
  if (!text.empty()) return {};
  known.forget_old(now);
  return known;
}

}  // namespace exa
