// Random valid conversations, cut at random into I/O calls, captured as the kernel side does: the
// tracker must yield exactly the exchanges that were made up.
#include <gtest/gtest.h>

#include <algorithm>
#include <random>
#include <string>
#include <vector>

#include "agent/conversation/registry.h"
#include "agent/telemetry/counters.h"
#include "tests/unit/connection/wire.h"

namespace exa {
namespace {

using testing::CollectingSink;
using testing::Wire;

struct Expected {
  std::string path;
  Method method = Method::kGet;
  int status = 0;
  std::uint64_t request_body_bytes = 0;
  std::uint64_t response_body_bytes = 0;
  MonotonicTime read;
  MonotonicTime first_response;
  MonotonicTime last_response;
  bool has_context = false;
};

struct Message {
  std::string text;
  std::size_t content_bytes = 0;  // of the body, without its framing
  std::size_t head_bytes = 0;
};

class Conversation {
 public:
  Conversation(std::uint32_t seed, ConnectionTracker& tracker, bool client)
      : random_(seed), wire_(tracker, seed + 1), client_(client) {}

  std::vector<Expected> run() {
    wire_.socket();
    const int rounds = pick(1, 6);
    for (int round = 0; round < rounds; ++round) {
      if (pick(0, 3) == 0) {
        pipelined_round();
      } else {
        plain_round();
      }
    }
    wire_.is_over();
    return expected_;
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  std::string body_of(std::size_t size) {
    // Bodies look like messages at times, as hostile ones do.
    static const std::string lure = "\r\n\r\nGET /lure HTTP/1.1\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
    std::string body;
    while (body.size() < size)
      body += pick(0, 3) == 0 ? lure : "body bytes ";
    return body.substr(0, size);
  }

  // Appends framing fields and the framed body.
  void frame(Message& message, bool chunked, std::size_t size) {
    message.content_bytes = size;
    if (chunked) {
      message.text += "Transfer-Encoding: chunked\r\n\r\n";
      message.head_bytes = message.text.size();
      while (size > 0) {
        const auto part = std::min<std::size_t>(size, static_cast<std::size_t>(pick(1, 3'000)));
        char line[32];
        std::snprintf(line, sizeof line, pick(0, 1) ? "%zx\r\n" : "%zX;ext=1\r\n", part);
        message.text += line + body_of(part) + "\r\n";
        size -= part;
      }
      message.text += pick(0, 1) ? "0\r\n\r\n" : "0\r\nTrailer: x\r\n\r\n";
      return;
    }
    if (size > 0 || pick(0, 1)) message.text += "Content-Length: " + std::to_string(size) + "\r\n";
    message.text += "\r\n";
    message.head_bytes = message.text.size();
    message.text += body_of(size);
  }

  std::string filler() {
    std::string fields;
    for (int i = pick(0, 4); i > 0; --i)
      fields += "X-Field-" + std::to_string(i) + ": " + std::string(pick(0, 60), 'v') + "\r\n";
    return fields;
  }

  Message request(Expected& expected) {
    static const std::vector<std::pair<std::string, Method>> methods = {
        {"GET", Method::kGet},       {"HEAD", Method::kHead},   {"POST", Method::kPost},
        {"DELETE", Method::kDelete}, {"PURGE", Method::kOther}, {"PUT", Method::kPut}};
    const auto& [name, method] = methods[static_cast<std::size_t>(pick(0, 5))];
    expected.method = method;
    expected.path = "/path/" + std::to_string(pick(0, 1'000'000));
    Message message;
    message.text = name + " " + expected.path + (pick(0, 1) ? "?query=1" : "") + " HTTP/1.1\r\n";
    message.text += "Host: shop\r\n" + filler();
    expected.has_context = pick(0, 1) == 1;
    if (expected.has_context)
      message.text +=
          "traceparent: 00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01\r\n" + filler();
    const bool with_body = method == Method::kPost || method == Method::kPut;
    frame(message, with_body && pick(0, 1),
          with_body ? static_cast<std::size_t>(pick(0, 9'000)) : 0);
    expected.request_body_bytes = message.content_bytes;
    return message;
  }

  Message response(Expected& expected) {
    static const std::vector<int> statuses = {200, 201, 204, 304, 404, 500, 503};
    expected.status = statuses[static_cast<std::size_t>(pick(0, 6))];
    Message message;
    message.text = "HTTP/1.1 " + std::to_string(expected.status) + " Reason\r\n" + filler();
    const bool bodiless =
        expected.method == Method::kHead || expected.status == 204 || expected.status == 304;
    if (bodiless) {
      message.text += "Content-Length: 1234\r\n\r\n";
      message.head_bytes = message.text.size();
    } else {
      // Of a length always, so that the answer does not last until the close.
      const auto size = static_cast<std::size_t>(pick(1, 20'000));
      frame(message, pick(0, 2) == 0, size);
    }
    expected.response_body_bytes = message.content_bytes;
    return message;
  }

  Direction request_direction() const { return client_ ? Direction::kEgress : Direction::kIngress; }

  // Sends the text in random calls; a head and all chunk framing is captured, plain bodies at
  // times not. Gives the times of the first and the last call.
  std::pair<MonotonicTime, MonotonicTime> send(Direction direction, const Message& message,
                                               bool chunked) {
    std::pair<MonotonicTime, MonotonicTime> times;
    std::size_t from = 0;
    while (from < message.text.size()) {
      const auto rest = message.text.size() - from;
      const auto size = pick(0, 4) == 0
                            ? std::min<std::size_t>(rest, static_cast<std::size_t>(pick(1, 9)))
                            : std::min<std::size_t>(rest, static_cast<std::size_t>(pick(1, 4'096)));
      const auto part = std::string_view(message.text).substr(from, size);
      const bool body_only = from >= message.head_bytes && !chunked;
      if (body_only && pick(0, 1)) {
        if (direction == Direction::kIngress) {
          wire_.reads_unseen(size);
        } else {
          wire_.writes_unseen(size);
        }
        if (pick(0, 3) == 0) {
          const auto moved = wire_.now();
          wire_.position();
          note(times, moved);
        } else {
          note(times, wire_.now());
        }
      } else {
        const auto head_part = message.head_bytes > from ? message.head_bytes - from : 0;
        const auto least = chunked ? size : std::min(head_part, size);
        const auto captured = static_cast<std::size_t>(
            pick(static_cast<int>(std::max<std::size_t>(least, 1)), static_cast<int>(size)));
        wire_.chunk(direction, part, captured);
        note(times, wire_.now());
      }
      from += size;
    }
    return times;
  }
  static void note(std::pair<MonotonicTime, MonotonicTime>& times, MonotonicTime at) {
    if (!times.first.known()) times.first = at;
    times.second = at;
  }
  static bool is_chunked(const Message& message) {
    return message.text.find("Transfer-Encoding: chunked") < message.head_bytes;
  }

  void plain_round() {
    Expected exchange;
    const auto asked = request(exchange);
    const auto answer = response(exchange);
    exchange.read = send(request_direction(), asked, is_chunked(asked)).first;
    for (int i = pick(-2, 1); i > 0; --i)
      wire_.chunk(opposite(request_direction()), "HTTP/1.1 103 Early\r\nLink: x\r\n\r\n");
    const auto times = send(opposite(request_direction()), answer, is_chunked(answer));
    exchange.first_response = times.first;
    exchange.last_response = times.second;
    expected_.push_back(exchange);
  }

  // Several requests at once, then their answers one after the other.
  void pipelined_round() {
    std::vector<Expected> exchanges(static_cast<std::size_t>(pick(2, 8)));
    std::vector<Message> answers;
    for (auto& exchange : exchanges) {
      const auto asked = request(exchange);
      exchange.read = send(request_direction(), asked, is_chunked(asked)).first;
      answers.push_back(response(exchange));
    }
    for (std::size_t i = 0; i < exchanges.size(); ++i) {
      const auto times = send(opposite(request_direction()), answers[i], is_chunked(answers[i]));
      exchanges[i].first_response = times.first;
      exchanges[i].last_response = times.second;
      expected_.push_back(exchanges[i]);
    }
  }

  std::mt19937 random_;
  Wire wire_;
  bool client_;
  std::vector<Expected> expected_;
};

TEST(ConversationProperty, YieldsExactlyTheExchangesThatWere) {
  for (std::uint32_t seed = 0; seed < 3'000; ++seed) {
    CollectingSink sink;
    Counters counters;
    ConnectionTracker tracker(sink, counters, protocols(), {.connections = 64});
    const bool client = seed % 2 == 1;
    const auto expected = Conversation(seed, tracker, client).run();

    ASSERT_EQ(sink.exchanges.size(), expected.size()) << "seed " << seed;
    for (std::size_t i = 0; i < expected.size(); ++i) {
      const auto& exchange = sink.exchanges[i];
      SCOPED_TRACE("seed " + std::to_string(seed) + ", exchange " + std::to_string(i));
      ASSERT_EQ(exchange.operation.name.view(), expected[i].path);
      ASSERT_EQ(exchange.operation.method, expected[i].method);
      ASSERT_EQ(exchange.operation.status, expected[i].status);
      ASSERT_EQ(exchange.outcome, Outcome::kComplete);
      ASSERT_EQ(exchange.role, client ? Role::kClient : Role::kServer);
      ASSERT_EQ(exchange.request_body_bytes, expected[i].request_body_bytes);
      ASSERT_EQ(exchange.response_body_bytes, expected[i].response_body_bytes);
      ASSERT_EQ(exchange.read, expected[i].read);
      ASSERT_EQ(exchange.first_response, expected[i].first_response);
      ASSERT_EQ(exchange.last_response, expected[i].last_response);
      ASSERT_EQ(exchange.has_context, expected[i].has_context);
    }
    ASSERT_EQ(counters.get(Counter::kChunksConsumed), counters.get(Counter::kChunksBelonging));
    ASSERT_EQ(tracker.size(), 0u);
    ASSERT_EQ(tracker.open_exchanges().size(), 0u);
  }
}

// Chunks lost at random: fewer exchanges, but never a wrong one. Each answer names its request.
TEST(ConversationProperty, LossNeverLinksAnAnswerToAnotherRequest) {
  std::size_t linked = 0;
  for (std::uint32_t seed = 0; seed < 3'000; ++seed) {
    std::mt19937 random(seed);
    CollectingSink sink;
    Counters counters;
    ConnectionTracker tracker(sink, counters, protocols(), {.connections = 64});
    Wire wire(tracker, 5);
    for (int i = 0; i < 20; ++i) {
      const auto request = "GET /" + std::to_string(400 + i) + " HTTP/1.1\r\n\r\n";
      const auto body = std::string(random() % 300, 'x');
      const auto head = "HTTP/1.1 " + std::to_string(400 + i) +
                        " X\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
      random() % 6 ? wire.reads(request) : wire.reads_unseen(request.size());
      random() % 6 ? wire.writes(head) : wire.writes_unseen(head.size());
      if (!body.empty()) random() % 2 ? wire.writes(body) : wire.writes_unseen(body.size());
    }
    wire.is_over();
    for (const auto& exchange : sink.exchanges) {
      if (exchange.outcome != Outcome::kComplete) continue;
      ASSERT_EQ(exchange.operation.name.view().substr(0, 1), "/") << "seed " << seed;
      ASSERT_EQ(exchange.operation.name.view().substr(1), std::to_string(exchange.operation.status))
          << "seed " << seed;
      ++linked;
    }
    ASSERT_EQ(counters.get(Counter::kChunksConsumed),
              counters.get(Counter::kChunksBelonging) + counters.get(Counter::kChunksOrphan) +
                  counters.get(Counter::kChunksNotProtocol) +
                  counters.get(Counter::kChunksParseError));
  }
  EXPECT_GT(linked, 15'000u) << "loss of one answer must not cost the connection";
}

}  // namespace
}  // namespace exa
