#include "agent/prober.h"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <sys/wait.h>

#include <array>
#include <cerrno>
#include <csignal>

#include "agent/capture/event_decoder.h"
#include "agent/capture/target_message.h"
#include "agent/cli.h"
#include "agent/config/value_text.h"
#include "agent/export_chain.h"

namespace exa {
namespace {

using namespace std::chrono_literals;

constexpr Duration kSweepInterval = 500ms;
constexpr Duration kTimeToEnd = 4000ms;  // of the 5 s that SIGTERM leaves
constexpr std::size_t kAnnouncementsPerTurn = 256;

timespec to_timespec(Duration duration) {
  return {.tv_sec = duration / 1s, .tv_nsec = duration % Duration(1s) / 1ns};
}

std::optional<EngineFiles> engine_files(const ContainerSettings& settings) {
  if (!settings.names) return std::nullopt;
  return EngineFiles(
      {.docker = settings.docker, .podman = settings.podman, .containerd = settings.containerd});
}

}  // namespace

Result<UniqueFd> block_and_watch_signals() {
  sigset_t watched;
  sigemptyset(&watched);
  for (const int signal : {SIGTERM, SIGINT, SIGHUP})
    sigaddset(&watched, signal);
  if (sigprocmask(SIG_BLOCK, &watched, nullptr) != 0)
    return fail_errno("cannot block signals", errno);
  UniqueFd fd(signalfd(-1, &watched, SFD_CLOEXEC | SFD_NONBLOCK));
  if (!fd.valid()) return fail_errno("cannot watch signals", errno);
  return fd;
}

kernel::CaptureConfig capture_config(const Config& config) {
  return {.capture_budget_bytes = config.capture.budget_bytes,
          .event_ring_bytes = static_cast<std::uint32_t>(config.capture.ring_size_bytes),
          .event_rings = kernel::suggested_event_rings(),
          .included_ports = config.targets.include.port,
          .excluded_ports = config.targets.exclude.port,
          .tls = config.tls.enabled};
}

Prober::Prober(const Config& config, Reload reload, Log& log, kernel::CapturePrograms programs,
               kernel::RingReader control_ring, PipelineProcess pipeline, UniqueFd signals)
    : config_(config),
      reload_(std::move(reload)),
      log_(log),
      occasional_(log),
      finder_(config.targets, this_host()),
      engines_(engine_files(config.containers)),
      programs_(std::move(programs)),
      status_(status_path(config)),
      control_ring_(std::move(control_ring)),
      pipeline_(std::move(pipeline)),
      signals_(std::move(signals)) {}

int Prober::run() {
  if (const auto begun = begin(); !begun) {
    // The pipeline says itself why it ended, if it was that.
    if (pollfd gone{.fd = pipeline_.exited.get(), .events = POLLIN, .revents = 0};
        poll(&gone, 1, 200) == 1)
      return end_of_pipeline();
    log_.error(begun.error().text);
    return kExitFailure;
  }
  while (exit_code_ < 0) {
    std::array<epoll_event, 8> events{};
    const int count = epoll_wait(epoll_.get(), events.data(), events.size(), -1);
    for (int i = 0; i < count && exit_code_ < 0; ++i) {
      const int fd = events[static_cast<std::size_t>(i)].data.fd;
      if (fd == programs_.control_ring_fd()) read_control_ring();
      if (fd == sweep_timer_.get()) sweep();
      if (fd == signals_.get()) on_signal();
      if (fd == pipeline_.exited.get()) exit_code_ = end_of_pipeline();
      if (fd == pipeline_.channel.fd()) on_channel();
    }
  }
  return exit_code_;
}

Result<> Prober::begin() {
  epoll_ = UniqueFd(epoll_create1(EPOLL_CLOEXEC));
  sweep_timer_ = UniqueFd(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK));
  const auto interval = to_timespec(kSweepInterval);
  const itimerspec timer{.it_interval = interval, .it_value = interval};
  if (!epoll_.valid() || !sweep_timer_.valid() ||
      timerfd_settime(sweep_timer_.get(), 0, &timer, nullptr) != 0)
    return fail_errno("cannot set up the loop", errno);
  for (const int fd : {programs_.control_ring_fd(), sweep_timer_.get(), signals_.get(),
                       pipeline_.exited.get(), pipeline_.channel.fd()}) {
    epoll_event event{.events = EPOLLIN, .data = {.fd = fd}};
    if (epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event) != 0)
      return fail_errno("cannot set up the loop", errno);
  }

  // Before the first look: a program that is executed after it would have the verdict of another.
  if (auto attached = programs_.attach_processes(); !attached) return attached;
  if (auto excluded = exclude_ourselves(); !excluded) return excluded;
  if (auto judged = judge_all(); !judged) return judged;
  // Loading takes most of a second: before anything is observed, so that the loop is there for what
  // the kernel announces.
  start_tls();
  if (auto attached = programs_.attach(); !attached) return attached;
  message_.type = ChannelMessageType::kTargetsComplete;
  return send(message_);
}

