#include "agent/naming/kubernetes/pod_watch.h"

#include <algorithm>
#include <random>

namespace exa {
namespace {

using namespace std::chrono_literals;
using Turn = PodFollower::Turn;

constexpr std::chrono::milliseconds kQueueFullPause = 10ms;

}  // namespace

PodWatch::PodWatch(const PodWatchOptions& options, PodUpdates& updates, Counters& counters,
                   const Log& log)
    : options_(options),
      updates_(updates),
      client_(options.endpoint),
      follower_(
          options,
          [this](const std::string& path, std::chrono::seconds limit,
                 const ApiClient::Reader& reader, const ApiClient::Accepted& accepted) {
            return client_.get(path, limit, reader, accepted);
          },
          [this](PodUpdate update) { return tell(std::move(update)); }, counters, log),
      thread_([this] { run(); }) {}

PodWatch::~PodWatch() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  stopping_.notify_all();
  client_.stop();
  thread_.join();
}

void PodWatch::run() {
  // Each agent of a cluster its own beat, or all would return at once to a server just started.
  std::minstd_rand random(std::random_device{}());
  auto step = options_.shortest_pause;
  bool listing_anew = false;
  for (;;) {
    const auto turn = follower_.turn();
    if (turn == Turn::kStopped) return;
    if (turn == Turn::kListAnew) {
      // A server that was away has forgotten our version: it answers again, so the pause that its
      // silence earned is over. Only an answer that brings nothing new makes the pauses longer.
      if (!listing_anew) step = options_.shortest_pause;
      listing_anew = true;
    }
    if (follower_.progressed()) {
      step = options_.shortest_pause;
      listing_anew = false;
    }
    const auto length = step / 2 + step * static_cast<int>(random() % 512) / 1024;
    if (options_.source == PodSource::kKubelet && turn == Turn::kGoOn) {
      if (!pause_until_asked(options_.kubelet_interval)) return;
      continue;
    }
    if (!pause(std::max(length, follower_.asked_pause()))) return;
    if (turn != Turn::kGoOn) step = std::min(step * 2, options_.longest_pause);
  }
}

bool PodWatch::pause(std::chrono::milliseconds duration) {
  std::unique_lock lock(mutex_);
  return !stopping_.wait_for(lock, duration, [this] { return stop_; });
}

bool PodWatch::pause_until_asked(std::chrono::milliseconds duration) {
  const auto end = std::chrono::steady_clock::now() + duration;
  do {
    if (!pause(options_.kubelet_shortest_interval)) return false;
  } while (!asked_.exchange(false) && std::chrono::steady_clock::now() < end);
  return true;
}

bool PodWatch::tell(PodUpdate update) {
  // A refused update is untouched.
  while (!updates_.push(std::move(update)))  // NOLINT(bugprone-use-after-move)
    if (!pause(kQueueFullPause)) return false;
  return true;
}

}  // namespace exa
