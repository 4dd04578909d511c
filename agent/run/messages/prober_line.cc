#include "agent/run/messages/prober_line.h"

#include "agent/capture/target_message.h"
#include "agent/run/messages/policies_message.h"

namespace exa {
namespace {

static_assert(kChannelPayloadBytes == kTargetMessageBytes);

constexpr auto kLastDocument = static_cast<std::uint64_t>(EngineDocument::kPodmanContainers);

}  // namespace

std::optional<ProberWord> ProberLine::hear() {
  if (over_) return std::nullopt;
  UniqueFd attached;
  switch (channel_.receive(heard_, &attached)) {
    case ChannelOutcome::kWouldBlock:
      return std::nullopt;
    case ChannelOutcome::kClosed:
      return end({});
    case ChannelOutcome::kMalformed:
      return end("a malformed message");
    case ChannelOutcome::kDone:
      break;
  }
  if (attached.valid() && heard_.type != ChannelMessageType::kTarget)
    return end("a descriptor without a target");
  return word_of(std::move(attached));
}

std::optional<ProberWord> ProberLine::word_of(UniqueFd attached) {
  const auto value = heard_.value;
  switch (heard_.type) {
    case ChannelMessageType::kTarget:
      return target(std::move(attached));
    case ChannelMessageType::kTargetsComplete:
      if (complete_) return end("targets complete twice");
      if (value >= kTlsStateNames.size()) return end("an invalid TLS state");
      complete_ = true;
      return ToldComplete{static_cast<TlsState>(value)};
    case ChannelMessageType::kLogThreshold:
      if (value > static_cast<std::uint64_t>(LogThreshold::kOff))
        return end("an invalid log level");
      return static_cast<LogThreshold>(value);
    case ChannelMessageType::kPolicies:
      if (auto policies = read_policies(heard_)) return std::move(*policies);
      return end("policies that no configuration can contain");
    case ChannelMessageType::kHeartbeat:
      if (!said_ready_) return end("a heartbeat before the pipeline was ready");
      return read_heartbeat(heard_);
    case ChannelMessageType::kShutdown:
      end({});
      return ToldShutdown{{value}};
    case ChannelMessageType::kReady:
    case ChannelMessageType::kShareLosses:
    case ChannelMessageType::kLook:
      break;
  }
  return end("a message only the pipeline may send");
}

std::optional<ProberWord> ProberLine::target(UniqueFd attached) {
  if (heard_.value > kLastDocument || (attached.valid() && heard_.value == 0))
    return end("a file that no container engine writes");
  auto target = decode_target(heard_.payload);
  if (!target) return end(target.error().text);
  return ToldTarget{.target = std::move(*target),
                    .document = static_cast<EngineDocument>(heard_.value),
                    .engine_file = std::move(attached)};
}

void ProberLine::say_ready(std::uint16_t endpoint_port) {
  said_ready_ = true;
  // There is room: nothing was said before.
  if (channel_.send({.type = ChannelMessageType::kReady, .value = endpoint_port}) !=
      ChannelOutcome::kDone)
    end({});
}

void ProberLine::say_share_losses(const ChannelMessage& losses) {
  if (!over_ && said_ready_) (void)channel_.send(losses);
}

void ProberLine::say_look(const ChannelMessage& look) {
  if (!over_ && said_ready_) (void)channel_.send(look);
}

std::optional<ProberWord> ProberLine::end(std::string violation) {
  over_ = true;
  violation_ = std::move(violation);
  return std::nullopt;
}

}  // namespace exa
