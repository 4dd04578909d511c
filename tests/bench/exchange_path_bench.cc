// What one exchange costs from ring records to the sink: decode, track, parse, match. A
// synthetic keep-alive corpus, as a server sees it and as a client does.
#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <new>
#include <span>
#include <string>
#include <vector>

#include "agent/capture/event_decoder.h"
#include "agent/connection/tracker.h"
#include "agent/conversation/registry.h"
#include "agent/telemetry/counters.h"
#include "exa/abi/event.h"

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

namespace {

class CountingSink : public exa::ExchangeSink {
 public:
  void on_exchange(const exa::Exchange& exchange) override {
    benchmark::DoNotOptimize(exchange.operation.status);
    ++exchanges;
  }
  std::uint64_t exchanges = 0;
};

// Records as they lie in a ring, one after the other; reading goes round for ever, and each round
// goes on where the one before ended.
class Records {
 public:
  Records(std::size_t sockets, int exchanges, bool client, const std::string& request,
          const std::string& response)
      : sockets_(sockets) {
    for (int i = 0; i < exchanges; ++i) {
      for (std::size_t socket = 0; socket < sockets_.size(); ++socket) {
        chunk(socket, client ? EXA_EGRESS : EXA_INGRESS, request);
        chunk(socket, client ? EXA_INGRESS : EXA_EGRESS, response);
      }
    }
    round_ns_ = now_ - kStart;
  }

  std::span<const std::byte> next() {
    if (at_ == bytes_.size()) at_ = 0;
    auto* record = bytes_.data() + at_;
    exa_chunk_event raw;
    std::memcpy(&raw, record, sizeof raw);
    at_ += raw.header.size_bytes;
    const auto result = std::span(record, raw.header.size_bytes);
    if (!fresh_) {
      const auto* moved = sockets_[raw.header.socket_id - kFirstSocket].direction;
      raw.position += moved[raw.direction].position;
      raw.other.position += moved[1 - raw.direction].position;
      raw.header.ktime_ns += round_ns_;
      raw.previous_last_byte_ns += round_ns_;
      raw.other.last_byte_ns += round_ns_;
      std::memcpy(record, &raw, sizeof raw);
    }
    if (at_ == bytes_.size()) fresh_ = false;
    return result;
  }

 private:
  static constexpr std::uint64_t kStart = 1'000'000'000;
  static constexpr std::uint64_t kFirstSocket = 1'000;

  void chunk(std::size_t socket, __u8 direction, const std::string& text) {
    auto* state = sockets_[socket].direction;
    const auto padded = (text.size() + 7) / 8 * 8;
    exa_chunk_event raw{};
    raw.header.size_bytes = static_cast<__u32>(sizeof raw + padded);
    raw.header.type = EXA_EVENT_CHUNK;
    raw.header.ktime_ns = now_ += 10'000;
    raw.header.socket_id = kFirstSocket + socket;
    raw.header.tgid = 42;
    raw.position = state[direction].position;
    raw.previous_last_byte_ns = state[direction].last_byte_ns;
    raw.other = state[1 - direction];
    raw.arrival_ns = direction == EXA_INGRESS ? now_ - 2'000 : 0;
    raw.length_bytes = raw.captured_bytes = static_cast<__u32>(text.size());
    raw.direction = direction;
    state[direction] = {raw.position + text.size(), now_};
    const auto at = bytes_.size();
    bytes_.resize(at + sizeof raw + padded);
    std::memcpy(bytes_.data() + at, &raw, sizeof raw);
    std::memcpy(bytes_.data() + at + sizeof raw, text.data(), text.size());
  }

  struct Socket {
    exa_direction_state direction[2] = {};
  };
  std::vector<Socket> sockets_;  // after the first round: how far a round goes
  std::vector<std::byte> bytes_;
  std::uint64_t now_ = kStart;
  std::uint64_t round_ns_ = 0;
  std::size_t at_ = 0;
  bool fresh_ = true;
};

const std::string kSmallRequest =
    "GET /index.html HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nUser-Agent: wrk\r\nAccept: */*\r\n\r\n";
const std::string kSmallResponse =
    "HTTP/1.1 200 OK\r\nServer: nginx/1.22.1\r\nDate: Sat, 21 Nov 2026 03:00:00 GMT\r\n"
    "Content-Type: application/octet-stream\r\nContent-Length: 5\r\nConnection: keep-alive\r\n\r\n"
    "hello";
const std::string kBrowserRequest =
    "GET /catalogue/socks/17?size=10&order=price HTTP/1.1\r\nHost: shop.example.com\r\n"
    "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0\r\n"
    "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
    "Accept-Language: en-US,en;q=0.5\r\nAccept-Encoding: gzip, deflate, br\r\n"
    "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n"
    "tracestate: vendor=value,ot=th:8;rv:0123456789abcd\r\n"
    "Cookie: session=0123456789abcdef0123456789abcdef0123456789abcdef\r\n"
    "Connection: keep-alive\r\n\r\n";

void run(benchmark::State& state, bool client, const std::string& request) {
  const auto sockets = static_cast<std::size_t>(state.range(0));
  Records records(sockets, 8, client, request, kSmallResponse);
  CountingSink sink;
  exa::Counters counters;
  exa::ConnectionTracker tracker(sink, counters, exa::protocols());
  const auto exchange = [&] {
    for (int i = 0; i < 2; ++i)
      if (const auto event = exa::decode_event(records.next())) tracker.on_event(*event);
  };
  for (std::size_t i = 0; i < 8 * sockets; ++i)
    exchange();  // every connection is known

  const auto before = sink.exchanges;
  const auto allocated = allocations;
  for (auto _ : state)
    exchange();
  if (sink.exchanges - before != static_cast<std::uint64_t>(state.iterations()))
    state.SkipWithError("exchanges are missing");
  state.counters["allocations"] = static_cast<double>(allocations - allocated);
}

void server_small(benchmark::State& state) {
  run(state, false, kSmallRequest);
}
void client_small(benchmark::State& state) {
  run(state, true, kSmallRequest);
}
void server_browser(benchmark::State& state) {
  run(state, false, kBrowserRequest);
}

BENCHMARK(server_small)->Arg(64)->Arg(1'024);
BENCHMARK(client_small)->Arg(64);
BENCHMARK(server_browser)->Arg(64);

}  // namespace

BENCHMARK_MAIN();
