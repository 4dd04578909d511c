#include "agent/run/prober/prober.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "agent/config/load.h"
#include "agent/config/setting.h"
#include "agent/config/value_text.h"
#include "agent/discovery/mounts.h"
#include "agent/model/exit_codes.h"
#include "agent/run/messages/policies_message.h"
#include "agent/run/prober/end_with_child.h"
#include "exa/abi/config.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

constexpr Duration kStartInterval = 50ms;  // until the probes are placed
constexpr Duration kTimeToEnd = 4000ms;    // of the 5 s that SIGTERM leaves
constexpr Duration kTimeForProbesToGo = 500ms;
constexpr Duration kTimeToBeGone = 1000ms;  // of a pipeline that hung up
constexpr Duration kBetweenLooks = 5ms;
static_assert(kMostLookedAt == kernel::ThreadLook::kMost);

timespec to_timespec(Duration duration) {
  return {.tv_sec = duration / 1s, .tv_nsec = duration % Duration(1s) / 1ns};
}

// Where an engine's folder lies on a file system of somebody else, its names are left out: this
// process must not wait for that one.
std::optional<EngineFiles> engine_files(const ContainerSettings& settings) {
  if (!settings.names) return std::nullopt;
  const auto mounts = Mounts::of_this_process();
  const auto folder = [&](const std::string& path) {
    return is_read_by_the_kernel_alone(mounts.file_system_of(path)) ? path : std::string();
  };
  return EngineFiles({.docker = folder(settings.docker),
                      .podman = folder(settings.podman),
                      .containerd = folder(settings.containerd)});
}

}  // namespace

static_assert(kMaxPorts == EXA_MAX_PORTS);

kernel::CaptureConfig capture_config(const Config& config) {
  return {.capture_budget_bytes = config.capture.budget_bytes,
          .event_ring_bytes = static_cast<std::uint32_t>(config.capture.ring_size_bytes),
          .event_rings = kernel::suggested_event_rings(),
          .included_ports = config.targets.include.port,
          .excluded_ports = config.targets.exclude.port,
          .call_facts = config.exemplars.why,
          .call_sleeps = config.exemplars.exact(),
          .late_deliveries = config.exemplars.exact(),
          .tls = config.tls.enabled};
}

Prober::Prober(const Config& config, ProberQuestions questions, Log& log,
               kernel::CapturePrograms programs, WatchedThreads threads,
               kernel::RingReader control_ring, PipelineProcess pipeline, Zygote zygote,
               UniqueFd signals)
    : config_(config),
      questions_(std::move(questions)),
      log_(log),
      occasional_(log),
      zygote_(std::move(zygote)),
      reader_(zygote_),
      finder_(config.targets, this_host(),
              ProcReader(
                  [this](int process_fd, std::uint32_t owner, const std::string& executable) {
                    return words_of(process_fd, owner, executable);
                  },
                  "/proc",
                  [this](const ProcessFacts& facts, int process_fd, std::uint32_t owner) {
                    return published_by(facts, process_fd, owner);
                  }),
              CgroupPaths::of_this_host()),
      engines_(engine_files(config.containers)),
      programs_(std::move(programs)),
      threads_(std::move(threads)),
      status_(status_path(config)),
      control_ring_(std::move(control_ring)),
      pipeline_(std::move(pipeline)),
      line_(std::move(pipeline_.channel)),
      signals_(std::move(signals)) {}

int Prober::run() {
  auto done = begin();
  while (done && exit_code_ < 0) {
    std::array<epoll_event, 8> events{};
    const bool more_to_tell = !life_.is_ending() && !unseen_.empty() && line_.waiting().has_room();
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), more_to_tell ? 0 : -1);
    for (int i = 0; i < count && exit_code_ < 0; ++i) {
      const auto& event = events[static_cast<std::size_t>(i)];
      on_event(event.data.fd, event.events);
    }
    if (exit_code_ < 0 && !life_.is_ending()) done = tell_processes();
    if (done && exit_code_ < 0) done = line_is_open();
    watch_what_there_is_room_for();
  }
  if (!done) {
    // The pipeline says itself why it ended, if it was that.
    if (pollfd gone{.fd = pipeline_.exited.get(), .events = POLLIN, .revents = 0};
        line_.violation().empty() && poll(&gone, 1, kTimeToBeGone / 1ms) == 1)
      exit_code_ = end_of_pipeline();
    else
      log_.error(done.error().text);
    if (exit_code_ < 0) exit_code_ = kExitFailure;
  }
  status_.remove();
  ::unlink(services_path(config_).c_str());
  return exit_code_;
}

