// Who talks to whom over the channel, and what must come of it.
#pragma once

#include <sys/stat.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>

#include "agent/config/policy_text.h"
#include "agent/naming/engine_reader.h"
#include "agent/run/messages/pipeline_line.h"
#include "agent/run/messages/policies_message.h"
#include "agent/run/messages/prober_line.h"
#include "agent/run/pipeline/capture_health.h"
#include "tests/fuzz/channel_peer.h"

namespace exa::fuzz {

class Scene {
 public:
  Scene() = default;
  Scene(const Scene&) = delete;
  virtual ~Scene() = default;
  virtual void take(Step step) = 0;
  virtual void finish() = 0;
  // Messages, each with a descriptor at most, that wait at an end of ours.
  [[nodiscard]] virtual std::size_t waiting() const { return 0; }
};

// Both ends as sockets of a real channel; the second is turned into what a stranger holds.
struct Ends {
  Ends() : pair(*Channel::make_pair()) {}
  UniqueFd raw() const { return UniqueFd(::fcntl(pair.second.fd(), F_DUPFD_CLOEXEC, 0)); }
  std::pair<Channel, Channel> pair;
};

// As the prober says things, and when it does.
inline PolicySettings made_policies(std::uint8_t which) {
  PolicySettings policies;
  if ((which & 1) != 0) policies.policy = *parse_policy("any_of(outlier(1s), probability(1%))");
  for (int rules = which >> 4; rules > 0; --rules)
    policies.rules.push_back(*parse_policy_rule("route=/api/ port=80 -> time_window(5)"));
  return policies;
}

class ProberWays {
 public:
  explicit ProberWays(PipelineLine& line) : line_(line) {}

  // Nothing: this is not the time for it.
  std::optional<ChannelMessage> next(Step step) const {
    const auto& waiting = line_.waiting();
    auto message = made_message(static_cast<std::uint8_t>(1 + step.a % 9), step.b, step.c % 5);
    switch (message.type) {
      case ChannelMessageType::kTarget:
        message.value = step.c % 4;
        return waiting.has_room() && !ended_ ? std::optional(message) : std::nullopt;
      case ChannelMessageType::kTargetsComplete:
        message.value = step.b % kTlsStateNames.size();
        return complete_ || ended_ ? std::nullopt : std::optional(message);
      case ChannelMessageType::kLogThreshold:
        message.value = step.b % 5;
        return ended_ ? std::nullopt : std::optional(message);
      case ChannelMessageType::kPolicies:
        write_policies(made_policies(step.b), message);
        return ended_ ? std::nullopt : std::optional(message);
      case ChannelMessageType::kHeartbeat:
        return ready && waiting.empty() && !ended_ ? std::optional(message) : std::nullopt;
      case ChannelMessageType::kShutdown:
        return ended_ ? std::nullopt : std::optional(message);
      default:
        return std::nullopt;
    }
  }
  // True if it was taken.
  bool say(const ChannelMessage& message, UniqueFd attached) {
    const auto full = line_.waiting().size() == Outbox::kMost;
    const auto said = line_.say(message, std::move(attached));
    require(said.has_value() == !(line_.over() || full));
    require(line_.waiting().size() <= Outbox::kMost);
    if (!said) return false;
    complete_ = complete_ || message.type == ChannelMessageType::kTargetsComplete;
    ended_ = ended_ || message.type == ChannelMessageType::kShutdown;
    return true;
  }
  [[nodiscard]] bool complete() const { return complete_; }
  [[nodiscard]] bool ended() const { return ended_; }

  bool ready = false;

 private:
  PipelineLine& line_;
  bool complete_ = false;
  bool ended_ = false;
};

// The prober's real end. All that the stranger can reach is one word, in its time.
class TakenOverPipeline final : public Scene {
 public:
  explicit TakenOverPipeline(const Descriptors& descriptors)
      : descriptors_(descriptors), peer_(ends_.raw(), descriptors) {
    ends_.pair.second = Channel();
  }

  void take(Step step) override {
    switch (step.what / 64) {
      case 0:
      case 1:
        peer_.take(step);
        break;
      case 2:
        hear();
        break;
      default:
        if ((step.c & 0x80) != 0)
          line_.flush();
        else if (const auto message = ways_.next(step))
          ways_.say(*message, UniqueFd(::dup(descriptors_.one(step.b))));
    }
  }
  void finish() override {
    for (std::size_t left = peer_.sent.size() + 1; left > 0; --left)
      hear();
    require(line_.over() || peer_.sent.empty());
  }
  [[nodiscard]] std::size_t waiting() const override { return line_.waiting().size(); }

