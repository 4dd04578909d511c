// The pipeline's end of the channel: what it may hear of the prober, and in which order: targets,
// policies and log levels at any time; once that they are complete; heartbeats after it said that
// it is ready; at last the end. Anything else ends the line, and that ends the agent: two processes
// that do not understand each other count nothing right. Hears without waiting.
// Capture thread, owned by the pipeline's loop.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "agent/model/engine_document.h"
#include "agent/model/policy_spec.h"
#include "agent/privilege/channel.h"
#include "agent/run/messages/heartbeat.h"
#include "agent/telemetry/logging.h"
#include "agent/telemetry/tls_state.h"
#include "exa/base/time.h"
#include "exa/base/unique_fd.h"
#include "exa/model/target.h"

namespace exa {

struct ToldTarget {
  Target target;
  EngineDocument document{};  // what the file is, where there is one
  UniqueFd engine_file;       // in which an engine named the target's container
};
struct ToldComplete {
  TlsState tls;
};
struct ToldShutdown {
  MonotonicTime deadline;
};
using ProberWord =
    std::variant<ToldTarget, ToldComplete, LogThreshold, PolicySettings, Heartbeat, ToldShutdown>;

class ProberLine {
 public:
  explicit ProberLine(Channel channel) : channel_(std::move(channel)) {}

  // The next word; nothing if there is none now, or none any more.
  std::optional<ProberWord> hear();
  // Once, when the targets are complete.
  void say_ready(std::uint16_t endpoint_port);
  // Once it is ready. Totals: what is not taken now is made good by the next.
  void say_share_losses(const ChannelMessage& losses);

  // Nothing is heard any more. Without a reason: the prober told the end, or hung up.
  [[nodiscard]] bool over() const { return over_; }
  [[nodiscard]] const std::string& violation() const { return violation_; }

  // Once it is ready. What is not taken is a look fewer.
  void say_look(const ChannelMessage& look);

  // Hangs up with the prober.
  [[nodiscard]] int fd() const { return channel_.fd(); }

 private:
  std::optional<ProberWord> word_of(UniqueFd attached);
  std::optional<ProberWord> target(UniqueFd attached);
  std::optional<ProberWord> end(std::string violation);

  Channel channel_;
  ChannelMessage heard_;
  bool complete_ = false;
  bool said_ready_ = false;
  bool over_ = false;
  std::string violation_;
};

}  // namespace exa