void Prober::on_event(int fd, std::uint32_t events) {
  if (fd == programs_.control_ring_fd()) read_control_ring();
  if (fd == sweep_timer_.get()) on_timer();
  if (fd == signals_.get()) on_signal();
  if (fd == pipeline_.exited.get()) exit_code_ = end_of_pipeline();
  if (fd == zygote_.fd() && (events & (EPOLLHUP | EPOLLERR)) != 0) {
    log_.error("the process that starts readers is gone");
    exit_code_ = kExitFailure;
  }
  if (fd == line_.fd()) {
    if ((events & EPOLLOUT) != 0) line_.flush();
    if ((events & ~EPOLLOUT) != 0) on_channel();
  }
}

// While the pipeline is behind, announcements stay in the control ring, which is bounded and counts
// what it loses.
void Prober::watch_what_there_is_room_for() {
  const auto& waiting = line_.waiting();
  epoll_event channel{.events = EPOLLIN | (waiting.empty() ? 0u : EPOLLOUT),
                      .data = {.fd = line_.fd()}};
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, line_.fd(), &channel);
  const bool room = waiting.size() + kAnnouncementsPerTurn + kProcessesPerTurn <= Outbox::kRoom;
  if (room == reading_control_) return;
  reading_control_ = room;
  epoll_event control{.events = EPOLLIN, .data = {.fd = programs_.control_ring_fd()}};
  epoll_ctl(epoll_.get(), room ? EPOLL_CTL_ADD : EPOLL_CTL_DEL, programs_.control_ring_fd(),
            &control);
}

Result<> Prober::begin() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  sweep_timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  if (!epoll_.valid() || !sweep_timer_.valid())
    return fail_errno("cannot set up the event loop", errno);
  set_timer(kStartInterval, kStartInterval);
  for (const int fd : {programs_.control_ring_fd(), sweep_timer_.get(), signals_.get(),
                       pipeline_.exited.get(), line_.fd(), zygote_.fd()}) {
    // Of the zygote only its end: its answers are for those who asked.
    epoll_event event{.events = fd == zygote_.fd() ? 0u : EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
      return fail_errno("cannot set up the event loop", errno);
  }
  if (auto loaded = kernel::MappingIterator::load(); loaded)
    mappings_ = std::make_shared<const kernel::MappingIterator>(std::move(*loaded));
  else
    log_.warn("neither TLS nor resources published by SDKs can be read: " + loaded.error().text);
  // Before the first look: a program that is executed after it would have the verdict of another.
  if (auto attached = programs_.attach_processes(); !attached) return attached;
  if (auto excluded = exclude_ourselves(); !excluded) return excluded;
  if (auto told = send_rule_of_the_unjudged(); !told) return told;
  const auto processes = finder_.processes();
  unseen_.assign(processes.begin(), processes.end());
  return {};
}

Result<> Prober::observe() {
  // Loading takes most of a second: before anything is observed, so that the loop is there for what
  // the kernel announces.
  const EndWithChild end_with_pipeline(pipeline_.pid);
  const auto tls = start_tls();
  if (auto attached = programs_.attach(); !attached) return attached;
  attached_ = true;
  message_.type = ChannelMessageType::kTargetsComplete;
  message_.value = static_cast<std::uint64_t>(tls);
  return line_.say(message_);
}

void Prober::set_timer(Duration first, Duration interval) {
  const itimerspec timer{.it_interval = to_timespec(interval), .it_value = to_timespec(first)};
  timerfd_settime(sweep_timer_.get(), 0, &timer, nullptr);
}

void Prober::on_timer() {
  std::uint64_t expirations = 0;
  if (read(sweep_timer_.get(), &expirations, sizeof expirations) < 0) return;
  switch (life_.on_timer()) {
    case LifeCycle::OnTimer::kNothing:
      return;
    case LifeCycle::OnTimer::kGiveUp:
      log_.error("the pipeline process does not exit: whatever it has not exported is lost");
      exit_code_ = kExitFailure;
      return;
    case LifeCycle::OnTimer::kSweep:
      break;
  }
  if (const auto swept = programs_.sweep(); !swept)
    occasional_.warn("sweep", swept.error().text, monotonic_now());
  look_again();
  beat();
  note_refused_by_kernel();
  write_status();
}

// Before the first announcement: it takes up to half a second, in which a process that lives for
// milliseconds would be gone before it is judged. A failure leaves plain traffic observed.
TlsState Prober::start_tls() {
  if (!config_.tls.enabled) return TlsState::kOff;
  auto started = TlsCapture::start(programs_, capture_config(config_), mappings_,
                                   config_.tls.ignored_executables, zygote_);
  if (!started) {
    log_.warn("TLS traffic cannot be read here: " + started.error().text);
    const auto& kernel = programs_.features();
    if (!kernel.has(kernel::FeatureId::kUprobeMulti)) return TlsState::kNoUprobeMulti;
    return kernel.has(kernel::FeatureId::kProbeGuard) ? TlsState::kRefused : TlsState::kPreemptible;
  }
  tls_ = std::move(*started);
  return TlsState::kReading;
}

