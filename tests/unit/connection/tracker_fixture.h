// A tracker, its counters and one wire; after each test every chunk must be accounted for.
#pragma once

#include <gmock/gmock.h>

#include "agent/conversation/registry.h"
#include "agent/telemetry/counters.h"
#include "tests/unit/connection/wire.h"

namespace exa::testing {

class TrackerFixture : public ::testing::Test {
 protected:
  static constexpr std::string_view kGet = "GET /cart?id=1 HTTP/1.1\r\nHost: shop.example\r\n\r\n";
  static constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

  // The one exchange there is.
  Exchange only() const {
    EXPECT_THAT(sink.exchanges, ::testing::SizeIs(1));
    return sink.exchanges.empty() ? Exchange{} : sink.exchanges.front();
  }
  std::vector<int> statuses() const {
    std::vector<int> all;
    for (const auto& exchange : sink.exchanges)
      all.push_back(exchange.operation.status);
    return all;
  }
  std::vector<std::string> paths() const {
    std::vector<std::string> all;
    for (const auto& exchange : sink.exchanges)
      all.emplace_back(exchange.operation.name.view());
    return all;
  }
  std::uint64_t count(Counter counter) const { return counters.get(counter); }
  std::uint64_t count(ProtocolCounter counter) const { return counters.get(counter); }

  void TearDown() override {
    EXPECT_EQ(count(Counter::kChunksConsumed),
              count(Counter::kChunksBelonging) + count(Counter::kChunksNotProtocol) +
                  count(Counter::kChunksParseError) + count(Counter::kChunksOrphan));
    EXPECT_EQ(count(Counter::kExchanges), sink.exchanges.size());
  }

  CollectingSink sink;
  Counters counters;
  ConnectionTracker tracker{sink, counters, protocols()};
  Wire wire{tracker};
};

}  // namespace exa::testing
