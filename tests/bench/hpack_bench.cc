// What one header block costs, and how that compares with libnghttp2, which also encoded it: blocks
// of one connection in the steady state, with the tables that real programs fill.
#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <new>
#include <random>
#include <string>
#include <vector>

#include "agent/protocol/http2/hpack/decoder.h"
#include "tests/support/hpack_oracle.h"

namespace {

std::uint64_t allocations = 0;

}  // namespace

[[gnu::noinline]] void* operator new(std::size_t size) {
  ++allocations;
  if (void* memory = std::malloc(size)) return memory;
  throw std::bad_alloc();
}
[[gnu::noinline]] void operator delete(void* memory) noexcept {
  std::free(memory);
}
[[gnu::noinline]] void operator delete(void* memory, std::size_t) noexcept {
  std::free(memory);
}

#if !EXA_HAS_NGHTTP2

int main() {
  return 0;  // configuring said that libnghttp2 is missing
}

#else

namespace {

using exa::hpack::Decoder;
using exa::hpack::Field;
using exa::hpack::OracleDecoder;
using exa::hpack::OracleEncoder;
using exa::hpack::OracleField;

constexpr int kBlocks = 1024;

std::mt19937_64 random_bits(1);

std::string hex(int digits) {
  std::string text;
  while (digits-- > 0)
    text += "0123456789abcdef"[random_bits() % 16];
  return text;
}

// A call of gRPC whose only new text is the trace context.
std::vector<OracleField> grpc_request(int /*number*/) {
  return {{":method", "POST"},
          {":scheme", "http"},
          {":path", "/shop.v1.Checkout/PlaceOrder"},
          {":authority", "checkout.shop.svc.cluster.local:50051"},
          {"content-type", "application/grpc"},
          {"user-agent", "grpc-go/1.85.0"},
          {"te", "trailers"},
          {"traceparent", "00-" + hex(32) + "-" + hex(16) + "-01"}};
}

// Nothing is new: octets that are indices.
std::vector<OracleField> grpc_trailers(int /*number*/) {
  return {{"grpc-status", "0"}, {"grpc-message", ""}};
}

// A browser's: a path, a cookie and a referer that are new in each.
std::vector<OracleField> browser_request(int number) {
  return {{":method", "GET"},
          {":scheme", "https"},
          {":authority", "www.example.com"},
          {":path", "/articles/" + std::to_string(number) + "/index.html?utm_source=newsletter"},
          {"user-agent", "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"},
          {"accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
          {"accept-language", "en-US,en;q=0.5"},
          {"accept-encoding", "gzip, deflate, br, zstd"},
          {"referer", "https://www.example.com/articles/" + std::to_string(number - 1)},
          {"cookie", "session=" + hex(64) + "; consent=all"}};
}

std::vector<std::string> blocks_of(std::vector<OracleField> (*fields)(int)) {
  OracleEncoder encoder(4096);
  std::vector<std::string> blocks;
  for (int i = 0; i < kBlocks; ++i)
    blocks.push_back(encoder.encode(fields(i)));
  return blocks;
}

std::size_t decode_own(Decoder& decoder, const std::vector<std::string>& blocks) {
  std::size_t bytes = 0;
  decoder.restart(exa::hpack::Start::kFromStart);
  for (const auto& block : blocks)
    decoder.decode(block, [&](const Field& field) { bytes += field.value.size(); });
  return bytes;
}

std::size_t decode_theirs(const std::vector<std::string>& blocks) {
  OracleDecoder decoder;
  std::size_t bytes = 0;
  for (const auto& block : blocks)
    decoder.decode(block, [&](std::string_view, std::string_view value) { bytes += value.size(); });
  return bytes;
}

template <typename Function>
double best_seconds(Function&& function) {
  double best = 1e9;
  for (int i = 0; i < 20; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    function();
    best = std::min(
        best, std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count());
  }
  return best;
}

void block(benchmark::State& state, std::vector<OracleField> (*fields)(int)) {
  const auto blocks = blocks_of(fields);
  Decoder decoder;
  if (decode_own(decoder, blocks) != decode_theirs(blocks)) {
    state.SkipWithError("the two decoders differ");
    return;
  }
  const auto before = allocations;
  while (state.KeepRunningBatch(kBlocks))
    benchmark::DoNotOptimize(decode_own(decoder, blocks));
  state.counters["allocations"] = static_cast<double>(allocations - before);
  state.counters["of_nghttp2"] = best_seconds([&] { decode_own(decoder, blocks); }) /
                                 best_seconds([&] { decode_theirs(blocks); });
}
BENCHMARK_CAPTURE(block, grpc_request, grpc_request);
BENCHMARK_CAPTURE(block, grpc_trailers, grpc_trailers);
BENCHMARK_CAPTURE(block, browser_request, browser_request);

}  // namespace

BENCHMARK_MAIN();

#endif