Result<> Prober::exclude_ourselves() {
  for (const auto pid : {getpid(), pipeline_.pid})
    if (auto excluded = programs_.exclude_for_good(static_cast<std::uint32_t>(pid)); !excluded)
      return excluded;
  return {};
}

// Waits while the pipeline is behind: announcements queue up in the control ring meanwhile, which
// is bounded and counts what it loses.
Result<> Prober::send(const ChannelMessage& message, int attached) {
  for (;;) {
    switch (pipeline_.channel.send(message, attached)) {
      case ChannelOutcome::kDone:
        return {};
      case ChannelOutcome::kWouldBlock: {
        pollfd room{.fd = pipeline_.channel.fd(), .events = POLLOUT, .revents = 0};
        if (poll(&room, 1, 5000) == 0) return fail("the pipeline does not read its targets");
        break;
      }
      default:
        return fail("the pipeline process has ended");
    }
  }
}

// With the file in which an engine named the target's container: read without privilege.
Result<> Prober::send_target(const FoundTarget& found) {
  const bool observed_in_container = engines_ && found.target.observed;
  const auto file = observed_in_container ? engines_->file_of(found.cgroup) : std::nullopt;
  message_.type = ChannelMessageType::kTarget;
  message_.value = file ? static_cast<std::uint64_t>(file->document) : 0;
  message_.payload = encode_target(found.target);
  return send(message_, file ? file->fd.get() : -1);
}

// Every process there is, by the rules in force.
Result<> Prober::judge_all() {
  observed_ = 0;
  for (const auto tgid : finder_.processes()) {
    const auto verdict = open_verdict(tgid);
    const auto found = finder_.look_at(tgid);
    if (!found) continue;
    enter(verdict, found->target);
    if (auto sent = send_target(*found); !sent) return sent;
    observed_ += found->target.observed ? 1 : 0;
  }
  programs_.put_verdicts_in_force();
  return {};
}

// Before /proc is read: what is entered later is then about what was read, or nothing is entered.
std::optional<kernel::OpenVerdict> Prober::open_verdict(std::uint32_t tgid) {
  auto opened = programs_.open_verdict(tgid);
  if (opened) return std::move(*opened);
  occasional_.warn("verdict", opened.error().text, monotonic_now());
  return std::nullopt;
}

// The kernel then tells nothing more about an excluded process.
void Prober::enter(const std::optional<kernel::OpenVerdict>& verdict, const Target& target) {
  if (!verdict) return;
  const auto entered =
      verdict->enter(target.observed ? kernel::Verdict::kObserved : kernel::Verdict::kExcluded);
  if (!entered) occasional_.warn("verdict", entered.error().text, monotonic_now());
  if (tls_) tls_->on_verdict(target.process.tgid);
}

void Prober::read_control_ring() {
  if (phase_ == Phase::kEnding) return;
  control_ring_.consume(kAnnouncementsPerTurn, [this](std::span<const std::byte> record) {
    if (tls_) tls_->on_control_record(record);
    const auto event = decode_event(record);
    if (!event) return;
    const auto* const process = std::get_if<ProcessEvent>(&*event);
    if (process == nullptr) return;
    const auto verdict = open_verdict(process->process.tgid);
    const auto resolved = finder_.resolve({.process = process->process,
                                           .comm = std::string(process->comm.view()),
                                           .exe_name = std::string(process->exe_name.view())});
    // Of one that is gone, or runs another program by now, nothing is entered for whoever has its
    // number.
    if (resolved.looked_at && !resolved.found.target.observed) {
      enter(verdict, resolved.found.target);
      programs_.put_verdicts_in_force();
    }
    if (const auto sent = send_target(resolved.found); !sent)
      occasional_.warn("target", sent.error().text, monotonic_now());
  });
}

void Prober::sweep() {
  std::uint64_t expirations = 0;
  if (read(sweep_timer_.get(), &expirations, sizeof expirations) < 0) return;
  if (phase_ != Phase::kServing) return;
  if (const auto swept = programs_.sweep(); !swept)
    occasional_.warn("sweep", swept.error().text, monotonic_now());
  tell_noisy();
  if (!tls_) return;
  if (const auto written = status_.write(tls_->status()); !written)
    occasional_.warn("status", written.error().text, monotonic_now());
}

