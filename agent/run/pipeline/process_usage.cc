#include "agent/run/pipeline/process_usage.h"

#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <cstdlib>

namespace exa {
namespace {

double seconds_of(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
}

// statm: "SIZE RESIDENT ...", in pages.
std::uint64_t resident_bytes(int statm) {
  std::array<char, 128> text{};
  if (pread(statm, text.data(), text.size() - 1, 0) <= 0) return 0;
  char* end = nullptr;
  std::strtoull(text.data(), &end, 10);
  const auto resident_pages = std::strtoull(end, nullptr, 10);
  return resident_pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void fill_process_usage(SelfGauges& gauges, int statm) {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  gauges.cpu_seconds = {seconds_of(used.ru_utime) + seconds_of(used.ru_stime)};
  gauges.resident_bytes = resident_bytes(statm);
}

Duration thread_cpu_time() {
  timespec used{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &used);
  return std::chrono::seconds(used.tv_sec) + std::chrono::nanoseconds(used.tv_nsec);
}

}  // namespace exa
