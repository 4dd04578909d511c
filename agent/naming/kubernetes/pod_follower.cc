#include "agent/naming/kubernetes/pod_follower.h"

#include <algorithm>

namespace exa {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kLongestAskedPauseSeconds = 60;
// A cause that lasts is said once and then seldom: the metrics tell it all the time.
constexpr Duration kSaidAgain = 10min;
constexpr std::size_t kMaxSaidBytes = 256;

}  // namespace

PodFollower::PodFollower(PodWatchOptions options, Ask ask, Tell tell, Counters& counters,
                         const Log& log)
    : options_(std::move(options)),
      ask_(std::move(ask)),
      tell_(std::move(tell)),
      counters_(counters),
      log_(log, kSaidAgain),
      plain_log_(log),
      page_limit_(std::max<std::size_t>(options_.page_limit, 1)),
      last_answer_ns_(monotonic_now().ns) {}

PodFollower::Turn PodFollower::turn() {
  progressed_ = false;
  asked_pause_ = 0ms;
  const bool watched = options_.source == PodSource::kApiServer;
  auto turn = resource_version_.empty() || !watched ? list() : Turn::kGoOn;
  if (turn == Turn::kGoOn && watched) turn = watch();
  if (turn == Turn::kListAnew) resource_version_.clear();
  return turn;
}

PodSourceHealth PodFollower::health() const {
  return {.state = state_, .last_answer = {last_answer_ns_}};
}

void PodFollower::answered_well() {
  last_answer_ns_ = monotonic_now().ns;
  state_ = SourceState::kFollowing;
  if (told_sync_) return;
  told_sync_ = true;
  plain_log_.info("Kubernetes: the pods on node " + options_.node_name + " are known");
}

PodFollower::Turn PodFollower::complain(Counter counter, SourceState state,
                                        const std::string& text) {
  counters_.add(counter);
  state_ = state;
  const auto cause = kSourceStateNames[static_cast<std::size_t>(state)];
  if (log_.warn(cause, "Kubernetes: " + text, monotonic_now())) told_sync_ = false;
  return Turn::kPause;
}

PodFollower::Turn PodFollower::list() {
  counters_.add(Counter::kApiLists);
  const bool from_kubelet = options_.source == PodSource::kKubelet;
  std::string continue_token;
  PodPage page;
  for (std::size_t pages = 0; pages == 0 || !continue_token.empty(); ++pages) {
    if (pages == kMaxPagesPerList)
      return complain(Counter::kApiMalformed, SourceState::kUnreadable,
                      "a list of pods does not end");
    auto path = std::string(from_kubelet ? "/pods" : "/api/v1/pods?fieldSelector=spec.nodeName%3D");
    if (!from_kubelet) {
      path += percent_encoded(options_.node_name) + "&limit=" + std::to_string(page_limit_);
      if (!continue_token.empty())
        path += "&continue=" + percent_encoded(continue_token);
      else if (from_cache_)
        path += "&resourceVersion=0";
    }
    page = {};
    if (const auto turn = list_page(path, page); turn != Turn::kGoOn) return turn;
    if (pages == 0 && !tell_({.kind = PodUpdate::Kind::kListBegan, .pod = {}}))
      return Turn::kStopped;
    counters_.add(Counter::kPodsLeftOut, page.left_out);
    for (auto& pod : page.pods)
      if (!tell_({.kind = PodUpdate::Kind::kPod, .pod = std::move(pod)})) return Turn::kStopped;
    if (!from_kubelet) continue_token = std::move(page.continue_token);  // it has no pages
  }
  if (!tell_({.kind = PodUpdate::Kind::kListEnded, .pod = {}})) return Turn::kStopped;
  resource_version_ = page.resource_version.empty() ? "0" : page.resource_version;
  answered_well();
  progressed_ = from_kubelet;
  return Turn::kGoOn;
}

PodFollower::Turn PodFollower::list_page(const std::string& path, PodPage& page) {
  std::string body;
  const auto answer = ask_(
      path, options_.request_limit,
      [&](std::string_view bytes) {
        if (body.size() + bytes.size() > kMaxApiBytes) return false;
        body += bytes;
        return true;
      },
      [] {});
  using Outcome = ApiAnswer::Outcome;
  if (answer.outcome == Outcome::kStopped) return Turn::kStopped;
  if (answer.outcome == Outcome::kReaderEnded) {
    if (from_cache_)
      from_cache_ = false;
    else
      page_limit_ = std::max<std::size_t>(page_limit_ / 2, 1);
    return complain(Counter::kApiTooLarge, SourceState::kUnreadable,
                    "a page of pods exceeds 8 MiB");
  }
  if (answer.outcome == Outcome::kCutShort)
    return complain(Counter::kApiUnreachable, SourceState::kUnreachable,
                    "no answer from " + options_.endpoint.url + ": " + answer.trouble);
  if (answer.status != 200) return on_refusal(answer, "list pods");
  auto read = read_pod_page(body);
  if (!read)
    return complain(Counter::kApiMalformed, SourceState::kUnreadable,
                    "a page of pods: " + read.error().text);
  page = std::move(*read);
  return Turn::kGoOn;
}

