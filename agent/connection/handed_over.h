// What an agent that ends knows of connections that live on, for the agent that goes on: of each
// direction the TCP sequence number behind the last byte that went by, and a text of its protocol.
// It holds for a direction of which no byte has gone by since.
// Capture thread; allocates, at the start and the end only. Every byte of a text may be hostile.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <utility>

#include "agent/capture/events.h"
#include "exa/base/time.h"

namespace exa {

class HandedOver {
 public:
  static constexpr std::size_t kMaxTextBytes = std::size_t{8} << 20;
  // The next agent is there by then, or nobody can say what has become of its connections.
  static constexpr Duration kMaxAge = std::chrono::seconds(60);
  // For so long it may wait for its direction's next byte, whichever agent is there.
  static constexpr Duration kMaxWait = std::chrono::hours(1);

  // As of a time, in the place of what was there. Nothing, where there is no room left.
  void put(SocketId socket, Direction direction, std::uint32_t next_sequence, MonotonicTime time,
           std::string_view text);

  // Of a direction whose first byte that is seen has that number; once. Empty: nothing is known.
  [[nodiscard]] std::string take(SocketId socket, Direction direction, std::uint32_t sequence);

  // What has waited for too long.
  void forget_old(MonotonicTime now);
  [[nodiscard]] std::size_t size() const { return directions_.size(); }

  // As of now, and what of such a text holds still: of one that is damaged, or too old, nothing.
  [[nodiscard]] std::string to_text(MonotonicTime now) const;
  [[nodiscard]] static HandedOver from_text(std::string_view text, MonotonicTime now);

 private:
  struct Known {
    std::uint32_t next_sequence = 0;
    MonotonicTime time;
    std::string text;
  };
  std::map<std::pair<SocketId, Direction>, Known> directions_;
  std::size_t text_bytes_ = 0;
};

}  // namespace exa
