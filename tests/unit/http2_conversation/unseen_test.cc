// Frames that went by unseen before the end of their connection.
#include <string>

#include "tests/unit/http2_conversation/talk_fixture.h"

namespace exa::testing {
namespace {

using ::testing::IsEmpty;

class Http2Unseen : public Http2Talk {
 protected:
  static void ask(TalkWire& at, std::uint32_t stream) {
    at.client(headers(stream, get_block("/" + std::to_string(stream)), kEndStream));
  }
};

// By sendfile or splice, say, and nothing came after them.
TEST_F(Http2Unseen, FramesThatNobodySawBeforeTheEndMayHaveBeenTheAnswers) {
  wire.begins();
  ask(wire, 1);
  ask(wire, 3);
  wire.server(headers(3, status_block("200")));
  wire.end({.final = true, .missed = {false, true}});
  EXPECT_THAT(sink.exchanges, IsEmpty()) << "no error";
  EXPECT_EQ(count(ProtocolCounter::kOrphanGap), 2u);
}

TEST_F(Http2Unseen, AnAnswerThatCameAsFarAsPromisedIsCompleteAllTheSame) {
  wire.begins();
  ask(wire, 1);
  wire.server(headers(1, status_block("200") + field("content-length", "5")));
  wire.server_sends_file(9 + 5);
  wire.end({.final = true, .missed = {false, true}});
  EXPECT_EQ(only().outcome, Outcome::kComplete);
}

}  // namespace
}  // namespace exa::testing
