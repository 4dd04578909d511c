// A sender whose verdicts a test writes down, and which remembers what it was given.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <string>
#include <vector>

#include "exporters/queue/sender.h"

namespace exa {

// Shared between the test and the sender that an exporter owns.
struct SenderScript {
  // Called with the number of the attempt, from 0, and the request.
  std::function<SendOutcome(int, const std::string&)> verdict = [](int, const std::string&) {
    return SendOutcome{.status = SendStatus::kDelivered};
  };
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> requests;
  bool held = false;  // attempts wait until it is false, or until finish_by
  bool finishing = false;

  bool wait_for_attempts(std::size_t count) {
    std::unique_lock lock(mutex);
    return changed.wait_for(lock, std::chrono::seconds(10),
                            [&] { return requests.size() >= count; });
  }
  std::size_t attempts() {
    const std::lock_guard lock(mutex);
    return requests.size();
  }
  void hold(bool on) {
    {
      const std::lock_guard lock(mutex);
      held = on;
    }
    changed.notify_all();
  }
};

class ScriptedSender final : public Sender {
 public:
  explicit ScriptedSender(std::shared_ptr<SenderScript> script) : script_(std::move(script)) {}

  SendOutcome send(std::string_view request) override {
    std::unique_lock lock(script_->mutex);
    const int number = static_cast<int>(script_->requests.size());
    script_->requests.emplace_back(request);
    script_->changed.notify_all();
    script_->changed.wait(lock, [&] { return !script_->held || script_->finishing; });
    if (script_->held) return {.status = SendStatus::kRetry, .text = "interrupted"};
    lock.unlock();
    return script_->verdict(number, std::string(request));
  }
  void finish_by(std::chrono::steady_clock::time_point) override {
    {
      const std::lock_guard lock(script_->mutex);
      script_->finishing = true;
    }
    script_->changed.notify_all();
  }

 private:
  const std::shared_ptr<SenderScript> script_;
};

}  // namespace exa