 private:
  void hear() {
    const bool was_over = line_.over();
    const auto word = line_.hear();
    const bool ready = word == PipelineLine::Word::kReady;
    const bool losses = word == PipelineLine::Word::kShareLosses;
    const bool look = word == PipelineLine::Word::kLook;
    if (was_over) return require(!ready && !losses && !look && line_.over());
    require(!(ready || losses || look) || !line_.over());
    const bool hung_up = line_.over() && line_.violation().empty();
    if (hung_up) return require(peer_.hung_up());
    if (peer_.sent.empty()) return require(!ready && !losses && !look && !line_.over());
    const auto packet = std::move(peer_.sent.front());
    peer_.sent.pop_front();
    const bool message = packet.is_message() && packet.descriptors == 0;
    const bool in_turn = message && packet.message().type == ChannelMessageType::kReady &&
                         packet.message().value <= 0xffff && ways_.complete() && !ways_.ready;
    const bool may_tell = message && packet.message().type == ChannelMessageType::kShareLosses &&
                          packet.message().value <= kShareLossesPerMessage && ways_.ready;
    const bool may_ask =
        message && packet.message().type == ChannelMessageType::kLook && ways_.ready;
    require(ready == in_turn && losses == may_tell && look == may_ask &&
            line_.over() == !(in_turn || may_tell || may_ask));
    if (look)
      require(std::memcmp(line_.look_list().data(), packet.message().payload.data(),
                          sizeof(LookList)) == 0);
    if (losses) require(line_.share_losses().size() == packet.message().value);
    if (!ready) return;
    ways_.ready = true;
    require(line_.endpoint_port() == packet.message().value);
  }

  const Descriptors& descriptors_;
  Ends ends_;
  HostilePeer peer_;
  PipelineLine line_{std::move(ends_.pair.first)};
  ProberWays ways_{line_};
};

// What the pipeline does with what it heard, as far as it is its own.
class Listener {
 public:
  void on(ToldTarget& told) {
    if (!told.engine_file.valid()) return;
    const auto names = engines_.names_in(told.document, told.engine_file.get(), "id");
    require(names.name.size() <= kMaxEngineTextBytes && names.image.size() <= kMaxEngineTextBytes);
  }
  void on(const Heartbeat& beat) {
    health_.on_heartbeat(beat, counters_, {1});
    for (std::size_t i = 0; i < kProberCounters.size(); ++i)
      require(counters_.get(kProberCounters.at(i)) >= beat.totals.at(i));
  }
  void on(const ToldComplete& complete) {
    require(static_cast<std::size_t>(complete.tls) < kTlsStateNames.size());
    health_.begin();
  }
  void on(LogThreshold level) { require(level <= LogThreshold::kOff); }
  void on(const PolicySettings& policies) {
    ChannelMessage again;
    write_policies(policies, again);
    require(*read_policies(again) == policies);
  }
  void on(const ToldShutdown&) {}

 private:
  EngineReader engines_;
  CaptureHealth health_;
  Counters counters_;
};

// The pipeline's real end.
class BrokenProber final : public Scene {
 public:
  explicit BrokenProber(const Descriptors& descriptors) : peer_(ends_.raw(), descriptors) {
    ends_.pair.second = Channel();
  }

  void take(Step step) override {
    if (step.what / 64 < 2)
      peer_.take(step);
    else if (step.what / 64 == 2)
      hear();
    else if (complete_ && !said_ready_ && !line_.over())
      say_ready();
  }
  void finish() override {
    for (std::size_t left = peer_.sent.size() + 1; left > 0; --left)
      hear();
    require(line_.over() || peer_.sent.empty());
  }

 private:
  void say_ready() {
    line_.say_ready(9464);
    said_ready_ = true;
  }

  void hear() {
    const bool was_over = line_.over();
    auto word = line_.hear();
    if (was_over) return require(!word && line_.over());
    if (!word && line_.over() && line_.violation().empty()) return require(peer_.hung_up());
    if (peer_.sent.empty()) return require(!word && !line_.over());
    const auto packet = std::move(peer_.sent.front());
    peer_.sent.pop_front();
    const bool in_turn = is_in_turn(packet);
    require(word.has_value() == in_turn);
    if (!word) return require(line_.over() && !line_.violation().empty());
    const auto message = packet.message();
    complete_ = complete_ || message.type == ChannelMessageType::kTargetsComplete;
    require(line_.over() == (message.type == ChannelMessageType::kShutdown));
    if (auto* const told = std::get_if<ToldTarget>(&*word))
      require(told->engine_file.valid() == (packet.descriptors == 1) &&
              encode_target(told->target) == encode_target(*decode_target(message.payload)));
    std::visit([this](auto& said) { listener_.on(said); }, *word);
  }

