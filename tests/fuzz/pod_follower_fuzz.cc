// An API server or kubelet that answers anything, in pieces of any size: pages with tokens, watches
// with bookmarks, expired versions, refusals, answers that break off. The size of the pieces
// changes nothing, the capture thread is told lists in order, and everything stays within its
// bounds.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "agent/naming/kubernetes/pod_directory.h"
#include "agent/naming/kubernetes/pod_follower.h"

namespace {

using namespace exa;
using Kind = PodUpdate::Kind;

constexpr std::size_t kMaxTurns = 16;
constexpr std::size_t kMaxPods = 8;

void require(bool holds) {
  if (!holds) std::abort();
}

struct Scripted {
  ApiAnswer::Outcome outcome = ApiAnswer::Outcome::kAnswered;
  long status = 200;
  std::size_t piece_bytes = 1;
  std::string_view body;
};

// Three bytes (status and outcome, size of a piece, length of the body in units of 16) and a body.
std::vector<Scripted> script_of(std::string_view input) {
  constexpr long kStatuses[] = {200, 200, 200, 200, 401, 403, 410, 504, 500, 429};
  std::vector<Scripted> script;
  while (input.size() >= 3 && script.size() < kMaxTurns) {
    const auto form = static_cast<std::uint8_t>(input[0]);
    const auto piece = static_cast<std::uint8_t>(input[1]);
    const auto length = static_cast<std::uint8_t>(input[2]);
    input.remove_prefix(3);
    const auto body = input.substr(0, length == 255 ? input.npos : std::size_t{16} * length);
    input.remove_prefix(body.size());
    script.push_back({.outcome = (form & 0x80) != 0 ? ApiAnswer::Outcome::kCutShort
                                                    : ApiAnswer::Outcome::kAnswered,
                      .status = kStatuses[(form & 0x7f) % std::size(kStatuses)],
                      .piece_bytes = std::size_t{1} + piece,
                      .body = body});
  }
  return script;
}

struct Course {
  std::vector<PodUpdate> updates;
  std::vector<std::string> asked;
  std::vector<PodFollower::Turn> turns;
  Counters counters;
};

void follow(Course& course, const std::vector<Scripted>& script, PodSource source, bool in_pieces) {
  static const Log log(LogThreshold::kOff, LogFormat::kText, "fuzz");
  std::size_t next = 0;
  const auto ask = [&](const std::string& path, std::chrono::seconds,
                       const ApiClient::Reader& reader, const ApiClient::Accepted& accepted) {
    course.asked.push_back(path);
    ApiAnswer answer;
    answer.outcome = ApiAnswer::Outcome::kStopped;
    if (next == script.size()) return answer;
    const auto& scripted = script[next++];
    answer.outcome = scripted.outcome;
    answer.status = scripted.status;
    if (scripted.status != 200) {
      answer.error_body = scripted.body;
      return answer;
    }
    accepted();
    const auto piece_bytes = in_pieces ? scripted.piece_bytes : scripted.body.size() + 1;
    for (auto rest = scripted.body; !rest.empty();) {
      const auto piece = rest.substr(0, piece_bytes);
      rest.remove_prefix(piece.size());
      if (!reader(std::string(piece))) {  // a copy of just that size
        answer.outcome = ApiAnswer::Outcome::kReaderEnded;
        break;
      }
    }
    return answer;
  };
  const auto tell = [&](PodUpdate update) {
    course.updates.push_back(std::move(update));
    return true;
  };
  PodWatchOptions options;
  options.endpoint.url = "https://api";
  options.node_name = "node a";
  options.source = source;
  PodFollower follower(options, ask, tell, course.counters, log);
  do {
    course.turns.push_back(follower.turn());
    require(follower.asked_pause() <= std::chrono::seconds(60));
  } while (course.turns.back() != PodFollower::Turn::kStopped);
  // A turn asks something or the source would be asked without end.
  require(course.turns.size() <= script.size() + 1);
}

void check_order(const std::vector<PodUpdate>& updates) {
  bool listed = false;  // before a first whole list there is nothing to change
  bool listing = false;
  for (const auto& update : updates) {
    if (update.kind == Kind::kListBegan) listing = true;
    if (update.kind == Kind::kListEnded) {
      require(listing);
      listing = false;
      listed = true;
    }
    require(listed || listing);
    if (update.kind == Kind::kPodDeleted) require(listed);
    require(update.pod.uid.size() <= kMaxPodTextBytes &&
            update.pod.containers.size() <= kMaxContainersPerPod);
  }
}

void check_directory(const std::vector<PodUpdate>& updates) {
  Counters counters;
  PodDirectory directory(kMaxPods, counters);
  MonotonicTime now{1'000'000'000};
  for (const auto& update : updates) {
    now = now + std::chrono::seconds(1);
    directory.apply(update, now);
    require(directory.size() <= kMaxPods);
    for (const auto& container : update.pod.containers)
      for (const auto& id : container.ids) {
        const auto found = directory.find(id, update.pod.uid);
        require(found.pod == nullptr || found.pod->uid == update.pod.uid ||
                !directory.has(update.pod.uid));
      }
  }
  directory.forget_deleted(now + 2 * PodDirectory::kKeepDeleted);
  require(directory.size() <= kMaxPods);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto source = bytes[0] % 4 == 0 ? PodSource::kKubelet : PodSource::kApiServer;
  const auto script = script_of({reinterpret_cast<const char*>(bytes) + 1, size - 1});

  Course whole;
  follow(whole, script, source, false);
  Course pieces;
  follow(pieces, script, source, true);
  require(whole.turns == pieces.turns && whole.asked == pieces.asked);
  require(std::ranges::equal(whole.updates, pieces.updates, [](const auto& a, const auto& b) {
    return a.kind == b.kind && a.pod.uid == b.pod.uid && a.pod.name == b.pod.name;
  }));
  for (std::size_t counter = 0; counter < static_cast<std::size_t>(Counter::kCount); ++counter)
    require(whole.counters.get(static_cast<Counter>(counter)) ==
            pieces.counters.get(static_cast<Counter>(counter)));

  for (const auto& path : whole.asked) {
    require(path.size() < std::size_t{4} * (size + 200));
    require(std::ranges::all_of(path, [](char c) { return c > 0x20 && c < 0x7f; }));
    if (source == PodSource::kKubelet) require(path == "/pods");
  }
  check_order(whole.updates);
  check_directory(whole.updates);
  return 0;
}
