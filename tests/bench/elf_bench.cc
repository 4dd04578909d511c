// How long and with how much heap a file is examined: a library, a program that holds a library,
// and a made-up program of a gigabyte with a million functions.
#include <benchmark/benchmark.h>
#include <malloc.h>

#include <filesystem>
#include <new>

#include "agent/discovery/elf/symbols.h"
#include "agent/discovery/tls/attachment_planner.h"
#include "tests/support/elf_samples.h"

namespace {

std::size_t heap_bytes = 0;
std::size_t heap_peak_bytes = 0;

}  // namespace

void* operator new(std::size_t size) {
  void* const place = std::malloc(size);
  if (place == nullptr) std::abort();
  heap_bytes += malloc_usable_size(place);
  heap_peak_bytes = std::max(heap_peak_bytes, heap_bytes);
  return place;
}
void operator delete(void* place) noexcept {
  heap_bytes -= malloc_usable_size(place);
  std::free(place);
}
void operator delete(void* place, std::size_t) noexcept {
  operator delete(place);
}

namespace {

using namespace exa;

template <typename Work>
void measure(benchmark::State& state, Work&& work) {
  const std::size_t before = heap_bytes;
  heap_peak_bytes = heap_bytes;
  for (auto _ : state)
    work();
  state.counters["heap_peak_bytes"] = static_cast<double>(heap_peak_bytes - before);
}

void plan_file(benchmark::State& state, const char* path) {
  const auto file = test::open_file(path);
  if (!file.valid()) {
    state.SkipWithError("not installed");
    return;
  }
  measure(state, [&] { benchmark::DoNotOptimize(plan_attachment(file.get())); });
}
BENCHMARK_CAPTURE(plan_file, libssl, test::kLibSsl)->Unit(benchmark::kMicrosecond);
BENCHMARK_CAPTURE(plan_file, node, test::kNode)->Unit(benchmark::kMillisecond);

// The whole way: exported symbols, the full table, the search for traces. Nothing is found.
void plan_million_functions(benchmark::State& state) {
  static test::MemoryFile file;
  if (file.size() == 0) test::write_synthetic_elf(file, 1'000'000, std::uint64_t{1} << 30);
  measure(state, [&] { benchmark::DoNotOptimize(plan_attachment(file.fd())); });
}
BENCHMARK(plan_million_functions)->Unit(benchmark::kMillisecond);

// A program of this kind that is found: twelve names in a million.
void find_in_million_functions(benchmark::State& state) {
  static test::MemoryFile file;
  if (file.size() == 0) test::write_synthetic_elf(file, 1'000'000, std::uint64_t{1} << 30);
  std::vector<std::string> texts;
  for (int i = 0; i < 12; ++i)
    texts.push_back("function_of_a_long_namespace::function_" + std::to_string(i * 83'000));
  const std::vector<std::string_view> names(texts.begin(), texts.end());
  measure(state, [&] {
    auto image = ElfImage::open(file.fd());
    const auto found = find_local(*image, names);
    if (!found || found->size() != names.size()) state.SkipWithError("not all were found");
  });
}
BENCHMARK(find_in_million_functions)->Unit(benchmark::kMillisecond);

}  // namespace

BENCHMARK_MAIN();