  [[nodiscard]] bool is_in_turn(const Packet& packet) const {
    if (!packet.is_message() || packet.descriptors > 1) return false;
    const auto message = packet.message();
    if (packet.descriptors == 1 && message.type != ChannelMessageType::kTarget) return false;
    switch (message.type) {
      case ChannelMessageType::kTarget:
        return message.value <= 3 && (packet.descriptors == 0 || message.value != 0) &&
               decode_target(message.payload).has_value();
      case ChannelMessageType::kTargetsComplete:
        return !complete_ && message.value < kTlsStateNames.size();
      case ChannelMessageType::kLogThreshold:
        return message.value <= 4;
      case ChannelMessageType::kPolicies:
        return read_policies(message).has_value();
      case ChannelMessageType::kHeartbeat:
        return said_ready_;
      case ChannelMessageType::kShutdown:
        return true;
      case ChannelMessageType::kReady:
      case ChannelMessageType::kShareLosses:
      case ChannelMessageType::kLook:
        break;
    }
    return false;
  }

  Ends ends_;
  HostilePeer peer_;
  ProberLine line_{std::move(ends_.pair.first)};
  Listener listener_;
  bool complete_ = false;
  bool said_ready_ = false;
};

// Both real: whatever is said in its time arrives as it was said, in order, and nobody is accused.
class HonestEnds final : public Scene {
 public:
  explicit HonestEnds(const Descriptors& descriptors) : descriptors_(descriptors) {}

  void take(Step step) override {
    switch (step.what % 4) {
      case 0:
        if (const auto message = ways_.next(step)) say(*message, step);
        break;
      case 1:
        for (int i = 0; i <= step.a % 64; ++i)
          pipeline_hears();
        break;
      case 2:
        prober_hears();
        break;
      default:
        prober_.flush();
    }
    require(prober_.violation().empty() && (!pipeline_ || pipeline_->violation().empty()));
  }

  void finish() override {
    for (std::size_t left = 2 * Outbox::kMost; left > 0 && !said_.empty(); --left) {
      prober_.flush();
      pipeline_hears();
    }
    require(said_.empty());
    for (int i = 0; i < 2; ++i)  // that it is ready, and the end
      prober_hears();
    require(ways_.ready == answered_ || !pipeline_);
    require(prober_.over() == !pipeline_);
  }
  [[nodiscard]] std::size_t waiting() const override { return prober_.waiting().size(); }

 private:
  struct Said {
    ChannelMessage message;
    bool with_file;
  };

  void say(const ChannelMessage& message, Step step) {
    const bool with_file = message.type == ChannelMessageType::kTarget && message.value != 0 &&
                           (step.what & 0x80) != 0;
    UniqueFd file(with_file ? ::dup(descriptors_.document.get()) : -1);
    if (ways_.say(message, std::move(file))) said_.push_back({message, with_file});
  }

  void pipeline_hears() {
    if (!pipeline_) return;
    auto word = pipeline_->hear();
    if (!word) return require(!pipeline_->over());
    const auto said = std::move(said_.front());
    said_.pop_front();
    const auto value = said.message.value;
    if (const auto* const told = std::get_if<ToldTarget>(&*word)) {
      require(said.message.type == ChannelMessageType::kTarget);
      require(encode_target(told->target) == said.message.payload);
      require(told->engine_file.valid() == said.with_file);
      if (said.with_file) require(is_the_document(told->engine_file.get()));
    } else if (const auto* const complete = std::get_if<ToldComplete>(&*word)) {
      require(said.message.type == ChannelMessageType::kTargetsComplete);
      require(static_cast<std::uint64_t>(complete->tls) == value);
      pipeline_->say_ready(9464);
      answered_ = true;
    } else if (const auto* const level = std::get_if<LogThreshold>(&*word)) {
      require(said.message.type == ChannelMessageType::kLogThreshold);
      require(static_cast<std::uint64_t>(*level) == value);
    } else if (const auto* const policies = std::get_if<PolicySettings>(&*word)) {
      require(said.message.type == ChannelMessageType::kPolicies);
      require(*policies == *read_policies(said.message));
    } else if (const auto* const beat = std::get_if<Heartbeat>(&*word)) {
      require(said.message.type == ChannelMessageType::kHeartbeat);
      require(beat->totals == read_heartbeat(said.message).totals);
    } else {
      require(said.message.type == ChannelMessageType::kShutdown && said_.empty());
      pipeline_.reset();  // exports, and ends
    }
  }

  void prober_hears() {
    if (prober_.hear() != PipelineLine::Word::kReady) return;
    require(answered_ && !ways_.ready && prober_.endpoint_port() == 9464);
    ways_.ready = true;
  }

  [[nodiscard]] bool is_the_document(int fd) const {
    struct stat mine{};
    struct stat theirs{};
    return ::fstat(descriptors_.document.get(), &mine) == 0 && ::fstat(fd, &theirs) == 0 &&
           mine.st_ino == theirs.st_ino && mine.st_dev == theirs.st_dev;
  }

  const Descriptors& descriptors_;
  Ends ends_;
  PipelineLine prober_{std::move(ends_.pair.first)};
  std::optional<ProberLine> pipeline_{std::in_place, std::move(ends_.pair.second)};
  ProberWays ways_{prober_};
  std::deque<Said> said_;
  bool answered_ = false;
};

}  // namespace exa::fuzz
