// Bytes of a backend's answer: no crash, no unprintable byte in what is logged, bounded.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "exporters/otlp/reply.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const std::string_view body(reinterpret_cast<const char*>(bytes), size);
  for (const auto& reply : {exa::decode_otlp_reply(body), exa::decode_otlp_json_reply(body)}) {
    if (!reply) continue;
    if (reply->rejected > INT64_MAX) std::abort();
    if (reply->message.size() > exa::kLongestReplyMessage + 3) std::abort();
    if (!std::all_of(reply->message.begin(), reply->message.end(),
                     [](char c) { return c >= 0x20 && c <= 0x7e; }))
      std::abort();
  }
  return 0;
}
