#include "agent/run/messages/policies_message.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "agent/config/policy_text.h"

namespace exa {

static_assert(kMostPolicyText < kChannelPayloadBytes);

void write_policies(const PolicySettings& policies, ChannelMessage& message) {
  const auto text = policies_text(policies);
  message.type = ChannelMessageType::kPolicies;
  message.value = 0;
  message.payload = {};
  std::memcpy(message.payload.data(), text.data(), std::min(text.size(), kMostPolicyText));
}

Result<PolicySettings> read_policies(const ChannelMessage& message) {
  const auto* const text = reinterpret_cast<const char*>(message.payload.data());
  return parse_policies({text, ::strnlen(text, message.payload.size())});
}

}  // namespace exa
