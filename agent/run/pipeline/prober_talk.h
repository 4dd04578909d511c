// What the prober says and what becomes of it, and the little that it is told.
// Capture thread only, owned by the pipeline process.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <utility>

#include "agent/privilege/channel.h"
#include "agent/run/messages/prober_line.h"
#include "agent/run/pipeline/capture_health.h"
#include "agent/run/pipeline/target_naming.h"
#include "agent/telemetry/counters.h"
#include "agent/telemetry/logging.h"

namespace exa {

class RequestPipeline;

class ProberTalk {
 public:
  static constexpr int kWordsPerTurn = 512;

  // Targets go to naming, heartbeats to health, log levels to log.
  ProberTalk(Channel channel, TargetNaming& naming, CaptureHealth& health, Counters& counters,
             Log& log)
      : line_(std::move(channel)),
        naming_(naming),
        health_(health),
        counters_(counters),
        log_(log) {}

  enum class Heard : std::uint8_t {
    kGoOn,
    kTargetsComplete,  // once: now records may be read, and who is ready says so
    kEnd,              // what is there is to be exported until deadline()
    kLost,             // it vanished, or spoke nonsense, which is logged
  };
  // What was said since, at most kWordsPerTurn words. Does not wait.
  Heard hear(MonotonicTime now);

  void say_ready(std::uint16_t endpoint_port) { line_.say_ready(endpoint_port); }
  void say_share_losses(const RequestPipeline& pipeline);
  // Asks for a look at these threads, unless there are none.
  void say_look(std::span<const std::uint32_t> threads);

  // The last ones that were told, once.
  [[nodiscard]] std::optional<PolicySettings> take_policies() {
    return std::exchange(policies_, std::nullopt);
  }

  [[nodiscard]] TlsState tls() const { return tls_; }
  // Set once the end was told.
  [[nodiscard]] const std::optional<MonotonicTime>& deadline() const { return deadline_; }

 private:
  ProberLine line_;
  TargetNaming& naming_;
  CaptureHealth& health_;
  Counters& counters_;
  Log& log_;
  ChannelMessage message_;  // what is said
  TlsState tls_ = TlsState::kOff;
  std::optional<MonotonicTime> deadline_;
  std::optional<PolicySettings> policies_;
};

}  // namespace exa