void Prober::tell_noisy() {
  for (const auto& noisy : programs_.noisy_processes())
    occasional_.warn(
        "share",
        "process " + std::to_string(noisy.tgid) + " (" + noisy.comm +
            ") fills a ring buffer beyond its share: " + std::to_string(noisy.refused_chunks) +
            " of its calls were left out so far",
        monotonic_now());
}

// Before the first announcement: it takes up to half a second, in which a process that lives for
// milliseconds would be gone before it is judged. A failure leaves plain traffic observed.
void Prober::start_tls() {
  if (!config_.tls.enabled) return;
  auto started =
      TlsCapture::start(programs_, capture_config(config_), config_.tls.ignored_executables);
  if (!started) {
    log_.warn("TLS traffic is not readable here: " + started.error().text);
    return;
  }
  tls_ = std::move(*started);
}

void Prober::on_channel() {
  switch (pipeline_.channel.receive(message_)) {
    case ChannelOutcome::kWouldBlock:
      return;
    case ChannelOutcome::kClosed:
      // Its end follows and says more; do not spin on the closed channel until then.
      epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, pipeline_.channel.fd(), nullptr);
      return;
    case ChannelOutcome::kMalformed:
      log_.error("the pipeline sent something that is no message");
      exit_code_ = kExitFailure;
      return;
    case ChannelOutcome::kDone:
      break;
  }
  if (message_.type != ChannelMessageType::kReady || phase_ != Phase::kStarting) return;
  phase_ = Phase::kServing;
  log_.info("observing " + std::to_string(observed_) + " processes through " +
            std::string(kernel::rung_name(kernel::Rung::kSocketLength)) + ", windows of " +
            duration_text(config_.window) + "; " +
            describe_exports(config_, static_cast<std::uint16_t>(message_.value)));
}

void Prober::on_signal() {
  signalfd_siginfo signal{};
  while (read(signals_.get(), &signal, sizeof signal) == static_cast<ssize_t>(sizeof signal)) {
    if (signal.ssi_signo == SIGHUP) {
      reload();
    } else if (phase_ == Phase::kEnding) {
      log_.warn("a second signal: ending at once, what was not exported is lost");
      exit_code_ = kExitFailure;
      return;
    } else {
      begin_end();
    }
  }
}

// Programs first: nothing new is observed while the pipeline drains the ring.
void Prober::begin_end() {
  phase_ = Phase::kEnding;
  log_.info("ending: exporting what was seen");
  if (const auto swept = programs_.sweep(); !swept) log_.warn(swept.error().text);
  tls_.reset();
  programs_.detach();
  message_.type = ChannelMessageType::kShutdown;
  message_.value = (monotonic_now() + kTimeToEnd).ns;
  if (const auto sent = send(message_); !sent) log_.error(sent.error().text);
  // The timer that swept now bounds the end.
  const itimerspec limit{.it_interval = {}, .it_value = to_timespec(kTimeToEnd + 300ms)};
  timerfd_settime(sweep_timer_.get(), 0, &limit, nullptr);
}

void Prober::reload() {
  auto reloaded = reload_();
  if (!reloaded) {
    log_.error("SIGHUP: the old configuration stays: " + reloaded.error().text);
    return;
  }
  // Rules and level apply to what comes; windows, rings, exporters and ports, which the loaded
  // programs hold, need a restart.
  auto targets = reloaded->targets;
  targets.include.port = config_.targets.include.port;
  targets.exclude.port = config_.targets.exclude.port;
  config_.targets = std::move(targets);
  config_.log.level = reloaded->log.level;
  finder_.set_settings(config_.targets);
  log_.set_level(config_.log.level);
  message_.type = ChannelMessageType::kLogThreshold;
  message_.value = static_cast<std::uint64_t>(config_.log.level);
  if (const auto sent = send(message_); !sent) log_.error(sent.error().text);
  if (const auto judged = judge_all(); !judged) log_.error(judged.error().text);
  if (!(config_ == *reloaded))
    log_.warn("SIGHUP: target rules and log level are in force; other changes need a restart");
  else
    log_.info("SIGHUP: the configuration is in force");
}

int Prober::end_of_pipeline() {
  int status = 0;
  if (waitpid(pipeline_.pid, &status, 0) != pipeline_.pid) return kExitFailure;
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0 && phase_ == Phase::kEnding) return kExitOk;
  if (WIFSIGNALED(status))
    log_.error("the pipeline process was ended by signal " + std::to_string(WTERMSIG(status)));
  else if (phase_ != Phase::kStarting)
    log_.error("the pipeline process ended with code " + std::to_string(WEXITSTATUS(status)));
  // Nobody reads what the programs still write. Ending here, the kernel takes all of them away at
  // once; joining threads and detaching link by link may take longer than the second we promise.
  _exit(kExitFailure);
}

}  // namespace exa
