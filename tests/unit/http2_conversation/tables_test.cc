// Tables that a process tells, and whose they are.
#include <string>
#include <vector>

#include "exa/abi/event.h"
#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::ElementsAre;

constexpr std::uint64_t kReader = 0xc000001000;
constexpr std::uint64_t kWriter = 0xc000002000;

class Http2Tables : public Http2Talk {
 protected:
  Http2Tables() {
    for (auto* at : {&wire, &other}) {
      at->joins();
      at->tells_arrival = false;
    }
    wire.goroutines = {kReader, kWriter};
    other.goroutines = {kReader + 8, kWriter + 8};
  }
  void TearDown() override {
    other.is_over();
    Http2Talk::TearDown();
  }

  using Fields = std::vector<std::pair<std::string, std::string>>;  // the newest first
  void tell(const Fields& fields, bool encoder, std::uint64_t goroutine, std::uint64_t object = 1) {
    std::vector<exa_table_entry> lengths;
    std::string text;
    for (const auto& [name, value] : fields) {
      lengths.push_back({static_cast<__u16>(name.size()), static_cast<__u16>(value.size())});
      text += name + value;
    }
    tracker.on_event(TableEvent{.time = wire.tick(),
                                .tgid = 42,
                                .object = object,
                                .goroutine = goroutine,
                                .encoder = encoder,
                                .lengths = std::as_bytes(std::span(lengths)),
                                .text = text});
  }
  void tell_requests(std::uint64_t goroutine = kReader, std::uint64_t object = 1) {
    tell({{"content-type", "application/grpc"}, {":path", "/shop.Cart/Add"}}, false, goroutine,
         object);
  }
  void tell_answers() { tell({{"grpc-status", "0"}}, true, kWriter, 2); }

  static void call(TalkWire& at, std::uint32_t stream) {
    at.client(headers(stream, indexed(3) + indexed(6) + indexed(63) + indexed(62), kEndStream));
  }
  static void answer(TalkWire& at, std::uint32_t stream) {
    at.server(headers(stream, indexed(8)) + data(stream, 5) +
              headers(stream, indexed(62), kEndStream));
  }
  std::string last_path() const { return std::string(sink.exchanges.back().operation.name.view()); }

  TalkWire other{tracker, true, 9};
};

TEST_F(Http2Tables, WhatTheProcessHasIsKnownFromThenOn) {
  call(wire, 1);
  answer(wire, 1);
  EXPECT_EQ(last_path(), "");
  tell_requests();
  tell_requests();
  tell_answers();
  tell_answers();
  call(wire, 3);
  answer(wire, 3);
  EXPECT_EQ(last_path(), "/shop.Cart/Add");
  EXPECT_EQ(sink.exchanges.back().operation.convention, Convention::kRpc);
  call(wire, 5);
  answer(wire, 5);
  EXPECT_NE(sink.exchanges.back().operation.status, 0);
  EXPECT_EQ(count(Counter::kHeadTablesLearned), 2u);
}

TEST_F(Http2Tables, OnlyWhoAloneReadsAConnectionTellsOfIt) {
  other.goroutines[0] = kReader;
  call(wire, 1);
  call(other, 1);
  tell_requests();
  tell_requests();
  call(wire, 3);
  answer(wire, 3);
  EXPECT_EQ(last_path(), "") << "it may be the other's";
  answer(other, 1);
  answer(wire, 1);
}

TEST_F(Http2Tables, AConnectionThatSeveralReadHasNone) {
  call(wire, 1);
  wire.goroutines[0] = kReader + 16;
  call(wire, 3);
  wire.goroutines[0] = kReader;
  call(wire, 5);
  tell_requests();
  tell_requests();
  EXPECT_EQ(count(Counter::kHeadTablesLearned), 0u);
  for (const std::uint32_t stream : {1, 3, 5})
    answer(wire, stream);
}

TEST_F(Http2Tables, ADecoderThatSeveralCallIsNobodys) {
  call(wire, 1);
  call(other, 1);
  tell_requests(kReader);
  tell_requests(kReader + 8);
  tell_requests(kReader);
  EXPECT_EQ(count(Counter::kHeadTablesLearned), 0u);
  answer(wire, 1);
  answer(other, 1);
}

TEST_F(Http2Tables, EachConnectionHasItsOwn) {
  call(wire, 1);
  call(other, 1);
  for (int times = 0; times < 2; ++times) {
    tell_requests(kReader, 1);
    tell({{"content-type", "application/grpc"}, {":path", "/shop.Cart/List"}}, false, kReader + 8,
         3);
  }
  answer(wire, 1);
  answer(other, 1);
  sink.exchanges.clear();
  call(wire, 3);
  call(other, 3);
  answer(wire, 3);
  answer(other, 3);
  EXPECT_THAT(paths(), ElementsAre("/shop.Cart/Add", "/shop.Cart/List"));
}

TEST_F(Http2Tables, WhoIsKnownNeedsNone) {
  client_wire.goroutines = {kReader + 24, kWriter + 24};
  client_wire.begins();
  for (int times = 0; times < 2; ++times)
    tell({{":path", "/wrong"}}, true, kWriter + 24, 4);
  client_wire.client(headers(1, get_block("/right"), kEndStream));
  client_wire.server(headers(1, status_block("200"), kEndStream));
  EXPECT_EQ(last_path(), "/right");
  EXPECT_EQ(count(Counter::kHeadTablesLearned), 0u);
}

TEST_F(Http2Tables, ATableOfAnotherProcessIsNotOurs) {
  call(wire, 1);
  for (int times = 0; times < 2; ++times) {
    const std::vector<exa_table_entry> lengths{{5, 2}};
    tracker.on_event(TableEvent{.time = wire.tick(),
                                .tgid = 43,
                                .object = 1,
                                .goroutine = kReader,
                                .encoder = false,
                                .lengths = std::as_bytes(std::span(lengths)),
                                .text = ":path/x"});
  }
  EXPECT_EQ(count(Counter::kHeadTablesLearned), 0u);
  answer(wire, 1);
}

}  // namespace
}  // namespace exa::testing
