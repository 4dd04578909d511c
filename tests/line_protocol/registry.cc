#include "agent/conversation/registry.h"

#include <array>
#include <memory>

#include "agent/conversation/http1/http1_conversation.h"
#include "agent/conversation/http2/http2_conversation.h"
#include "agent/protocol/http1/detect.h"
#include "tests/line_protocol/line_conversation.h"
#include "tests/line_protocol/line_detect.h"

namespace exa {
namespace {

template <typename Protocol>
std::unique_ptr<ProtocolConversation> made(ProtocolId id, const ConversationParts& parts) {
  return std::make_unique<Protocol>(id, parts);
}

constexpr std::array kProtocols = {
    ProtocolRow{.name = "http1", .detect = http1::detect, .converse = made<Http1Conversation>},
    ProtocolRow{.name = "http2", .detect = nullptr, .converse = made<Http2Conversation>},
    ProtocolRow{.name = "line", .detect = line::detect, .converse = made<line::LineConversation>},
};

}  // namespace

std::span<const ProtocolRow> protocols() {
  return kProtocols;
}

}  // namespace exa