PodFollower::Turn PodFollower::watch() {
  counters_.add(Counter::kApiWatches);
  const auto path =
      "/api/v1/pods?watch=true&allowWatchBookmarks=true&fieldSelector=spec.nodeName%3D" +
      percent_encoded(options_.node_name) +
      "&resourceVersion=" + percent_encoded(resource_version_) +
      "&timeoutSeconds=" + std::to_string(options_.watch_limit.count());
  std::string line;
  auto turn = Turn::kGoOn;
  const auto read_lines = [&](std::string_view bytes) {
    while (turn == Turn::kGoOn && !bytes.empty()) {
      const auto end = bytes.find('\n');
      const auto part = bytes.substr(0, end);
      if (line.size() + part.size() > kMaxApiBytes) {
        complain(Counter::kApiTooLarge, SourceState::kUnreadable,
                 "a change to a pod exceeds 8 MiB");
        turn = Turn::kListAnew;
        return false;
      }
      line += part;
      bytes.remove_prefix(end == std::string_view::npos ? bytes.size() : end + 1);
      if (end == std::string_view::npos) break;
      if (!line.empty()) turn = on_line(line);
      line.clear();
      if (line.capacity() > 256u << 10) line.shrink_to_fit();
    }
    return turn == Turn::kGoOn;
  };
  const auto answer = ask_(path, options_.watch_limit + options_.request_limit, read_lines,
                           [this] { answered_well(); });
  using Outcome = ApiAnswer::Outcome;
  if (answer.outcome == Outcome::kStopped) return Turn::kStopped;
  if (turn != Turn::kGoOn) return turn;
  if (answer.outcome == Outcome::kCutShort) {
    // Half a line is no change; what it said comes again from the last version seen.
    return complain(
        Counter::kApiUnreachable, SourceState::kUnreachable,
        "the watch on " + options_.endpoint.url + " was interrupted: " + answer.trouble);
  }
  if (answer.status != 200) return on_refusal(answer, "watch pods");
  answered_well();  // it ran its time
  return Turn::kGoOn;
}

PodFollower::Turn PodFollower::on_line(std::string_view line) {
  auto event = read_watch_event(line);
  if (!event) {
    complain(Counter::kApiMalformed, SourceState::kUnreadable,
             "a change to a pod: " + event.error().text);
    return Turn::kListAnew;
  }
  using Kind = WatchEvent::Kind;
  if (event->kind == Kind::kError)
    return on_status(event->status, event->status.code, "watch pods");
  counters_.add(Counter::kApiEvents);
  progressed_ = true;
  answered_well();
  if (!event->resource_version.empty()) resource_version_ = event->resource_version;
  if (event->kind == Kind::kBookmark) return Turn::kGoOn;
  const auto kind =
      event->kind == Kind::kDeleted ? PodUpdate::Kind::kPodDeleted : PodUpdate::Kind::kPod;
  return tell_({.kind = kind, .pod = std::move(event->pod)}) ? Turn::kGoOn : Turn::kStopped;
}

PodFollower::Turn PodFollower::on_refusal(const ApiAnswer& answer, std::string_view what) {
  auto status = read_status(answer.error_body);
  // The kubelet says its refusals in plain text.
  if (status.message.empty()) status.message = answer.error_body.substr(0, kMaxSaidBytes);
  return on_status(status, answer.status, what);
}

PodFollower::Turn PodFollower::on_status(const ApiStatus& status, long http_status,
                                         std::string_view what) {
  asked_pause_ = std::chrono::seconds(std::min(status.retry_after_s, kLongestAskedPauseSeconds));
  const auto said =
      status.message.empty() ? "answer " + std::to_string(http_status) : escaped(status.message);
  switch (http_status) {
    case 401:
      return complain(Counter::kApiUnauthorized, SourceState::kUnauthorized,
                      "the token in " + options_.endpoint.token_file + " was rejected: " + said);
    case 403:
      return complain(
          Counter::kApiForbidden, SourceState::kForbidden,
          "not permitted to " + std::string(what) +
              ", so processes are named without their pods; the agent's service account " +
              (options_.source == PodSource::kKubelet
                   ? "needs a ClusterRole with get on nodes/pods (before Kubernetes "
                     "1.33: nodes/proxy): "
                   : "needs a ClusterRole with get, list and watch on pods: ") +
              said);
    case 410:
      counters_.add(Counter::kApiExpired);
      state_ = SourceState::kStarting;  // until the list
      return Turn::kListAnew;
    default: {
      const auto turn = complain(Counter::kApiRefused, SourceState::kRefused,
                                 "cannot " + std::string(what) + ": " + said);
      // 504: a version from the server's future, as after a restore of its store. It may not come
      // for long, and what the server knows now is in its list.
      return http_status == 504 ? Turn::kListAnew : turn;
    }
  }
}

}  // namespace exa
