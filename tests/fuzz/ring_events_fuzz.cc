// Ring records as a hostile kernel side might write them: whatever decodes goes through the
// tracker, and every chunk is accounted for.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <span>
#include <vector>

#include "agent/capture/event_decoder.h"
#include "agent/connection/tracker.h"
#include "agent/conversation/registry.h"
#include "agent/telemetry/counters.h"

namespace {

class NoSink : public exa::ExchangeSink {
 public:
  void on_exchange(const exa::Exchange&) override {}
};

}  // namespace

// Input: records one after the other, each behind its length in two bytes.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  NoSink sink;
  exa::Counters counters;
  exa::ConnectionTracker tracker(sink, counters, exa::protocols(),
                                 {.connections = 64,
                                  .incomplete_heads = 16,
                                  .requests = {.unanswered_per_connection = 4, .unanswered = 128}});
  while (size >= 2) {
    const std::size_t length = std::min<std::size_t>(size - 2, data[0] | data[1] << 8);
    // A copy of just that size, so that a read beyond the record is seen.
    const std::vector<std::byte> record(reinterpret_cast<const std::byte*>(data + 2),
                                        reinterpret_cast<const std::byte*>(data + 2 + length));
    if (const auto event = exa::decode_event(record)) tracker.on_event(*event);
    data += 2 + length;
    size -= 2 + length;
  }
  tracker.sweep({UINT64_MAX});
  using exa::Counter;
  if (counters.get(Counter::kChunksConsumed) !=
      counters.get(Counter::kChunksBelonging) + counters.get(Counter::kChunksNotProtocol) +
          counters.get(Counter::kChunksParseError) + counters.get(Counter::kChunksOrphan))
    std::abort();
  return 0;
}