Result<> Prober::line_is_open() {
  if (!line_.over()) return {};
  if (auto permitted = life_.on_silence(line_.violation()); !permitted) return permitted;
  epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, line_.fd(), nullptr);
  return {};
}

void Prober::on_channel() {
  const auto word = line_.hear();
  if (word == PipelineLine::Word::kShareLosses) note_share_losses();
  if (word == PipelineLine::Word::kLook) look();
  if (word != PipelineLine::Word::kReady || !life_.on_ready()) return;
  log_.info("observing " + std::to_string(observed_) + " processes through " +
            std::string(kernel::rung_name(programs_.features().rung)) + ", windows of " +
            duration_text(config_.window) + "; " + questions_.destinations(line_.endpoint_port()));
  beat();
}

// As often as it is asked, but for one who asks without end.
void Prober::look() {
  const auto now = monotonic_now();
  if (!threads_.look || elapsed(looked_, now) < kBetweenLooks) return;
  looked_ = now;
  if (const auto done = threads_.look->at(line_.look_list()); !done)
    occasional_.warn("look", done.error().text, now);
}

void Prober::on_signal() {
  signalfd_siginfo signal{};
  while (read(signals_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    switch (life_.on_signal(static_cast<int>(signal.ssi_signo))) {
      case LifeCycle::OnSignal::kNothing:
        break;
      case LifeCycle::OnSignal::kReload:
        reload();
        break;
      case LifeCycle::OnSignal::kEnd:
        begin_end();
        break;
      case LifeCycle::OnSignal::kEndAtOnce:
        log_.warn("second signal: exiting at once, whatever was not exported is lost");
        exit_code_ = kExitFailure;
        return;
    }
  }
}

// Programs first: nothing new is observed while the pipeline drains the ring. Probes that take
// longer to go than others stay for the end of this process.
void Prober::begin_end() {
  log_.info("shutting down: exporting what was seen");
  const auto deadline = monotonic_now() + kTimeToEnd;
  if (const auto swept = programs_.sweep(); !swept) log_.warn(swept.error().text);
  programs_.detach();
  if (tls_) tls_->end_within(kTimeForProbesToGo);
  message_.type = ChannelMessageType::kShutdown;
  message_.value = deadline.ns;
  if (const auto sent = line_.say(message_); !sent) log_.error(sent.error().text);
  // The timer that swept now bounds the end.
  set_timer(elapsed(monotonic_now(), deadline) + 300ms, {});
}

void Prober::reload() {
  auto reloaded = questions_.reload();
  if (!reloaded) {
    log_.error("SIGHUP: keeping the old configuration: " + reloaded.error().text);
    return;
  }
  for (const auto& warning : reloaded->warnings)
    log_.warn("SIGHUP: " + warning);
  const auto& wanted = reloaded->config;
  // Rules, policies and level apply to what comes; windows, rings, exporters and ports, which the
  // loaded programs hold, need a restart.
  auto targets = wanted.targets;
  targets.include.port = config_.targets.include.port;
  targets.exclude.port = config_.targets.exclude.port;
  config_.targets = std::move(targets);
  config_.log.level = wanted.log.level;
  finder_.set_settings(config_.targets);
  log_.set_level(config_.log.level);
  message_.type = ChannelMessageType::kLogThreshold;
  message_.value = static_cast<std::uint64_t>(config_.log.level);
  if (const auto sent = line_.say(message_); !sent) log_.error(sent.error().text);
  if (config_.exemplars.policies != wanted.exemplars.policies) {
    config_.exemplars.policies = wanted.exemplars.policies;
    write_policies(config_.exemplars.policies, message_);
    if (const auto sent = line_.say(message_); !sent) log_.error(sent.error().text);
  }
  if (const auto told = send_rule_of_the_unjudged(); !told) log_.error(told.error().text);
  const auto processes = finder_.processes();
  unseen_.assign(processes.begin(), processes.end());
  if (const auto excluded = exclude_ourselves(); !excluded) log_.error(excluded.error().text);
  tell_of_unmatched_ = true;
  const auto waiting = changed_settings(config_, wanted);
  if (waiting.empty()) {
    log_.info("SIGHUP: configuration reloaded");
    return;
  }
  std::string keys;
  for (const auto key : waiting)
    keys += (keys.empty() ? "" : ", ") + std::string(key);
  log_.warn("SIGHUP: target rules, policies and log level reloaded; a restart is needed for " +
            keys);
}

int Prober::end_of_pipeline() {
  int status = 0;
  if (waitpid(pipeline_.pid, &status, 0) != pipeline_.pid) return kExitFailure;
  const auto end = life_.on_pipeline_end(status);
  if (!end.complaint.empty()) log_.error(end.complaint);
  return end.exit_code;
}

}  // namespace exa
