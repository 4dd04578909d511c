#include "agent/conversation/registry.h"

#include <algorithm>
#include <array>
#include <memory>

#include "agent/conversation/http1/http1_conversation.h"
#include "agent/conversation/http2/http2_conversation.h"
#include "agent/protocol/http1/detect.h"

namespace exa {
namespace {

template <typename Protocol>
std::unique_ptr<ProtocolConversation> made(ProtocolId id, const ConversationParts& parts) {
  return std::make_unique<Protocol>(id, parts);
}

constexpr std::array kProtocols = {
    ProtocolRow{.name = "http1", .detect = http1::detect, .converse = made<Http1Conversation>},
    ProtocolRow{.name = "http2", .detect = nullptr, .converse = made<Http2Conversation>},
};
// The kernel tells that chunks are framed, but not of which protocol. (To GCC's sanitizers a
// comparison with a function is no constant.)
#ifndef __SANITIZE_ADDRESS__
static_assert(std::ranges::count(kProtocols, nullptr, &ProtocolRow::detect) <= 1);
#endif

}  // namespace

std::span<const ProtocolRow> protocols() {
  return kProtocols;
}

}  // namespace exa
