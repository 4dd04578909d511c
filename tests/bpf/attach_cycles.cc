// attach_cycles FILE CYCLES: puts the TLS probes into a library or program and takes them away, so
// many times; one line of JSON tells how long that took, and what reading the file took. Whoever
// runs it looks whether the programs that map the file mind.
//
// Each place has a thread of its own, as taking a probe away is mostly waiting for the kernel: the
// breakpoints of a place come and go in every cycle, those of different places at any time.
#include <fcntl.h>
#include <sys/resource.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "agent/discovery/tls/attachment_planner.h"
#include "agent/kernel/capture_programs.h"
#include "agent/kernel/libbpf_log.h"
#include "agent/kernel/tls_programs.h"
#include "agent/run/prober/tls_probes.h"
#include "exa/base/unique_fd.h"

namespace {

using namespace exa;
using Clock = std::chrono::steady_clock;
using Probes = std::vector<kernel::TlsProbe>;

struct Times {
  std::vector<double> attach_ms;
  std::vector<double> detach_ms;
};

int fail_with(const std::string& text) {
  std::fprintf(stderr, "attach_cycles: %s\n", text.c_str());
  return 1;
}

double milliseconds(Clock::duration duration) {
  return std::chrono::duration<double, std::milli>(duration).count();
}

Result<> run(const kernel::TlsPrograms& programs, int file_fd, const Probes& probes, int cycles,
             Times& times) {
  for (int cycle = 0; cycle < cycles; ++cycle) {
    const auto begun = Clock::now();
    auto attached = std::optional(programs.attach(file_fd, probes));
    const auto placed = Clock::now();
    if (!*attached) return std::unexpected(attached->error());
    attached.reset();
    times.attach_ms.push_back(milliseconds(placed - begun));
    times.detach_ms.push_back(milliseconds(Clock::now() - placed));
  }
  return {};
}

long peak_resident_kib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return usage.ru_maxrss;
}

std::string text_of(std::vector<double> all) {
  std::ranges::sort(all);
  char text[80];
  std::snprintf(text, sizeof text, "{\"median\":%.3f,\"max\":%.3f}", all[all.size() / 2],
                all.back());
  return text;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) return fail_with("usage: attach_cycles FILE CYCLES");
  const int cycles = std::max(1, std::atoi(argv[2]));
  kernel::route_libbpf_log(nullptr);
  const UniqueFd file(::open(argv[1], O_RDONLY | O_CLOEXEC));
  const auto peak_before = peak_resident_kib();
  const auto begun = Clock::now();
  const auto plan = plan_attachment(file.get());
  const auto plan_ms = milliseconds(Clock::now() - begun);
  const auto peak_growth = peak_resident_kib() - peak_before;
  if (!plan.readable()) return fail_with(std::string(argv[1]) + ": nothing to probe");
  const kernel::CaptureConfig config{.tls = true};
  const auto capture = kernel::CapturePrograms::load(config, kernel::probe_kernel_features());
  if (!capture) return fail_with(capture.error().text);
  const auto programs = kernel::TlsPrograms::load(*capture, config);
  if (!programs) return fail_with(programs.error().text);

  const Probes all = tls_probes(plan);
  std::map<std::uint64_t, Probes> places;
  for (const auto& probe : all)
    places[probe.file_offset].push_back(probe);
  std::atomic<bool> failed = false;
  {
    std::vector<std::jthread> threads;
    for (const auto& [offset, probes] : places)
      threads.emplace_back([&, probes = probes] {
        Times ignored;
        if (!run(*programs, file.get(), probes, cycles, ignored)) failed = true;
      });
  }
  if (failed) return fail_with("a probe could not be placed");

  Times times;  // of all places together, as the agent does it
  if (const auto done = run(*programs, file.get(), all, 5, times); !done)
    return fail_with(done.error().text);
  std::printf("{\"cycles\":%d,\"places\":%zu,\"probes\":%zu,", cycles, places.size(), all.size());
  std::printf("\"plan_ms\":%.3f,\"plan_peak_growth_kib\":%ld,", plan_ms, peak_growth);
  std::printf("\"attach_ms\":%s,\"detach_ms\":%s}\n", text_of(times.attach_ms).c_str(),
              text_of(times.detach_ms).c_str());
  return 0;
}
